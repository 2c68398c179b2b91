// The frame of the page: which view is shown, and whether there is something new to see.

import { ask, isReport } from "./ask.js";
import { h, link, problem } from "./dom.js";
import { ago, bytes, count, plural } from "./units.js";
import { overview } from "./overview.js";
import { segments, segment } from "./segments.js";

/** The views; those that nobody begins with are loaded when they are asked for. */
const VIEWS = {
  overview, segments, segment,
  vectors: async (...asked) => (await import("./vectors.js")).vectors(...asked),
  values: async (...asked) => (await import("./values.js")).values(...asked),
  document: async (...asked) => (await import("./document.js")).documentView(...asked),
  search: async (...asked) => (await import("./search.js")).search(...asked),
};
const TABS = [["overview", "Overview"], ["segments", "Segments"], ["document", "Document"], ["search", "Search"]];
/** How often it is looked for a new commit. */
const EVERY_MS = 1500;

const main = document.getElementById("main");
const live = document.getElementById("live");
const writing = document.getElementById("writing");
let shown = { place: null, generation: null, failed: false };

/** What the address asks for. */
function place() {
  const parts = new URLSearchParams(location.hash.slice(1));
  return { view: VIEWS[parts.get("view")] ? parts.get("view") : "overview", parts };
}

function tabs(view) {
  const current = { segment: "segments", vectors: "overview", values: "overview" }[view] ?? view;
  const own = TABS.filter(([name]) => !isReport || name === "overview" || name === "segments");
  document.getElementById("views").replaceChildren(...own.map(([name, title]) => {
    const tab = link(title, name);
    if (name === current) tab.setAttribute("aria-current", "page");
    return tab;
  }));
}

function showLive(index) {
  live.replaceChildren(`generation ${count(index.generation)}, ${plural(index.docs, "document")}, ` +
    (isReport ? `a report, made ${ago(Number(document.getElementById("embedded").dataset.made))}` : "live"));
}

/** What somebody writes now, as far as files tell. Not announced: it changes all the time. */
function showWriting(underWay) {
  const all = underWay.map((it) => `${it.segment} (${bytes(it.bytes)}, last written ${plural(it.seconds, "second")} ago)`).join(", ");
  writing.hidden = all === "";
  writing.replaceChildren(`Being written, by a flush or merge that no commit names yet: ${all}`);
}

/** Shows the view of the address. With `again`, the same view of a newer commit, where the reader is. */
async function show({ again = false } = {}) {
  const { view, parts } = place();
  const hash = location.hash;
  tabs(view);
  try {
    const index = await ask("overview");
    const content = await VIEWS[view](index, parts);
    if (location.hash !== hash) return;
    const [top, focused] = [scrollY, again ? document.activeElement?.id : null];
    main.replaceChildren(...[content].flat(Infinity).filter(Boolean));
    document.title = `${main.querySelector("h1")?.textContent ?? "Lucerne"} – Lucerne`;
    document.getElementById("brand").title = index.dir;
    showLive(index);
    if (again) {
      scrollTo(0, top);
      if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
    } else if (shown.place !== null) {
      scrollTo(0, 0);
      main.focus({ preventScroll: true });
    }
    main.dataset.shown = hash;
    shown = { place: hash, generation: index.generation, failed: false };
  } catch (error) {
    if (!("hint" in error)) console.error(error);
    main.replaceChildren(h("h1", null, "The index cannot be read"), problem(error), again ? null : damage());
    live.replaceChildren("no index");
    main.dataset.shown = hash;
    shown = { place: hash, generation: null, failed: true };
  }
}

/** What to do about an index that does not open. */
function damage() {
  return h("p", null, "Nothing was changed. ", h("code", null, "lucerne check"), " lists what is damaged, and ",
    h("code", null, "lucerne check --repair --dry-run"), " what a repair would save. The page looks again by itself.");
}

/** Follows the index: a cheap question that tells whether there is a newer commit. */
async function follow() {
  try {
    if (!document.hidden) {
      const state = await ask("state");
      showWriting(state.under_way);
      const newer = shown.failed || (shown.generation !== null && state.generation !== shown.generation);
      // Nobody wants a form to be emptied while they write in it.
      if (newer && place().view !== "search" && place().view !== "document") await show({ again: true });
      else if (newer) showLive(state);
    }
  } catch (error) {
    live.replaceChildren(error.message);
    if (!shown.failed && error.hint !== undefined && shown.generation !== null) live.append(" What is shown is older.");
  }
  setTimeout(follow, EVERY_MS);
}

document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
addEventListener("hashchange", () => show());
await show();
if (!isReport) setTimeout(follow, EVERY_MS);
