// Pictures in SVG. Each has a name for screen readers, and a table of its numbers beside it.

import { folded, h, svg, table } from "./dom.js";
import { axis, count, percent } from "./units.js";

/** A picture with a title, a sentence that says how to read it, and its numbers, made when they are asked for. */
export function figure(title, note, picture, numbers = null) {
  return h("figure", null,
    h("figcaption", null, h("h3", null, title), note && h("p", { class: "note" }, note)),
    picture,
    numbers && folded("Numbers", numbers));
}

function canvas(width, height, label, ...children) {
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label, class: "chart" }, children);
}

function words(x, y, text, attributes = {}) {
  return svg("text", { x, y, ...attributes }, text);
}

/** Numbers at round distances from `low` to `high`. */
function ticks(low, high, wanted = 5) {
  const span = high - low || 1;
  const rough = span / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((times) => times * power).find((it) => it >= rough) ?? rough;
  const all = [];
  for (let at = Math.ceil(low / step) * step; at <= high + step * 1e-6; at += step) all.push(Math.abs(at) < step * 1e-6 ? 0 : at);
  return all;
}

/** A bar of parts side by side: `{ name, value, kind }`, of `whole` (their sum if none is given). */
export function stacked(parts, label, { whole = null, height = 14, width = 300 } = {}) {
  const all = whole ?? parts.reduce((sum, part) => sum + part.value, 0);
  let at = 0;
  const rects = parts.filter((part) => part.value > 0).map((part) => {
    const length = (part.value / (all || 1)) * width;
    const rect = svg("rect", { x: at.toFixed(2), y: 0, width: length.toFixed(2), height, class: `kind-${part.kind}` },
      svg("title", null, `${part.name}: ${part.text ?? count(part.value)}`));
    at += length;
    return rect;
  });
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "img", "aria-label": label, class: "bar" }, rects);
}

/** What the colors of a picture mean. */
export function legend(entries) {
  return h("ul", { class: "legend" }, entries.map(({ name, kind }) => h("li", null, h("span", { class: `swatch kind-${kind}` }), name)));
}

/** The part of an axis between two values: `low` to `high`, on an axis from `from` to `to`; `mark` is a second range. */
export function range(low, high, from, to, label, mark = null) {
  const width = 120;
  const x = (value) => ((value - from) / (to - from || 1)) * width;
  return svg("svg", { viewBox: `0 0 ${width} 12`, preserveAspectRatio: "none", role: "img", "aria-label": label, class: "bar small" },
    svg("title", null, label),
    svg("rect", { x: 0, y: 5.5, width, height: 1, class: "axis" }),
    svg("rect", { x: x(low).toFixed(2), y: 2, width: Math.max(1, x(high) - x(low)).toFixed(2), height: 8, class: "kind-0" }),
    mark && mark.map((value) => svg("rect", { x: (x(value) - 0.5).toFixed(2), y: 0, width: 1, height: 12, class: "ink" })));
}

/** Upright bars: `{ label, value, strong }`. */
export function columns(bars, label, { xLabel = "", from = null, to = null } = {}) {
  const [width, height, left, bottom, top] = [560, 200, 52, 34, 8];
  const most = Math.max(1, ...bars.map((bar) => bar.value));
  const y = (value) => height - bottom - (value / most) * (height - bottom - top);
  const step = (width - left - 8) / bars.length;
  const rects = bars.map((bar, at) => svg("rect", {
    x: (left + at * step + step * 0.06).toFixed(2), width: Math.max(0.5, step * 0.88).toFixed(2),
    y: y(bar.value).toFixed(2), height: Math.max(bar.value > 0 ? 1 : 0, height - bottom - y(bar.value)).toFixed(2),
    class: bar.strong ? "strong" : "kind-0",
  }, svg("title", null, `${bar.label}: ${count(bar.value)}`)));
  const every = Math.ceil(bars.length / 9);
  const names = from === null
    ? bars.flatMap((bar, at) => at % every === 0 ? [words(left + (at + 0.5) * step, height - bottom + 14, bar.short ?? bar.label, { "text-anchor": "middle" })] : [])
    : ticks(from, to, 6).map((value) => words(left + ((value - from) / (to - from || 1)) * (width - left - 8), height - bottom + 14, axis(value), { "text-anchor": "middle" }));
  return canvas(width, height, label, grid(ticks(0, most, 4), y, left, width), rects, names,
    words(left + (width - left) / 2, height - 4, xLabel, { "text-anchor": "middle", class: "label" }));
}

function grid(values, y, left, width) {
  return values.map((value) => [
    svg("line", { x1: left, x2: width - 8, y1: y(value), y2: y(value), class: "grid" }),
    words(left - 6, y(value) + 4, axis(value), { "text-anchor": "end" }),
  ]);
}

/** A picture that the server has drawn, which has made text of all that is not its own. */
export function drawn(picture) {
  return document.importNode(new DOMParser().parseFromString(picture, "image/svg+xml").documentElement, true);
}

/** Points of a plane: `{ x, y, name, kind, href }`. */
export function scatter(points, label) {
  const [width, height, edge] = [560, 400, 12];
  const span = (of) => [Math.min(...points.map(of)), Math.max(...points.map(of))];
  const [[xLow, xHigh], [yLow, yHigh]] = [span((it) => it.x), span((it) => it.y)];
  // One scale for both axes, so that distances are what they look like.
  const scale = Math.min((width - 2 * edge) / (xHigh - xLow || 1), (height - 2 * edge) / (yHigh - yLow || 1));
  const x = (value) => width / 2 + (value - (xLow + xHigh) / 2) * scale;
  const y = (value) => height / 2 - (value - (yLow + yHigh) / 2) * scale;
  return canvas(width, height, label, points.map((point) =>
    svg("a", { href: point.href, tabindex: "-1" },
      svg("circle", { cx: x(point.x).toFixed(1), cy: y(point.y).toFixed(1), r: 3.2, class: `point kind-${point.kind}` },
        svg("title", null, point.name)))));
}

/** Sideways bars with their names: `{ name, value, href }`. */
export function ranking(caption, entries, valueName, whole = null) {
  const most = Math.max(1, ...entries.map((entry) => entry.value));
  return table(caption, [
    { name: "value", of: (entry) => entry.href ? h("a", { href: entry.href }, entry.name) : entry.name },
    { name: valueName, of: (entry) => count(entry.value), number: true },
    whole && { name: "share", of: (entry) => percent(entry.value / whole), number: true },
    { name: "", of: (entry) => stacked([{ name: entry.name, value: entry.value, kind: 0 }], "", { whole: most, height: 10 }) },
  ].filter(Boolean), entries);
}
