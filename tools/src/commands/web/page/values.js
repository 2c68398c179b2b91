// A field of words, keywords, numbers, dates: what is in it.

import { ask, isReport } from "./ask.js";
import { facts, folded, h, section, table, to } from "./dom.js";
import { columns, figure, ranking } from "./charts.js";
import { tree } from "./segments.js";
import { axis, bytes, count, percent, plural, short } from "./units.js";

export async function values(index, parts) {
  const field = parts.get("field");
  const found = await ask("values", { field });
  const declared = index.schema.fields.find((it) => it.name === field) ?? {};
  const docs = index.coverage[field];
  const options = Object.entries(declared).filter(([name]) => name !== "name" && name !== "type");
  return [
    h("h1", null, field),
    facts([
      ["Type", found.type],
      ["Documents with it", docs === undefined ? null : `${count(docs)} (${percent(Math.min(1, docs / (index.docs + index.deleted || 1)))})`, "deleted ones included"],
      ...(found.tokens ? [["Words in all", count(found.tokens)], ["Words per document", short(found.tokens / (found.with_terms || 1))]] : []),
      ...(found.dictionary_bytes !== undefined ? [["Dictionary", bytes(found.dictionary_bytes)]] : []),
      ...options.map(([name, value]) => [name, typeof value === "object" ? JSON.stringify(value) : String(value)]),
    ]),
    shown(field, found, index),
  ];
}

function shown(field, found, index) {
  if (found.sparse) return section("Sparse vectors", found.sparse.map((it) => folded(`Segment ${it.segment}`, tree(it.report))));
  if (found.terms) return section("Most frequent terms", terms(field, found, index));
  if (found.values) return section("Values", buckets(field, found.values.buckets, index));
  if (found.bars) return [section("Distribution", distribution(found)), found.stats && section("Numbers", numbers(found))];
  return h("p", null, "No document has a value in this field.");
}

function terms(field, found, index) {
  if (found.terms.length === 0) return h("p", null, "No document has a term in this field.");
  const query = (term) => `${field}:"${term.replace(/["\\]/g, "\\$&")}"`;
  return [
    h("p", { class: "note" }, found.type === "text" ? "Terms as the analyzer makes them, by the documents that have them; those that nearly every document has say little." : "Values by the documents that have them."),
    ranking(`The ${found.terms.length} most frequent terms of ${field}`, found.terms.map((it) => ({
      name: it.term, value: it.docs, href: isReport ? null : to("search", { query: query(it.term) }),
    })), "documents", index.docs + index.deleted),
  ];
}

function buckets(field, list, index) {
  return ranking(`Values of ${field}`, list.map((it) => ({ name: String(it.key), value: it.doc_count })), "documents", index.docs);
}

function distribution(found) {
  const bars = found.bars.buckets.map((bucket, at) => {
    const last = at === found.bars.buckets.length - 1;
    const label = found.stats ? (last ? `${short(bucket.from)} and more` : `${short(bucket.from ?? found.stats.min)} to below ${short(bucket.to)}`) : String(bucket.key).slice(0, 10);
    const name = found.stats ? axis(bucket.from ?? found.stats.min) : String(bucket.key).slice(0, 7);
    return { label, short: name, value: bucket.doc_count, strong: found.stats && last };
  });
  return figure("Documents by value", found.stats ? `Up to the 99th percentile; the last bar, marked, has all that is above.${found.logarithmic ? " Each bar is wider than the one before by the same factor." : ""}` : "",
    columns(bars, `Histogram of ${plural(bars.length, "bar")}`, { xLabel: found.field }),
    () => table("Documents by value", [{ name: "value", of: (it) => it.label }, { name: "documents", of: (it) => count(it.value), number: true }], bars));
}

function numbers(found) {
  const { stats, percentiles } = found;
  const rows = [["least", stats.min], ...Object.entries(percentiles.values).sort(([a], [b]) => a - b).map(([percent_, value]) => [`${Number(percent_)} of 100 are at most`, value]), ["greatest", stats.max], ["mean", stats.avg]];
  return table(`Percentiles of ${found.field}`, [
    { name: "", of: ([name]) => name }, { name: "value", of: ([, value]) => short(value), number: true },
  ], rows);
}
