// Numbers for people, as the command line writes them.

const grouped = new Intl.NumberFormat("en-US");

/** `12,345`. */
export function count(number) {
  return number === null || number === undefined ? "–" : grouped.format(number);
}

/** `1 segment`, `12 segments`. */
export function plural(number, of) {
  return number === 1 ? `1 ${of}` : `${count(number)} ${of}s`;
}

function threeDigits(value) {
  const size = Math.abs(value);
  return value.toFixed(size < 9.995 ? 2 : size < 99.95 ? 1 : 0);
}

/** `512 B`, `1.50 KiB`, `114 MiB`. */
export function bytes(number) {
  if (number < 1024) return `${number} B`;
  const units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
  let value = number / 1024;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${threeDigits(value)} ${units[unit]}`;
}

/** `12.3 %`; small shares are not rounded away. */
export function percent(share) {
  if (share === null || share === undefined || !Number.isFinite(share)) return "–";
  const value = share * 100;
  if (value === 0) return "0 %";
  if (value < 0.01) return "< 0.01 %";
  return `${value < 1 ? value.toFixed(2) : value < 10 ? value.toFixed(1) : value.toFixed(value > 99 && value < 100 ? 1 : 0)} %`;
}

const compact = new Intl.NumberFormat("en-US", { notation: "compact", maximumSignificantDigits: 3 });

/** A number for an axis: `1.2M`. */
export function axis(value) {
  return Math.abs(value) >= 1e5 ? compact.format(value) : short(value);
}

/** A number in four digits, or all those before the point. */
export function short(value) {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  if (size >= 1e15 || (size < 1e-3 && size > 0)) return value.toExponential(2).replace("e+", "e");
  if (Number.isInteger(value) || size >= 1000) return count(Math.round(value));
  return String(Number(value.toPrecision(4)));
}

/** `0.53 s`, `12.3 s`, `4 min 5 s`. */
export function seconds(value) {
  return value < 99.95 ? `${threeDigits(value)} s` : `${Math.floor(value / 60)} min ${Math.floor(value % 60)} s`;
}

/** How long ago something was. */
export function ago(milliseconds) {
  const past = Math.max(0, (Date.now() - milliseconds) / 1000);
  const [number, unit] =
    past < 90 ? [past, "second"] : past < 5400 ? [past / 60, "minute"] : past < 129600 ? [past / 3600, "hour"] : [past / 86400, "day"];
  return `${plural(Math.round(number), unit)} ago`;
}
