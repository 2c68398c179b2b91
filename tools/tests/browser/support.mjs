// Indexes, servers and a browser for the tests of the page.
//
// LUCERNE is the program (default: the debug build), CHROMIUM the browser, REPOSITORY where the sample is (default: around
// this file), SCREENSHOTS a folder to keep pictures in.

import { chromium } from "playwright-core";
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const repository = process.env.REPOSITORY ?? resolve(dirname(fileURLToPath(import.meta.url)), "../../..");
const program = process.env.LUCERNE ?? join(repository, "target/debug/lucerne");
const places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const executablePath = process.env.CHROMIUM ?? places.find((place) => existsSync(place));

export const folder = mkdtempSync(join(tmpdir(), "lucerne-page-"));
const servers = [];
let browser = null;

/** Runs a command of the program; an exit code other than 0 is an error. */
export function run(...words) {
  return execFileSync(program, words.map(String), { encoding: "utf8", cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
}

/** Starts a command; `over` is a promise of its exit code. */
export function start(...words) {
  const child = spawn(program, words.map(String), { cwd: folder, stdio: "ignore" });
  return { child, over: new Promise((end) => child.on("exit", end)) };
}

/** An index of the sample's first documents. */
export function sample(name, documents, ...more) {
  const data = join(repository, "examples/data");
  run("create", name, "--schema", join(data, "schema.json"));
  if (documents > 0) {
    run("import", name, join(data, "packages.jsonl"), "--vectors", `embedding=${join(data, "packages.f16.npy")}`,
      "--limit", documents, "--threads", 1, ...more);
  }
  return join(folder, name);
}

/** The address of a page of an index. */
export async function serve(dir) {
  const server = spawn(program, ["web", dir, "--json"], { stdio: ["ignore", "pipe", "ignore"] });
  servers.push(server);
  for await (const line of createInterface({ input: server.stdout })) return JSON.parse(line).url;
  throw new Error(`no server of ${dir}`);
}

/** Opens an address in a window of its own, and lists all that must not happen there. */
export async function open(url, options = {}) {
  browser ??= await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  const context = await browser.newContext({ viewport: { width: 1200, height: 900 }, ...options });
  const page = await context.newPage();
  const wrong = [];
  const expected = options.expected ?? [];
  page.on("console", (message) => {
    const text = message.text();
    if (["error", "warning"].includes(message.type()) && !expected.some((it) => text.includes(it))) wrong.push(text);
  });
  page.on("pageerror", (error) => wrong.push(`${error.stack}`));
  page.on("request", (request) => {
    if (!request.url().startsWith("data:") && new URL(request.url()).origin !== new URL(url).origin) wrong.push(`a request to ${request.url()}`);
  });
  await page.goto(url);
  return { page, wrong, close: () => context.close() };
}

/** Goes to a view and waits until all of it is there. */
export async function go(page, view) {
  await page.evaluate((hash) => { location.hash = hash; }, view);
  await ready(page);
}

/** Waits until a view is there and nothing of it is still computed. */
export async function ready(page) {
  await page.waitForFunction(() => document.getElementById("main").dataset.shown === location.hash && !document.querySelector("[aria-busy], [data-more]"));
}

/** Each picture and table has a name, each control a label, and there is one heading of the first level. */
export async function assertReadable(page) {
  const missing = await page.evaluate(() => {
    const found = [];
    const named = (element) => element.getAttribute("aria-label") || element.closest("tr, figure, section");
    document.querySelectorAll("svg[role=img]").forEach((it) => named(it) || found.push(`svg ${it.outerHTML.slice(0, 80)}`));
    document.querySelectorAll("table").forEach((it) => it.caption?.textContent || found.push("table without a caption"));
    document.querySelectorAll("input, select").forEach((it) => it.labels?.length || found.push(`no label: ${it.outerHTML}`));
    document.querySelectorAll("button, summary, a").forEach((it) => it.textContent.trim() || it.querySelector("title, circle") || found.push(`no name: ${it.outerHTML.slice(0, 80)}`));
    if (document.querySelectorAll("h1").length !== 1) found.push("not one h1");
    if (!document.querySelector("main") || !document.querySelector("nav[aria-label]")) found.push("no landmarks");
    return found;
  });
  assert.deepEqual(missing, []);
}

/** Keeps a picture where SCREENSHOTS says. */
export async function picture(page, name) {
  if (!process.env.SCREENSHOTS) return;
  mkdirSync(process.env.SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(process.env.SCREENSHOTS, `${name}.png`), fullPage: true });
}

/** Ends all that was started. */
export async function end() {
  await browser?.close();
  servers.forEach((server) => server.kill());
  rmSync(folder, { recursive: true, force: true });
}
