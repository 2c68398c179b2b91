// A field of vectors: recall, codes, graph, neighbors, a picture of a sample.

import { ask, isReport } from "./ask.js";
import { facts, h, later, section, table, to } from "./dom.js";
import { columns, drawn, figure, legend, scatter } from "./charts.js";
import { effort } from "./segments.js";
import { count, percent, plural, short } from "./units.js";

/** Segments that have a color of their own; of more only the extremes are drawn. */
const COLORS = 6;

/** What a graph finds with the fewest candidates, if it has links enough. */
const FINDS = 0.5;

export async function vectors(index, parts) {
  const field = parts.get("field");
  const found = await ask("vectors", { field });
  const segments = found.segments;
  const title = h("h1", null, field);
  const all = segments.reduce((sum, it) => sum + it.report.vectors, 0);
  const head = facts([
    ["Vectors", count(all)], ["Dimension", count(found.dimension)], ["Similarity", found.similarity],
    ["Format", [...new Set(segments.map((it) => it.report.format))].join(", ")],
    ["Segments", count(segments.length)],
  ]);
  if (all === 0) return [title, head, h("p", null, "No document has a vector in this field.")];
  return [
    title, head,
    section("Why recall is what it is", reasons(index, found), recall(found)),
    section("Codes and graph", later(ask("figures", { field }), (it) => codes(segments, it.segments), "Reading a sample of codes …")),
    section("Distances to neighbors", later(ask("distances", { field }), neighbors, "Searching for neighbors of a sample …")),
    section("A sample of the vectors", later(ask("projection", { field }), projection, "Projecting a sample …")),
  ];
}

const curveOf = (segment) => segment.report.recall?.[0];

/** For each segment what costs recall, in words. */
function reasons(index, { field, segments, asked }) {
  const worst = ({ report }) => Math.min(
    report.code_quality?.recall ?? 1,
    1 - (report.graph?.self_search ? report.graph.self_search.missed / Math.max(1, report.graph.self_search.searched) : 0),
    Math.max(0, ...(report.recall?.[0]?.points ?? [{ recall: 1 }]).map((it) => it.recall)));
  const rows = [...segments].sort((a, b) => worst(a) - worst(b)).slice(0, 40);
  return [
    h("p", { class: "note" }, `A search loses neighbors in two places: codes order vectors a little differently than the vectors themselves, and a graph search does not look at all of them. More candidates mend the second, rescoring with raw vectors the first. Searches of this field ask for a recall of ${asked} unless they say otherwise, and each segment keeps as many candidates as its own curve says.`),
    table("What each segment has measured of itself, the worst first", [
      { name: "segment", of: (it) => (isReport ? it.segment : h("a", { href: to("segment", { name: it.segment }) }, it.segment)) },
      { name: "vectors", of: (it) => count(it.report.vectors), number: true },
      { name: "found by codes alone", number: true, of: (it) => percent(it.report.code_quality?.recall), title: "of the true nearest 10, when all codes are compared" },
      { name: "not found by the graph", number: true, of: (it) => missed(it) , title: "stored vectors that a search for themselves has missed" },
      { name: "in words", of: (it) => inWords(it, asked) },
    ], rows, { wide: true }),
    h("p", { class: "note" }, "Measured with vectors of the segment itself. With queries of your own: ",
      h("code", null, `lucerne eval ${index.dir} --field ${field} --queries FILE`), ", and ", h("code", null, "lucerne calibrate"), " keeps what they take."),
  ];
}

function missed(segment) {
  const searches = segment.report.graph?.self_search;
  return searches ? `${count(searches.missed)} of ${count(searches.searched)}` : "–";
}

