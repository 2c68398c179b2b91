// One document by its key.

import { ask } from "./ask.js";
import { facts, folded, h, link, section, svg, table, to, visible } from "./dom.js";
import { count, plural, short } from "./units.js";

/** Longer texts are folded. */
const LONG = 300;

export async function documentView(index, parts) {
  const key = parts.get("key");
  const form = h("form", { class: "row", role: "search", onsubmit: (event) => {
    event.preventDefault();
    location.hash = to("document", { key: event.target.elements.key.value });
  } },
  h("label", { for: "key" }, "Key"),
  h("input", { id: "key", name: "key", value: key ?? "", required: true, autocomplete: "off", spellcheck: "false" }),
  h("button", { type: "submit" }, "Show"));
  if (key === null) return [h("h1", null, "Document"), form];
  const found = await ask("document", { key });
  const title = h("h1", null, key);
  if (!found.found) {
    return [title, form, h("p", null, "No live document has this key. Keys are compared byte by byte; it may have been deleted, or not committed yet. ",
      link("Search for it as words", "search", { query: key }))];
  }
  return [
    title, form,
    facts([["Segment", link(found.segment, "segment", { name: found.segment })]]),
    section("Fields", fields(found.fields)),
    Object.entries(found.vectors).map(([field, vector]) => section(`Vector ${field}`, vectors(key, field, vector))),
    Object.keys(found.terms).length > 0 && section("Words as they are searched", Object.entries(found.terms).map(([field, terms]) =>
      folded(`${field}: ${plural(terms.length, "term")}`, h("p", { class: "terms" }, terms.map((term) => [h("code", null, term), " "]))))),
  ];
}

/** Any value; long texts are folded. */
export function value(content) {
  const simple = Array.isArray(content) && content.every((it) => typeof it === "string");
  const text = typeof content === "string" ? content : simple ? content.join(", ") : JSON.stringify(content, null, Array.isArray(content) ? 0 : 1);
  const whole = h("span", { class: "text" }, text);
  return text.length > LONG ? folded(`${visible(text.slice(0, 120))} …`, whole) : whole;
}

function fields(stored) {
  const entries = Object.entries(stored);
  if (entries.length === 0) return h("p", null, "Nothing is stored.");
  return table("Stored fields", [{ name: "field", of: ([name]) => name }, { name: "value", of: ([, content]) => value(content) }], entries);
}

function vectors(key, field, vector) {
  return [
    facts([
      ["Components", count(vector.dimension)], ["Length", short(vector.length)],
      ["Vectors of this document", vector.count > 1 ? `${count(vector.count)}, the first is shown` : null],
    ]),
    spark(vector.components),
    folded(`The first ${vector.components.length} components`, h("p", { class: "text" }, vector.components.map((it) => short(it)).join(", "))),
    vector.neighbors.length > 0 && table(`Nearest documents by ${field}`, [
      { name: "key", of: (it) => link(it.key, "document", { key: it.key }) },
      { name: vector.exact ? "distance" : "distance (estimated)", of: (it) => short(it.distance), number: true },
    ], vector.neighbors),
    h("p", null, link("Search for its neighbors", "search", { knn: field, like: key })),
  ];
}

function spark(components) {
  const most = Math.max(1e-9, ...components.map(Math.abs));
  const bars = components.map((it, at) => svg("rect", { x: at, width: 0.8, y: it > 0 ? 20 - (it / most) * 19 : 20, height: (Math.abs(it) / most) * 19, class: "kind-0" }));
  return svg("svg", { viewBox: `0 0 ${components.length} 40`, preserveAspectRatio: "none", class: "spark", role: "img", "aria-label": `Components from ${short(Math.min(...components))} to ${short(Math.max(...components))}` }, bars);
}
