// Segments: sizes, quantiles, recall; the plan of a forced merge, and merges that have been.

import { ask, isReport } from "./ask.js";
import { facts, folded, h, later, link, section, table } from "./dom.js";
import { drawn, figure, legend, range, stacked } from "./charts.js";
import { partsOf } from "./overview.js";
import { bytes, count, percent, plural, seconds, short } from "./units.js";

const OUTCOMES = {
  kept: [0, "codes are copied, their quantiles serve the merged vectors"],
  requantized: [1, "codes are computed again, their quantiles have drifted from the merged ones"],
  resampled: [3, "new quantiles are computed from a sample of the vectors"],
};
const outcomeKind = (outcome) => (OUTCOMES[outcome] ?? [8])[0];

export function segments(index) {
  const rows = index.segments;
  const title = h("h1", null, plural(rows.length, "segment"));
  if (rows.length === 0) return [title, h("p", null, "Nothing has been committed yet. The page shows segments as soon as there are some.")];
  return [
    title,
    section("Size and documents", sizes(index, rows)),
    fieldsOf(rows).map((field) => section(`Vectors of ${field}`, quality(rows, field))),
    section("What a forced merge would do", plan(index)),
    section("Merges that these segments come from", history(rows)),
  ];
}

/** Vector fields that some segment has. */
export function fieldsOf(rows) {
  return [...new Set(rows.flatMap((row) => Object.keys(row.fields)))];
}

/** What a search does to reach a recall: `40`, `25 + 20`, `~310`. */
export function effort({ candidates, rescored, measured }) {
  return `${measured ? "" : "~"}${count(candidates)}${rescored ? ` + ${count(rescored)}` : ""}`;
}

const nameOf = (row) => (isReport ? row.name : link(row.name, "segment", { name: row.name }));

function sizes(index, rows) {
  const largest = Math.max(...rows.map((row) => row.bytes));
  const parts = partsOf(index, rows);
  return [
    legend(parts),
    table("Documents and bytes of each segment", [
      { name: "segment", of: nameOf },
      { name: "documents", of: (row) => count(row.docs), number: true },
      { name: "deleted", number: true, of: (row) => (row.deleted ? `${count(row.deleted)} (${percent(row.deleted / (row.docs + row.deleted))})` : "0") },
      { name: "bytes", of: (row) => bytes(row.bytes), number: true },
      { name: "by part", of: (row) => stacked(partsOf(index, [row]), `${row.name}: ${bytes(row.bytes)}`, { whole: largest }) },
    ], rows, { foot: ["all", count(index.docs), count(index.deleted), bytes(index.bytes)] }),
  ];
}

function quality(rows, field) {
  const own = rows.filter((row) => row.fields[field]);
  const all = own.map((row) => row.fields[field].quantiles).filter(Array.isArray);
  const [from, to] = [Math.min(...all.map(([low]) => low)), Math.max(...all.map(([, high]) => high))];
  const at = (row, recall) => {
    const found = row.fields[field].searches?.find((it) => it.recall === recall);
    return found ? effort(found) : "no graph";
  };
  return [
    h("p", { class: "note" }, "Quantiles bound what int8 codes tell apart, on one axis for all segments. Candidates: how many a search for 10 keeps to reach a recall (+ how many it rescores with raw vectors), by the curve that the segment measured when it was written; ~ is beyond what was measured. A segment without a graph compares all codes. ",
      link(`Pictures of ${field}`, "vectors", { field }), "."),
    table(`Vectors of ${field} in each segment`, [
      { name: "segment", of: nameOf },
      { name: "format", of: (row) => row.fields[field].format },
      { name: "vectors", of: (row) => count(row.fields[field].vectors), number: true },
      all.length && { name: "quantiles", of: (row) => {
        const pair = row.fields[field].quantiles;
        return Array.isArray(pair) ? range(pair[0], pair[1], from - (to - from) * 0.1, to + (to - from) * 0.1, `${short(pair[0])} to ${short(pair[1])}`) : "";
      } },
      all.length && { name: "from … to", number: true, of: (row) => {
        const pair = row.fields[field].quantiles;
        return Array.isArray(pair) ? `${pair[0].toFixed(4)} … ${pair[1].toFixed(4)}` : "";
      } },
      { name: "recall by codes alone", title: "share of the true nearest 10 when all codes are compared", number: true, of: (row) => percent(row.fields[field].code_recall) },
      { name: "candidates for 0.90", of: (row) => at(row, 0.9), number: true },
      { name: "0.95", of: (row) => at(row, 0.95), number: true },
      { name: "0.99", of: (row) => at(row, 0.99), number: true },
    ].filter(Boolean), own, { wide: true }),
  ];
}

