/**
 * The page of a picture in a real browser: Chromium without a window, spoken to over a pipe.
 *
 * `node .ci/picture.mjs PAGE.html [SCREENSHOTS]` opens the page from the file system, drives it by keyboard, checks
 * what it shows, and that it asks the network for nothing. With a folder it leaves screenshots there to be looked at:
 * light and dark, wide and narrow, two runs side by side. Needs `chromium` (Debian) or the one that CHROMIUM names.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [page, folder] = process.argv.slice(2);
assert.ok(page !== undefined, "name a page");
assert.ok(statSync(page).size < Number(process.env["PAGE_BYTES_MAX"] ?? 1_000_000), "the page is below 1 MB");

const profile = mkdtempSync(path.join(tmpdir(), "dogwatch-chromium-"));
const browser = spawn(process.env["CHROMIUM"] ?? "chromium", [
  "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--remote-debugging-pipe",
  "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic",
  `--user-data-dir=${profile}`, "about:blank",
], { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"], detached: true });
const limit = setTimeout(end, 300_000);

/** Ends the browser with its children, which share its group and may outlive it. */
function end() {
  try {
    process.kill(-browser.pid, "SIGKILL");
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}

/** A child that is still dying may put a file back: what is left of a temporary folder is no failure of the page. */
function clear() {
  try {
    rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  } catch (error) {
    console.error(`left behind: ${profile}: ${error.code}`);
  }
}

let said = "";
let id = 0;
const waiting = new Map();
const heard = [];
browser.stdio[4].on("data", (chunk) => {
  said += chunk;
  for (let end = said.indexOf("\0"); end >= 0; end = said.indexOf("\0")) {
    const message = JSON.parse(said.slice(0, end));
    said = said.slice(end + 1);
    const answer = waiting.get(message.id);
    waiting.delete(message.id);
    if (answer === undefined) heard.push(message);
    else if (message.error === undefined) answer.good(message.result);
    else answer.bad(new Error(`${answer.method}: ${message.error.message}`));
  }
});
browser.on("exit", () => {
  for (const answer of waiting.values()) answer.bad(new Error("the browser is gone"));
});

function ask(method, params = {}, sessionId = undefined) {
  id += 1;
  browser.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
  return new Promise((good, bad) => waiting.set(id, { good, bad, method }));
}

/** One tab with the page; every request it makes is remembered. */
async function open(url, width, height, scheme = "light") {
  const { targetId } = await ask("Target.createTarget", { url: "about:blank" });
  const { sessionId } = await ask("Target.attachToTarget", { targetId, flatten: true });
  const tell = (method, params) => ask(method, params, sessionId);
  for (const domain of ["Page", "Runtime", "Network", "Log"]) await tell(`${domain}.enable`);
  await tell("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: false });
  await tell("Emulation.setEmulatedMedia", {
    features: [{ name: "prefers-color-scheme", value: scheme }, { name: "prefers-reduced-motion", value: "reduce" }],
  });
  await tell("Page.navigate", { url });
  const value = async (expression) => {
    const { result, exceptionDetails } = await tell("Runtime.evaluate", {
      expression, returnByValue: true, awaitPromise: true,
    });
    assert.equal(exceptionDetails, undefined, `${expression}: ${exceptionDetails?.exception?.description}`);
    return result.value;
  };
  const tab = { sessionId, tell, value, targetId };
  await until(tab, "document.querySelector('.pic .lane') !== null", "the picture is drawn");
  return tab;
}

async function until(tab, condition, what) {
  for (let tries = 0; tries < 200; tries += 1) {
    if (await tab.value(condition)) return;
    await tab.value("new Promise((done) => setTimeout(done, 50))");
  }
  assert.fail(`never: ${what}`);
}

async function press(tab, key) {
  for (const type of ["keyDown", "keyUp"]) {
    await tab.tell("Input.dispatchKeyEvent", { type, key, ...(key.length === 1 && type === "keyDown" ? { text: key } : {}) });
  }
}

async function shot(tab, name) {
  if (folder === undefined) return;
  mkdirSync(folder, { recursive: true });
  await tab.value("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
  const { data } = await tab.tell("Page.captureScreenshot", { format: "png" });
  writeFileSync(path.join(folder, `${name}.png`), Buffer.from(data, "base64"));
}

const step = "Number(/step=([0-9]+)/.exec(location.hash)?.[1])";
const stateShown = "document.querySelector('.changes, .tree, aside section .none') !== null "
  + "&& !document.querySelector('aside').textContent.includes('running to this step')";

async function keys(tab) {
  await press(tab, "Home");
  const first = await tab.value(step);
  await press(tab, "ArrowRight");
  const second = await tab.value(step);
  assert.ok(second > first, `→ goes on: ${first} ${second}`);
  await press(tab, "ArrowLeft");
  assert.equal(await tab.value(step), first, "← goes back");
  await press(tab, "PageDown");
  assert.ok(await tab.value(step) > second, "PgDn goes further");
  await press(tab, "End");
  const last = await tab.value(step);
  await press(tab, "k");
  assert.ok(await tab.value(step) < last, "k goes back");
  assert.ok((await tab.value("document.querySelector('[role=status].sr').textContent")).startsWith("step "));
  const before = await tab.value(step);
  const at = "document.querySelector('.pic [data-step] .dot').parentElement";
  await tab.value(`${at}.dispatchEvent(new MouseEvent('click', { bubbles: true }))`);
  assert.notEqual(await tab.value(step), before, "a click goes there");
  await until(tab, stateShown, "the state is there");
  await press(tab, "/");
  assert.equal(await tab.value("document.activeElement.type"), "search");
  await tab.tell("Input.insertText", { text: "handshake" });
  await press(tab, "Enter");
  await until(tab, "/found/.test(document.querySelector('.transport [role=status]').textContent)", "the search answers");
  await press(tab, "Escape");
  await press(tab, "v");
}

async function everyControlHasAName(tab) {
  const nameless = await tab.value(`[...document.querySelectorAll("button, input, select, [tabindex]")].filter((one) =>
    !(one.getAttribute("aria-label") || one.textContent.trim() || one.closest("label")?.textContent.trim()))
    .map((one) => one.outerHTML)`);
  assert.deepEqual(nameless, []);
}

async function fits(tab, width) {
  const wide = await tab.value("document.documentElement.scrollWidth");
  assert.ok(wide <= width, `nothing sticks out at ${width}: ${wide}`);
}

async function main() {
  const url = pathToFileURL(path.resolve(page)).href;
  const tab = await open(url, 1500, 950);
  await until(tab, stateShown, "the state is there");
  await shot(tab, "light");
  await keys(tab);
  await everyControlHasAName(tab);
  await shot(tab, "stepped");
  await tab.value("document.querySelectorAll('input[name=view]')[1].click()");
  await until(tab, "document.querySelector('.tree') !== null", "the whole state is there");
  await shot(tab, "state");
  if (await tab.value("document.getElementById('compare') !== null")) {
    await press(tab, "c");
    await until(tab, "document.querySelectorAll('.panel').length === 2", "two runs side by side");
    await until(tab, "document.querySelectorAll('.parting').length === 2", "both show where they part");
    await tab.value("document.querySelectorAll('input[name=view]')[2].click()");
    await until(tab, stateShown, "the difference is there");
    await shot(tab, "beside");
  }
  for (const [name, width, height, scheme] of [
    ["dark", 1500, 950, "dark"], ["tablet", 820, 1100, "light"], ["narrow", 360, 780, "dark"],
  ]) {
    const other = await open(url, width, height, scheme);
    await until(other, stateShown, "the state is there");
    await shot(other, name);
    await fits(other, width);
    await shot(other, name);
  }
  const asked = heard.filter((m) => m.method === "Network.requestWillBeSent").map((m) => m.params.request.url);
  assert.deepEqual(asked.filter((one) => !one.startsWith("file:") && !one.startsWith("data:")
    && one !== "about:blank"), [], "nothing was asked of the network");
  assert.equal(new Set(asked.filter((one) => one.startsWith("file:")).map((one) => one.split("#")[0])).size, 1);
  const wrong = heard.filter((m) => m.method === "Runtime.exceptionThrown"
    || (m.method === "Log.entryAdded" && m.params.entry.level === "error"));
  assert.deepEqual(wrong.map((m) => JSON.stringify(m.params)), [], "no error in the page");
  console.log(`${page}: ${statSync(page).size} bytes, drawn and stepped through`);
}

try {
  await main();
} finally {
  clearTimeout(limit);
  end();
  await new Promise((done) => browser.exitCode === null && browser.signalCode === null ? browser.once("exit", done) : done());
  clear();
}
