// The search console. The address holds the whole search, so that it can be sent to somebody else.

import { ask } from "./ask.js";
import { facts, folded, h, later, link, section, table, to } from "./dom.js";
import { legend, ranking, stacked } from "./charts.js";
import { python, rust, shell } from "./code.js";
import { value } from "./document.js";
import { count, plural, short } from "./units.js";

/** The arguments of a search: names of the command line, labels, and whether they are of vectors. */
const INPUTS = {
  query: { label: "Query", wide: true, hint: "words, field:word, \"a phrase\", or JSON" },
  filter: { label: "Filter", wide: true, hint: "section:python AND size:<1000" },
  knn: { label: "Vector field", group: "vector", choices: (index) => index.schema.fields.filter((it) => it.type === "vector").map((it) => it.name) },
  like: { label: "like the document with key", group: "vector" },
  vector: { label: "or near this vector", group: "vector", hint: "[0.1, 0.7, …]" },
  recall: { label: "Recall", group: "vector", number: true },
  candidates: { label: "or candidates", group: "vector", number: true },
  rescore: { label: "Rescore factor", group: "vector", number: true },
  exact: { label: "Exact", group: "vector", flag: true },
  hybrid: { label: "Query and vector together", group: "vector", choices: () => ["rrf", "linear"] },
  limit: { label: "Hits", group: "more", number: true },
  offset: { label: "Skip", group: "more", number: true },
  sort: { label: "Sort by", group: "more", hint: "size:desc" },
  fields: { label: "Fields", group: "more", hint: "a,b or *" },
  highlight: { label: "Highlight in", group: "more" },
  facet: { label: "Facets", group: "more", hint: "section:10" },
  "group-by": { label: "Group by", group: "more" },
  mmr: { label: "Diversity (MMR λ)", group: "more", number: true },
  total: { label: "Count all", group: "more", flag: true },
  explain: { label: "Explain scores", group: "more", flag: true },
};
const NAMES = Object.keys(INPUTS);
const PHASES = [["resolve", "resolving the query"], ["search", "searching"], ["rerank", "reranking"], ["aggregate", "aggregating"], ["stored", "reading hits"]];

export function search(index, parts) {
  const asked = Object.fromEntries(NAMES.filter((name) => parts.get(name)).map((name) => [name, parts.get(name)]));
  const why = parts.get("why");
  const page = [h("h1", null, "Search"), form(index, { ...asked }, why)];
  if (Object.keys(asked).length === 0) {
    return [...page, h("p", { class: "note" }, "Words without a field search the first text field. ", link("All documents", "search", { query: "*:*" }), " is a start.")];
  }
  // A key says little: the first text field says what a hit is.
  asked.fields ??= index.schema.fields.find((it) => it.type === "text" && it.stored !== false)?.name;
  if (asked.fields === undefined) delete asked.fields;
  const question = { search: argumentsOf(asked) };
  if (why) {
    return [...page, section(`Why is ${why} here, or not`, later(ask("why", { ...question, key: why }), (found) => [
      h("p", null, verdict(found.explanation), " ", link("The document", "document", { key: why })),
      explained(found.explanation), calls(index, asked, [...found.call, `--why=${why}`])], "Explaining …"))];
  }
  return [...page, later(ask("search", question), (found) => results(index, asked, found), "Searching …")];
}

/** What the server takes: flags are true, lists are lists. */
function argumentsOf(asked) {
  return Object.fromEntries(Object.entries(asked).map(([name, text]) => {
    if (INPUTS[name].flag) return [name, true];
    if (name === "facet") return [name, text.split(",").map((it) => it.trim()).filter(Boolean)];
    return [name, text];
  }));
}

function form(index, asked, why) {
  const input = (name) => {
    const { label, number, flag, choices, hint, wide } = INPUTS[name];
    const id = `search-${name}`;
    const common = { id, name };
    let control;
    if (flag) control = h("input", { ...common, type: "checkbox", value: "1", checked: asked[name] !== undefined });
    else if (choices) {
      control = h("select", common, h("option", { value: "" }, "–"), choices(index).map((it) => h("option", { value: it, selected: asked[name] === it }, it)));
    } else {
      control = h("input", { ...common, type: number ? "number" : "text", step: number ? "any" : null, value: asked[name] ?? "", placeholder: hint, autocomplete: "off", spellcheck: "false" });
    }
    return h("div", { class: wide ? "field wide" : flag ? "field flag" : "field" }, h("label", { for: id }, label), control);
  };
  const group = (which) => NAMES.filter((name) => INPUTS[name].group === which);
  const open = (which) => group(which).some((name) => asked[name] !== undefined);
  const submit = (event) => {
    event.preventDefault();
    const given = [...new FormData(event.target)].filter(([, text]) => text !== "");
    const parts = Object.fromEntries(given);
    if (event.submitter?.value !== "why") delete parts.why;
    location.hash = to("search", parts);
  };
  const fold = (which, title) => {
    const details = folded(title, h("div", { class: "fields" }, group(which).map(input)));
    details.open = open(which);
    return details;
  };
  return h("form", { class: "console", role: "search", onsubmit: submit },
    h("div", { class: "fields" }, group(undefined).map(input)),
    fold("vector", "Vectors"), fold("more", "Paging, fields, facets, explanations"),
    h("div", { class: "row" },
      h("button", { type: "submit", value: "search" }, "Search"),
      h("label", { for: "search-why" }, "Why is the document with key"),
      h("input", { id: "search-why", name: "why", value: why ?? "", autocomplete: "off", spellcheck: "false" }),
      h("button", { type: "submit", value: "why" }, "here, or not?")));
}