function plan(index) {
  const place = h("div", { role: "status" });
  const number = h("input", { type: "number", id: "max-segments", min: "1", max: String(Math.max(1, index.segments.length)), value: "1" });
  const show = () => {
    const question = { max_segments: Math.max(1, Number(number.value) || 1) };
    place.replaceChildren(later(ask("plan", question), (found) => planned(index, found), "Planning …"));
  };
  const form = h("form", { class: "row", onsubmit: (event) => { event.preventDefault(); show(); } },
    h("label", { for: "max-segments" }, "Into at most"), number, "segments", h("button", { type: "submit" }, "Plan"));
  show();
  return [!isReport && form, place];
}

/** The plan: which segments become one, and what happens to their codes. */
function planned(index, found) {
  const command = h("p", null, "Nothing was changed. To do it: ", h("code", null, `lucerne force-merge ${index.dir} --max-segments ${found.max_segments}`));
  if (found.merges.length === 0) return [h("p", null, "Nothing to merge: there are no more segments than that, and none has deleted documents to remove.")];
  return [
    found.merges.map((merge, at) => [
      facts([
        ["Segments", `${merge.sources.length} become 1; ${count(found.segments)} → ${count(found.segments - found.merges.reduce((sum, it) => sum + it.sources.length - 1, 0))} in all`],
        ["Documents", count(merge.docs)],
        ["To read", bytes(merge.bytes_to_read)],
        ["To write, about", bytes(merge.bytes_to_write)],
        ["Memory, at most", bytes(merge.memory), "below a ceiling it can do with less"],
        ["Memory, at least", bytes(merge.memory_least)],
      ]),
      Object.entries(merge.fields).map(([field, report]) => merged(field, report, found.pictures[at][field])),
    ]),
    command,
  ];
}

/** The sources of a merge with what became, or would become, of their codes. */
function merged(field, report, picture) {
  const sources = findSources(report);
  if (sources.length === 0) return null;
  const outcomes = [...new Set(sources.map((it) => it.outcome))].filter(Boolean);
  const counts = outcomes.map((it) => `${plural(sources.filter((source) => source.outcome === it).length, "segment")} ${it}`);
  const pairs = [...sources.map((it) => it.quantiles), report.quantiles].filter(Array.isArray);
  const [low, high] = [Math.min(...pairs.map(([it]) => it)), Math.max(...pairs.map(([, it]) => it))];
  const [from, to] = [low - (high - low) * 0.1, high + (high - low) * 0.1];
  const name = (it) => it.segment ?? "merged";
  return figure(
    `${field}: ${counts.join(", ") || plural(sources.length, "segment")}`,
    outcomes.filter((it) => OUTCOMES[it]).map((it) => `${it[0].toUpperCase()}${it.slice(1)}: ${OUTCOMES[it][1]}.`).join(" "),
    picture && drawn(picture),
    () => table(`Sources of the merge of ${field}`, [
      { name: "segment", of: name },
      { name: "live", of: (it) => count(it.live), number: true },
      { name: "deleted", of: (it) => count(it.deleted), number: true },
      { name: "quantiles, and the merged ones as lines", of: (it) => Array.isArray(it.quantiles) ? range(it.quantiles[0], it.quantiles[1], from, to, `${short(it.quantiles[0])} to ${short(it.quantiles[1])}`, report.quantiles) : "" },
      { name: "drift", number: true, title: "how far its quantiles are from the merged ones, as a share of their range", of: (it) => percent(it.drift) },
      { name: "outcome", of: (it) => it.outcome ?? "" },
    ], Array.isArray(report.quantiles) ? [...sources, { segment: "merged", live: report.vectors, quantiles: report.quantiles }] : sources));
}

