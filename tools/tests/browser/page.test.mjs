// The page of `lucerne web` as a reader has it.

import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { assertReadable, end, folder, go, open, picture, ready, run, sample, serve, start } from "./support.mjs";

after(end);

const VIEWS = [
  "view=overview", "view=segments", "view=segment&name=_0", "view=vectors&field=embedding", "view=values&field=description",
  "view=values&field=section", "view=values&field=size", "view=document", "view=search", "view=search&query=*:*&facet=section:5&fields=*",
  "view=search&query=editor&highlight=short&explain=1&total=1", "view=search&knn=embedding&like=gnuhtml2latex&exact=1",
  "view=search&query=html&knn=embedding&like=gnuhtml2latex&hybrid=rrf&filter=size:>1", "view=search&query=editor&why=gnuhtml2latex",
  "view=document&key=gnuhtml2latex", "view=document&key=no+such",
];
/** What Chromium says of an answer that is an error, beside what the page shows. */
const REFUSED = ["Failed to load resource"];

/** Loads views one after the other and looks for what must not happen in any. */
async function visit(url, views, name, options = {}) {
  const { page, wrong, close } = await open(url, options);
  await ready(page);
  for (const [at, view] of views.entries()) {
    await go(page, view);
    await assertReadable(page);
    if (!options.expected) assert.equal(await page.locator("[role=alert]").count(), 0, `${view}: ${await page.locator("main").innerText()}`);
    await picture(page, `${name}-${at}`);
  }
  assert.deepEqual(wrong, []);
  await close();
}

test("every view of the sample is shown, in light and dark, without a console error", async () => {
  const url = await serve(sample("sample.idx", 2400));
  await visit(url, VIEWS, "light", { colorScheme: "light" });
  await visit(url, VIEWS.slice(0, 6), "dark", { colorScheme: "dark" });
});

test("every view of an index of 40 segments is shown, and before and after its merge", async () => {
  const dir = sample("forty.idx", 2400, "--flush-docs", 60, "--no-merge");
  const url = await serve(dir);
  await visit(url, VIEWS, "forty");
  const { page, wrong } = await open(`${url}#view=segments`);
  await ready(page);
  assert.match(await page.locator("h1").innerText(), /^4\d segments$/);
  assert.match(await page.locator("main").innerText(), /4\d become 1/);
  run("force-merge", dir);
  await page.waitForFunction(() => document.querySelector("h1")?.textContent === "1 segment");
  await ready(page);
  assert.match(await page.locator("main").innerText(), /4\d segments/);
  await picture(page, "merged");
  assert.deepEqual(wrong, []);
});