function results(index, asked, { found, call }) {
  const { hits } = found;
  const total = found.total?.value ?? found.total;
  return [
    section(`${plural(hits.length, "hit")}${typeof total === "number" ? ` of ${count(total)}` : ""}`,
      found.unknown_fields?.length > 0 && h("p", { class: "hint" }, `No document has a field ${found.unknown_fields.join(", ")}; is it misspelt?`),
      hits.length === 0 && h("p", null, "Nothing was found. Give the key of a document that you expected above, and it is explained why it is not here."),
      h("ol", { class: "hits", start: 1 + Number(asked.offset ?? 0) }, hits.map((hit) => shown(hit, found, asked)))),
    Object.entries(found.aggregations ?? {}).map(([name, it]) => it.buckets && section(`Facet ${name}`, ranking(
      `Documents by ${name}`, it.buckets.map((bucket) => ({ name: String(bucket.key), value: bucket.doc_count,
        href: to("search", { ...asked, filter: [asked.filter && `(${asked.filter})`, `${name}:"${String(bucket.key).replace(/["\\]/g, "\\$&")}"`].filter(Boolean).join(" AND ") }) })), "documents"))),
    section("Where the time went", time(found)),
    calls(index, asked, call),
  ];
}

function shown(hit, found, asked) {
  const near = hit.distance === null || hit.distance === undefined ? null : `distance ${found.exact ? "" : "~"}${short(hit.distance)}`;
  const fields = Object.entries(hit.fields ?? {});
  return h("li", null,
    h("h3", null, link(hit.key, "document", { key: hit.key })),
    h("p", { class: "note" }, [`score ${short(hit.score)}`, near, hit.group && `group ${hit.group.value ?? "–"}`].filter(Boolean).join(", "), " · ",
      link("why", "search", { ...asked, why: hit.key })),
    Object.entries(hit.highlights ?? {}).map(([field, fragments]) => fragments.map((fragment) => h("p", null, h("span", { class: "note" }, `${field}: `), marked(fragment)))),
    fields.length > 0 && facts(fields.map(([name, content]) => [name, value(content)])),
    hit.explanation && folded("Score", explained(hit.explanation)));
}

/** A fragment whose marked words are between two characters that no text should have. */
function marked(fragment) {
  return fragment.split("\u0001").flatMap((piece, at) => {
    if (at === 0) return [piece];
    const [word, ...rest] = piece.split("\u0002");
    return [h("mark", null, word), rest.join("")];
  });
}

function verdict(explanation) {
  return explanation.matches ? `It is found, with a score of ${short(explanation.score)}.` : "It is not among the hits.";
}

/** An explanation as a tree. */
function explained(explanation) {
  const node = (it) => h("li", { class: it.matches ? "" : "missed" },
    h("b", null, it.matches ? short(it.score) : "no match"), " ", it.description,
    it.details?.length > 0 && h("ul", null, it.details.map(node)));
  return h("ul", { class: "tree explanation" }, node(explanation));
}

function time(found) {
  const phases = PHASES.map(([name, text], kind) => ({ name: text, kind, value: found.took_ms[name], text: `${short(found.took_ms[name])} ms` }));
  const used = new Map();
  for (const segment of found.segments ?? []) {
    const known = used.get(segment.strategy) ?? { strategy: segment.strategy, segments: 0, visited: 0 };
    used.set(segment.strategy, { ...known, segments: known.segments + 1, visited: known.visited + segment.visited });
  }
  return [
    stacked(phases, `Time by phase: ${phases.map((it) => `${it.name} ${it.text}`).join(", ")}`, { width: 800 }),
    legend(phases.filter((it) => it.value > 0)),
    table(`${short(found.took_ms.total)} ms in all`, [
      { name: "phase", of: (it) => it.name }, { name: "ms", of: (it) => short(it.value), number: true },
    ], phases),
    used.size > 0 && table("How segments were searched", [
      { name: "strategy", of: (it) => it.strategy },
      { name: "segments", of: (it) => count(it.segments), number: true },
      { name: "documents or vectors looked at", of: (it) => count(it.visited), number: true },
    ], [...used.values()]),
    (found.segments?.length ?? 0) > 1 && folded("By segment", table("How each segment was searched", [
      { name: "segment", of: (it) => it.segment }, { name: "strategy", of: (it) => it.strategy },
      { name: "looked at", of: (it) => count(it.visited), number: true },
      { name: "allowed by the filter", of: (it) => count(it.accepted), number: true },
    ], found.segments)),
  ];
}

function calls(index, asked, call) {
  const code = (title, text) => folded(title, h("pre", { tabindex: "0" }, h("code", null, text)),
    h("button", { type: "button", onclick: (event) => navigator.clipboard?.writeText(text).then(() => { event.target.textContent = "Copied"; }) }, "Copy"));
  return section("The same search elsewhere",
    code("Command line", shell(call)), code("Rust", rust(index, asked)), code("Python", python(index, asked)),
    h("p", { class: "note" }, "The address of this page repeats the search, as long as the server runs."));
}