function inWords(segment, wanted) {
  const { report } = segment;
  const words = [];
  if (report.code_quality === undefined) words.push("Searches compare vectors as they are: codes cost nothing.");
  else if (report.code_quality.recall >= 0.99) words.push("Codes cost next to nothing.");
  else if (report.code_quality.recall >= 0.95) words.push(`Codes cost ${percent(1 - report.code_quality.recall)}.`);
  else words.push(`Codes cost ${percent(1 - report.code_quality.recall)}: rescore, or use no quantization.`);
  if (report.rescored > 0) words.push(`Each search rescores ${report.rescored} raw vectors for it.`);
  const searches = report.graph?.self_search;
  const share = searches ? searches.missed / Math.max(1, searches.searched) : 0;
  if (share > 0.01) words.push(`The graph misses ${percent(share)} of its own vectors: it has too few links, a larger m or beam_width gives it more.`);
  const curve = curveOf(segment);
  if (curve) {
    const least = curve.points[0];
    if (least.recall < FINDS) words.push(`With ${plural(least.candidates, "candidate")} the graph finds no more than ${short(least.recall)}: it has few links (m ${report.m}, beam_width ${report.beam_width}); with more of them it finds more for the same work.`);
    const search = report.searches?.find((it) => it.recall === wanted);
    const [before, last] = curve.points.slice(-2);
    // The last point is where searches leave the graph.
    if (last && last.candidates === before.candidates + 1 && before.recall < wanted) words.push(`The graph finds ${short(before.recall)} at most: searches for ${wanted} compare all codes instead, as all do from ${count(last.candidates)} candidates on.`);
    else if (curve.points.some((it) => it.recall >= wanted)) words.push(search ? `A graph search reaches ${wanted} with ${effort(search)} candidates${search.rescored ? " (+ rescored)" : ""}.` : `A graph search reaches ${wanted}.`);
    else words.push(`A graph search has not reached ${wanted} with up to ${count(curve.points.at(-1)?.candidates)} candidates; the best was ${short(Math.max(...curve.points.map((it) => it.recall)))}.`);
  } else if (typeof report.graph === "string") words.push(`Graph: ${report.graph}, all codes are compared.`);
  return words.join(" ");
}

/** Recall against effort, as each segment has measured it. */
function recall({ segments, picture }) {
  const own = segments.filter(curveOf);
  if (!picture) return h("p", { class: "note" }, "No segment has a graph: searches compare all vectors, and no curve was measured.");
  return figure("Recall against effort",
    `Dots: searches for 10, measured with ${count(curveOf(own[0]).queries)} queries when a segment was written. Between them searches follow the lines. Dashed: rescored with raw vectors.${own.length > COLORS ? ` Of ${own.length} segments the lowest, the middle and the highest curve.` : ""}`,
    drawn(picture),
    () => table("Recall by candidates, as measured", [
      { name: "segment", of: (it) => it.segment },
      { name: "candidates", of: (it) => count(it.candidates), number: true },
      { name: "recall", of: (it) => short(it.recall), number: true },
      { name: "rescored", of: (it) => short(it.rescored), number: true },
    ], own.flatMap((it) => curveOf(it).points.map((point) => ({ segment: it.segment, ...point })))));
}

/** What codes look like between the quantiles, and how many links nodes have. */
function codes(segments, figures) {
  const report = (name) => segments.find((it) => it.segment === name)?.report;
  const largest = [...figures].sort((a, b) => (report(b.segment)?.vectors ?? 0) - (report(a.segment)?.vectors ?? 0));
  const coded = largest.filter((it) => it.figures?.codes);
  const place = h("div", null);
  const choose = (list, show) => {
    if (list.length < 2) return null;
    const options = list.slice(0, 200).map((it) => h("option", { value: it.segment }, it.segment));
    return h("p", null, h("label", { for: "code-segment" }, "Segment "),
      h("select", { id: "code-segment", onchange: (event) => show(list.find((it) => it.segment === event.target.value)) }, options));
  };
  const showCodes = (it) => place.replaceChildren(histogram(it, report(it.segment)));
  if (coded.length) showCodes(coded[0]);
  const errors = largest.filter((it) => it.figures?.code_error);
  const degrees = [];
  for (const it of figures) (it.figures?.degrees ?? []).forEach((value, at) => { degrees[at] = (degrees[at] ?? 0) + value; });
  return [
    coded.length > 0 && [choose(coded, showCodes), place],
    errors.length > 0 && table("How far codes are from the vectors, in lengths of the vector", [
      { name: "segment", of: (it) => it.segment },
      { name: "sampled", of: (it) => count(it.figures.sampled), number: true },
      { name: "median", of: (it) => percent(it.figures.code_error.median), number: true },
      { name: "99 of 100", of: (it) => percent(it.figures.code_error.p99), number: true },
      { name: "worst", of: (it) => percent(it.figures.code_error.worst), number: true },
    ], errors.slice(0, 40)),
    degrees.length > 0 && figure("Links of graph nodes",
      "Nodes of the lowest level by their number of links, of a sample. Nodes with very few links are hard to reach.",
      columns(degrees.map((value, at) => ({ label: plural(at, "link"), short: String(at), value })), `Nodes by links, 0 to ${degrees.length - 1}`, { xLabel: "links of a node" }),
      () => table("Nodes by links", [{ name: "links", of: (it) => it.at }, { name: "nodes", of: (it) => count(it.value), number: true }],
        degrees.map((value, at) => ({ at, value })).filter((it) => it.value > 0))),
    coded.length === 0 && degrees.length === 0 && h("p", null, "Vectors are compared as they are: there are no codes and no graph to show."),
  ];
}