test("every view is shown while segments are being merged, and what is being written", async () => {
  const dir = sample("merging.idx", 2400, "--flush-docs", 60, "--no-merge");
  const before = new Set(readdirSync(dir));
  const { page, wrong } = await open(await serve(dir));
  await ready(page);
  const merge = start("force-merge", dir, "--threads", 1);
  // It stands still in the middle of its work, for as long as the views take.
  while (readdirSync(dir).every((file) => before.has(file) || !/^_\d+\./.test(file)) && merge.child.exitCode === null) await new Promise((next) => setTimeout(next, 1));
  merge.child.kill("SIGSTOP");
  for (const [at, view] of VIEWS.entries()) {
    await go(page, view);
    await assertReadable(page);
    assert.equal(await page.locator("[role=alert]").count(), 0, view);
    await picture(page, `merging-${at}`);
  }
  await page.waitForSelector("#writing:not([hidden])");
  assert.match(await page.locator("#writing").innerText(), /Being written.*_4\d \(.*B, last written/);
  await go(page, "view=segments");
  assert.match(await page.locator("h1").innerText(), /^4\d segments$/);
  merge.child.kill("SIGCONT");
  assert.equal(await merge.over, 0);
  await page.waitForFunction(() => document.querySelector("h1")?.textContent === "1 segment" && document.getElementById("writing").hidden);
  assert.deepEqual(wrong, []);
});

test("an empty index is shown, and its first documents as soon as they are committed", async () => {
  const url = await serve(sample("empty.idx", 0));
  await visit(url, [...VIEWS.slice(0, 2), ...VIEWS.slice(3, 9)], "empty");
  const { page, wrong } = await open(url);
  await ready(page);
  writeFileSync(join(folder, "one.jsonl"), '{"name":"one","short":"first of all"}\n');
  run("import", "empty.idx", "one.jsonl");
  await page.waitForFunction(() => document.getElementById("live").textContent.includes("1 document,"));
  assert.match(await page.locator("main").innerText(), /stored documents/);
  assert.deepEqual(wrong, []);
});

test("a damaged index is named, with what to do", async () => {
  const dir = sample("damaged.idx", 50);
  const commit = join(dir, readdirSync(dir).find((name) => name.startsWith("segments_")));
  const whole = readFileSync(commit);
  const damaged = Buffer.from(whole);
  damaged[Math.floor(damaged.length / 2)] ^= 4;
  writeFileSync(commit, damaged);
  const { page, wrong } = await open(await serve(dir), { expected: REFUSED });
  await ready(page);
  assert.match(await page.locator("main").innerText(), /cannot be read[^]*segments_\d+[^]*lucerne check/);
  await assertReadable(page);
  await picture(page, "damaged");
  writeFileSync(commit, whole);
  await page.waitForFunction(() => document.querySelector("h1")?.textContent === "damaged.idx");
  assert.deepEqual(wrong, []);
});

test("vectors that are damaged are named with their file, instead of pictures of them", async () => {
  const dir = sample("zeros.idx", 300);
  const name = readdirSync(dir).find((file) => file.endsWith(".vec"));
  const whole = readFileSync(join(dir, name));
  writeFileSync(join(dir, name), Buffer.from(whole).fill(0, 4096, whole.length - 4096));
  const { page, wrong } = await open(`${await serve(dir)}#view=vectors&field=embedding`, { expected: REFUSED });
  await ready(page);
  const alerts = await page.locator("[role=alert]").allInnerTexts();
  assert.equal(alerts.length, 3);
  for (const alert of alerts) assert.ok(alert.includes(name) && alert.includes("lucerne check"), alert);
  await picture(page, "zeros");
  await go(page, "view=overview");
  await page.locator("#check").click();
  await ready(page);
  assert.ok((await page.locator("main").innerText()).includes(name));
  assert.deepEqual(wrong, []);
});

test("all rows of a long table are there in the end", async () => {
  const { page, wrong } = await open(`${await serve(sample("rows.idx", 1500, "--flush-docs", 10, "--no-merge"))}#view=segments`);
  await ready(page);
  const segments = Number.parseInt(await page.locator("h1").innerText(), 10);
  assert.ok(segments >= 150, `${segments}`);
  assert.equal(await page.locator("table").first().locator("tbody tr").count(), segments);
  assert.deepEqual(wrong, []);
});

test("what documents hold is text, never markup", async () => {
  const dir = sample("hostile.idx", 0);
  const text = '<img src=x onerror="document.title=1"><script>window.bad=1</script> \u0000\u0007\u001b[31m \u202e &amp; editor';
  const hostile = { name: '<b>k&"\'', short: text, description: text, section: '"><svg onload=window.bad=1>' };
  writeFileSync(join(folder, "hostile.jsonl"), `${JSON.stringify(hostile)}\n`);
  run("import", "hostile.idx", "hostile.jsonl");
  const key = encodeURIComponent(hostile.name);
  const views = [`view=document&key=${key}`, `view=search&query=editor&fields=*&highlight=description&facet=section:5&explain=1`,
    `view=search&query=nothing&why=${key}`, "view=values&field=section", "view=values&field=short", "view=search&query=%3Cimg%20src=x%3E"];
  const url = await serve(dir);
  const { page, wrong } = await open(url, { expected: REFUSED });
  await ready(page);
  for (const view of views) {
    await go(page, view);
    assert.equal(await page.evaluate(() => window.bad ?? document.querySelectorAll("main img, main script, main b > b").length), 0, view);
  }
  await go(page, views[0]);
  assert.match(await page.locator("main").innerText(), /<script>window\.bad=1<\/script>/);
  assert.equal(await page.locator("h1").innerText(), hostile.name);
  await go(page, views[1]);
  assert.deepEqual(await page.locator("mark").allInnerTexts(), ["editor"]);
  assert.deepEqual(wrong, []);
});

test("every field leads to a view of its own, whatever its type", async () => {
  const fields = [
    { name: "bits", type: "binary_vector", dimension: 16 }, { name: "halves", type: "vector", dimension: 2, datatype: "float16" },
    { name: "first", type: "sparse_vector" }, { name: "second", type: "sparse_vector" }, { name: "good", type: "bool" }, { name: "at", type: "date" },
  ];
  writeFileSync(join(folder, "types.json"), JSON.stringify({ key: "id", fields }));
  const lines = Array.from({ length: 40 }, (_, at) => JSON.stringify({
    id: String(at), bits: Array.from({ length: 16 }, (_, bit) => (at >> bit % 6) & 1), halves: [Math.sin(at), Math.cos(at)],
    first: { 1: 1 + at, [at + 2]: 0.5 }, second: { 7: 1 }, good: at % 2 === 0, at: "2026-11-29",
  }));
  writeFileSync(join(folder, "types.jsonl"), `${lines.join("\n")}\n`);
  run("create", "types.idx", "--schema", "types.json");
  run("import", "types.idx", "types.jsonl");
  const url = await serve(join(folder, "types.idx"));
  const { page, wrong } = await open(url);
  await ready(page);
  for (const { name } of fields) {
    await go(page, "view=overview");
    await page.locator("table a", { hasText: name }).first().click();
    await page.waitForFunction((title) => document.querySelector("h1")?.textContent === title, name);
    await ready(page);
    assert.equal(await page.locator("[role=alert]").count(), 0, `${name}: ${await page.locator("main").innerText()}`);
    if (name === "second") assert.doesNotMatch(await page.locator("main").evaluate((main) => main.textContent), /first/);
  }
  assert.deepEqual(wrong, []);
});

test("the page can be used with a keyboard alone", async () => {
  const { page, wrong } = await open(await serve(sample("keyboard.idx", 300)));
  await ready(page);
  const press = async (...keys) => { for (const key of keys) await page.keyboard.press(key); };
  await press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.id), "skip");
  for (let tabs = 0; tabs < 10 && (await page.evaluate(() => document.activeElement.textContent)) !== "Search"; tabs += 1) await press("Tab");
  await press("Enter");
  await page.waitForFunction(() => document.querySelector("h1")?.textContent === "Search");
  assert.equal(await page.evaluate(() => document.activeElement.id), "main");
  await press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.name), "query");
  await page.keyboard.type("library");
  await press("Enter");
  await page.waitForSelector("ol.hits li");
  assert.equal(await page.evaluate(() => document.querySelector("#search-query").value), "library");
  // The address is the search.
  const other = await open(page.url());
  await other.page.waitForSelector("ol.hits li");
  assert.equal(await other.page.locator("ol.hits").innerText(), await page.locator("ol.hits").innerText());
  const first = page.locator("ol.hits h3 a").first();
  const key = await first.innerText();
  await first.focus();
  await press("Enter");
  await page.waitForFunction((name) => document.querySelector("h1")?.textContent === name, key);
  await press("Shift+Tab");
  assert.deepEqual([...wrong, ...other.wrong], []);
});

test("a report is one file that shows the same without a server", async () => {
  sample("report.idx", 900, "--flush-docs", 450, "--no-merge");
  run("inspect", "report.idx", "--html", "report.html");
  const url = pathToFileURL(join(folder, "report.html")).href;
  const { page, wrong } = await open(url);
  await ready(page);
  for (const view of [...VIEWS.slice(0, 2), ...VIEWS.slice(3, 7)]) {
    await go(page, view);
    await assertReadable(page);
    assert.equal(await page.locator("[role=alert]").count(), 0, view);
  }
  assert.match(await page.locator("#live").innerText(), /a report, made/);
  assert.deepEqual(wrong, []);
});
