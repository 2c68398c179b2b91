// The whole index: totals, findings, what takes the space, fields, settings.

import { ask, isReport } from "./ask.js";
import { facts, h, later, link, section, table } from "./dom.js";
import { stacked } from "./charts.js";
import { ago, bytes, count, percent, plural } from "./units.js";

/** Sums of all segments by part, in the order of the parts. */
export function partsOf(index, segments) {
  return index.parts
    .map((name, kind) => ({ name, kind, value: segments.reduce((sum, segment) => sum + (segment.parts[name] ?? 0), 0) }))
    .filter((part) => part.value > 0)
    .map((part) => ({ ...part, text: bytes(part.value) }));
}

/** Where to look at a field. */
function viewOf(field) {
  return field.type === "vector" || field.type === "binary_vector" ? "vectors" : "values";
}

export function overview(index) {
  const name = index.dir.split("/").filter(Boolean).pop() ?? index.dir;
  const all = index.docs + index.deleted;
  return [
    h("h1", null, name),
    facts([
      ["Documents", count(index.docs)],
      ["Deleted", index.deleted ? `${count(index.deleted)} (${percent(index.deleted / all)})` : "0", "they take space until their segments are merged"],
      ["Segments", link(count(index.segments.length), "segments")],
      ["Size", bytes(index.bytes)],
      ["Generation", count(index.generation)],
      ["Committed", index.committed_at === null ? null : ago(index.committed_at), index.committed_at && new Date(index.committed_at).toISOString()],
    ]),
    section("Health", health(index)),
    section("What takes the space", space(index)),
    section("Fields", fields(index)),
    section("Settings in force", settings(index)),
  ];
}

function health(index) {
  const findings = index.health.map((finding) => h("li", { class: finding.level },
    h("strong", null, finding.title), h("span", null, finding.detail),
    finding.command && h("code", null, finding.command.replace("DIR", index.dir))));
  return [
    findings.length ? h("ul", { class: "findings" }, findings)
      : h("p", null, "Nothing stands out: few deleted documents, few segments, graphs that reach their vectors."),
    !isReport && checkButton(index),
  ];
}

function checkButton(index) {
  const place = h("div", { role: "status" });
  const check = () => {
    place.replaceChildren(later(ask("check"), (checked) => checked.problems.length === 0
      ? h("p", null, `No damage: ${bytes(checked.bytes)} read, generation ${checked.generation}.`)
      : table(plural(checked.problems.length, "problem"), [
        { name: "file", of: (it) => it.file }, { name: "problem", of: (it) => it.problem },
      ], checked.problems), "Reading every byte …"));
  };
  return [
    h("p", null, h("button", { type: "button", id: "check", onclick: check }, "Verify every byte"),
      h("span", { class: "note" }, " as ", h("code", null, `lucerne check ${index.dir}`), " does; while another process writes, it may find files gone")),
    place,
  ];
}

function space(index) {
  const parts = partsOf(index, index.segments);
  if (parts.length === 0) return h("p", null, "There is nothing yet.");
  const all = index.docs + index.deleted;
  return [
    stacked(parts, `Bytes by part: ${parts.map((part) => `${part.name} ${part.text}`).join(", ")}`, { height: 18, width: 800 }),
    table("Bytes by part, in all segments", [
      { name: "part", of: (part) => [h("span", { class: `swatch kind-${part.kind}` }), part.name] },
      { name: "bytes", of: (part) => part.text, number: true },
      { name: "share", of: (part) => percent(part.value / index.bytes), number: true },
      { name: "per document", of: (part) => bytes(Math.round(part.value / (all || 1))), number: true },
      { name: "what it is for", of: (part) => PARTS[part.name] ?? "" },
    ], parts, { foot: ["all", bytes(index.bytes), "", bytes(Math.round(index.bytes / (all || 1)))] }),
  ];
}

const PARTS = {
  "raw vectors": "as they were added; read by exact search and rescoring, and to make codes again in merges",
  codes: "quantized vectors, which searches compare",
  "graphs and lists": "links between neighbors (HNSW), or inverted lists",
  words: "terms, documents and positions of text and keywords",
  values: "columns: sorting, ranges, facets",
  "sparse vectors": "weights by dimension",
  "stored documents": "what hits return, compressed",
  keys: "from keys to documents",
  other: "maps from vectors to documents, deleted documents, metadata",
};

function fields(index) {
  const all = index.docs + index.deleted;
  const options = (field) => Object.entries(field).filter(([name]) => name !== "name" && name !== "type")
    .map(([name, value]) => (name === "calibration" ? "calibrated" : `${name} ${typeof value === "object" ? JSON.stringify(value) : value}`)).join(", ");
  const key = { name: index.schema.key ?? "(assigned)", type: "key" };
  return table("Fields of the schema", [
    { name: "field", of: (field) => (field.type === "key" ? field.name : link(field.name, viewOf(field), { field: field.name })) },
    { name: "type", of: (field) => field.type },
    { name: "options", of: options },
    { name: "documents with it", number: true, of: (field) => {
      const docs = index.coverage[field.name];
      return docs === undefined ? "" : `${count(docs)} (${percent(Math.min(1, docs / (all || 1)))})`;
    } },
  ], [key, ...index.schema.fields], { wide: true });
}

function settings(index) {
  const tags = Object.entries(index.tags ?? {}).map(([tag, generation]) => `${tag} (${generation})`).join(", ");
  const data = Object.entries(index.user_data ?? {}).map(([name, value]) => `${name} = ${value}`).join(", ");
  return facts([
    ["Folder", index.dir],
    ["Hits of a search (k)", index.defaults.k],
    ["Recall asked for", index.defaults.recall],
    ["Undeclared fields", index.schema.dynamic ? "kept (dynamic schema)" : "refused"],
    ["Tags", tags || "none"],
    ["Older commits kept", count(index.older_commits)],
    ["User data", data],
    ["Shown by", `lucerne ${index.version}`],
  ]);
}