function findSources(report) {
  if (Array.isArray(report?.sources)) return report.sources;
  for (const value of Object.values(report ?? {})) {
    if (value && typeof value === "object" && !Array.isArray(value)) {
      const found = findSources(value);
      if (found.length) return found;
    }
  }
  return [];
}

function history(rows) {
  const own = rows.filter((row) => row.merge);
  if (own.length === 0) return h("p", null, "None: all segments are as they were flushed.");
  const drawing = later(ask("merges"), ({ picture }) => picture && figure("Along time",
    "A bar for each merge, in the color of what became of codes: kept, requantized or resampled. A merge ended when its segment was written, as the file system has it.",
    [legend(Object.entries(OUTCOMES).map(([name, [kind]]) => ({ name, kind }))), drawn(picture)]), "Drawing …");
  return [drawing, table("Merges, by the segment that came out", [
    { name: "segment", of: nameOf },
    { name: "from", of: (row) => row.merge.sources.length > 12 ? plural(row.merge.sources.length, "segment") : row.merge.sources.join(", ") },
    { name: "codes of its sources", of: (row) => {
      const parts = Object.entries(row.merge.outcomes).map(([name, value]) => ({ name, value, kind: outcomeKind(name) }));
      return [stacked(parts, parts.map((it) => `${it.value} ${it.name}`).join(", ")), " ", parts.map((it) => `${it.value} ${it.name}`).join(", ")];
    } },
    { name: "took", number: true, of: (row) => (typeof row.merge.seconds === "number" ? seconds(row.merge.seconds) : "–") },
  ], own)];
}

/** All metadata of one segment. */
export async function segment(index, parts) {
  const name = parts.get("name");
  const { pictures = {}, ...found } = await ask("segment", { name });
  return [
    h("h1", null, `Segment ${name}`),
    facts([["Documents", count(found.docs)], ["Deleted", count(found.deleted)], ["Size", bytes(found.bytes)], ["Written by", found.written_by]]),
    Object.keys(found.fields ?? {}).length > 0 && h("p", null, "Recall, codes and graph: ",
      Object.keys(found.fields).map((field) => [link(`vectors of ${field}`, "vectors", { field }), " "])),
    section("What takes the space", segmentSpace(index, found)),
    found.merge && section("The merge that made it", Object.entries(found.merge.fields ?? {}).map(([field, report]) => merged(field, report, pictures[field])),
      facts([["Read", bytes(found.merge.bytes_read ?? 0)], ["Written", bytes(found.merge.bytes_written ?? 0)], ["Took", found.merge.seconds && seconds(found.merge.seconds.all)]])),
    section("Files", table("Files of the segment", [
      { name: "file", of: (it) => it.name }, { name: "bytes", of: (it) => bytes(it.bytes), number: true },
    ], found.files)),
    section("All metadata", tree(found)),
  ];
}

/** The parts of one segment, as the overview has them of all. */
function segmentSpace(index, found) {
  const parts = partsOf(index, index.segments.filter((row) => row.name === found.name));
  return [stacked(parts, parts.map((it) => `${it.name} ${it.text}`).join(", "), { height: 18, width: 800 }),
    legend(parts.map((it) => ({ ...it, name: `${it.name} ${it.text}` })))];
}

/** Any JSON, folded. */
export function tree(value) {
  if (value === null || typeof value !== "object") return h("span", null, String(value));
  const entries = Object.entries(value);
  if (Array.isArray(value) && value.every((it) => it === null || typeof it !== "object")) return h("span", null, value.join(", "));
  return h("ul", { class: "tree" }, entries.map(([name, it]) =>
    h("li", null, it !== null && typeof it === "object" && Object.keys(it).length > 0 && !(Array.isArray(it) && it.every((one) => typeof one !== "object"))
      ? folded(name, tree(it)) : [h("b", null, name), " ", tree(it)])));
}