function histogram(segment, report) {
  const counts = segment.figures.codes;
  const all = counts.reduce((sum, it) => sum + it, 0) || 1;
  const clipped = (counts[0] + counts[255]) / all;
  const [low, high] = Array.isArray(report?.quantiles) ? report.quantiles : [0, 255];
  const value = (code) => low + ((high - low) * code) / 255;
  // Four codes to a bar; the first and the last code stand alone, being what is clipped.
  const bars = [{ label: `code 0: at or below ${short(low)}`, value: counts[0], strong: true }];
  for (let at = 1; at < 255; at += 4) {
    const sum = counts.slice(at, Math.min(255, at + 4)).reduce((total, it) => total + it, 0);
    bars.push({ label: `${short(value(at))} to ${short(value(Math.min(254, at + 3)))}`, value: sum });
  }
  bars.push({ label: `code 255: at or above ${short(high)}`, value: counts[255], strong: true });
  return figure(`Components between the quantiles of ${segment.segment}`,
    `${percent(clipped)} of the components have the first or the last code, marked: they are at a quantile, or beyond it and clipped. ${plural(segment.figures.sampled, "vector")} sampled.`,
    columns(bars, `Histogram of components between ${short(low)} and ${short(high)}; ${percent(clipped)} at the ends`, { xLabel: "component, as codes have it", from: low, to: high }),
    () => table("Components by code", [
      { name: "range", of: (it) => it.label }, { name: "components", of: (it) => count(it.value), number: true },
      { name: "share", of: (it) => percent(it.value / all), number: true },
    ], bars));
}

function neighbors(found) {
  const own = found.ranks.filter((it) => it.distances.length > 0);
  if (own.length === 0) return h("p", null, "There are no neighbors to measure.");
  const at = (list, share) => list[Math.min(list.length - 1, Math.floor(list.length * share))];
  const name = (rank) => `neighbor ${rank}`;
  return figure("Distances to the 1st, 10th and 100th neighbor",
    `Exact distances of ${plural(found.searched, "stored vector")}. Where the curves lie close together, neighbors are hard to tell apart and recall costs more.`,
    drawn(found.picture),
    () => table("Distances", [
      { name: "", of: (it) => name(it.rank) },
      { name: "least", of: (it) => short(it.distances[0]), number: true },
      { name: "median", of: (it) => short(at(it.distances, 0.5)), number: true },
      { name: "greatest", of: (it) => short(it.distances.at(-1)), number: true },
    ], own));
}

function projection(found) {
  if (found.points.length < 3) return h("p", null, "There are too few vectors for a picture.");
  const names = [...new Set(found.points.map((it) => it.segment))];
  const kind = (segment) => (names.length <= COLORS ? names.indexOf(segment) : 0);
  const [first, second] = found.shares;
  return figure(`${plural(found.points.length, "vector")} in two dimensions`,
    `The plane in which they differ most (principal components): it shows ${percent(first)} and ${percent(second)} of their variance. ${first + second < 0.3 ? "Most of what tells them apart is not in this picture." : ""} ${isReport ? "" : "A point leads to its document."}`,
    [names.length > 1 && names.length <= COLORS && legend(names.map((name, at) => ({ name, kind: at }))),
      scatter(found.points.map((it) => ({ ...it, name: `${it.key} (${it.segment})`, kind: kind(it.segment), href: isReport ? null : to("document", { key: it.key }) })),
        `${found.points.length} vectors on their first two principal components`)]);
}

