// Elements. Text is always a text node, so that what a document holds is never markup.

/** An element with attributes, listeners (`onclick`, …) and children; `null` and `false` are left out. */
export function h(name, attributes, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/** The same of SVG. */
export function svg(name, attributes, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  const shown = children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
  element.append(...shown.map((child) => (child instanceof Node ? child : visible(String(child)))));
  return element;
}

/** A text with control characters shown as the pictures of them; lines and tabs stay. */
export function visible(text) {
  return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, (char) =>
    String.fromCharCode(0x2400 + char.charCodeAt(0)),
  ).replace(/[\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, "\ufffd");
}

/** Rows that are there at once, more than a table shows without scrolling; others follow in batches when nothing else is to be done. */
const FIRST_ROWS = 24;
const BATCH = 80;

/** A table with a caption. A column is `{ name, of: row => cell, number: true, title }`. */
export function table(caption, columns, rows, { foot = null, wide = false } = {}) {
  const cell = (column, content, tag = "td") =>
    h(tag, { class: column.number ? "number" : null, scope: tag === "th" ? "row" : null }, content);
  const line = (row) => h("tr", null, columns.map((column, at) => cell(column, column.of(row), at === 0 ? "th" : "td")));
  const heading = (column) =>
    h("th", { scope: "col", class: column.number ? "number" : null, title: column.title }, column.name);
  const body = h("tbody", null, rows.slice(0, FIRST_ROWS).map(line));
  follow(body, rows.slice(FIRST_ROWS), line);
  return h("div", { class: wide ? "scroll wide" : "scroll", tabindex: "0", role: "region", "aria-label": caption },
    h("table", null,
      h("caption", null, caption),
      h("thead", null, h("tr", null, columns.map(heading))),
      body,
      foot && h("tfoot", null, h("tr", null, columns.map((column, at) => cell(column, foot[at] ?? "", at === 0 ? "th" : "td")))),
    ));
}

/** Appends rows in batches, each when the browser is idle; `data-more` says that there are more to come. */
function follow(body, rows, line) {
  if (rows.length === 0) return;
  body.dataset.more = "";
  const next = (at) => whenIdle(() => {
    body.append(...rows.slice(at, at + BATCH).map(line));
    if (at + BATCH < rows.length) next(at + BATCH);
    else delete body.dataset.more;
  });
  requestAnimationFrame(() => next(0));
}

const whenIdle = globalThis.requestIdleCallback ?? ((work) => setTimeout(work, 20));

/** Names with their values. */
export function facts(pairs) {
  return h("dl", { class: "facts" },
    pairs.filter(([, value]) => value !== null && value !== undefined && value !== "").map(([name, value, title]) =>
      h("div", { title }, h("dt", null, name), h("dd", null, value))));
}

/** A section with a heading. */
export function section(title, ...children) {
  return h("section", { "aria-label": title }, h("h2", null, title), children);
}

/** Folded content; a function makes it when it is opened. */
export function folded(summary, ...children) {
  const details = h("details", null, h("summary", null, summary), children.filter((child) => typeof child !== "function"));
  for (const make of children.filter((child) => typeof child === "function")) {
    details.addEventListener("toggle", () => details.append(make()), { once: true });
  }
  return details;
}

/** The error of a view, as the command line would say it. */
export function problem(error) {
  return h("div", { class: "problem", role: "alert" },
    h("p", null, error.message),
    error.hint && h("p", { class: "hint" }, `hint: ${error.hint}`));
}

/** A place whose content comes later; the rest of the view does not wait for it. */
export function later(promise, show, wait = "Computing …") {
  const place = h("div", { "aria-busy": "true" }, h("p", { class: "wait" }, wait));
  promise.then(show).catch((error) => {
    if (!("hint" in error)) console.error(error);
    return problem(error);
  }).then((shown) => {
    place.replaceChildren(...[shown].flat(Infinity).filter(Boolean));
    place.removeAttribute("aria-busy");
  });
  return place;
}

/** An address within the page. */
export function to(view, parts = {}) {
  return `#${new URLSearchParams({ view, ...parts })}`;
}

/** A link within the page. */
export function link(text, view, parts) {
  return h("a", { href: to(view, parts) }, text);
}
