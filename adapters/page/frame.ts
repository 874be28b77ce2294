/**
 * What every status page has in common: the document around its body, the policy that belongs to
 * it, and the part of its script that asks the server.
 *
 * Rule 1: no request leaves for anywhere but this server, and the policy says so: style and script
 * are allowed by the hash of their text.
 * Not known here: what a page shows.
 * @module
 */
import { createHash } from "node:crypto";

export type Page = {
  /** The whole document. */
  readonly html: string;
  /** The value of the `Content-Security-Policy` header that belongs to `html`. */
  readonly csp: string;
};

/** All of it is trusted text and stands in the document as it is. */
export type Parts = {
  readonly title: string;
  readonly body: string;
  readonly style: string;
  /**
   * Draws the page: has `draw(status, ready)` and `lost()`, called when there is no answer, and
   * may use what stands in `start` below.
   */
  readonly script: string;
  /** What is asked at each poll, in the order in which `draw` takes it. Both, by default. */
  readonly asks?: readonly string[];
};

// It is text, not a compiled function: what the browser runs must be byte for byte what the
// policy's hash covers.
const start = String.raw`"use strict";
const pollMs = 1000;
const answerMsMax = 5000;
let paused = false;
const byId = (id) => document.getElementById(id);
const number = new Intl.NumberFormat("en");

function put(id, text) {
  const node = byId(id);
  if (node.textContent !== text) node.textContent = text;
}

function state(text, kind) {
  put("state", text);
  byId("state").className = "badge " + kind;
}

function show(value) {
  if (typeof value === "number") return number.format(value);
  return value === undefined || value === null ? "\u2013" : String(value);
}

function bytes(count) {
  if (count < 1024) return count + " B";
  const units = ["KiB", "MiB", "GiB"];
  let value = count / 1024;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) { value /= 1024; unit += 1; }
  return value.toFixed(1) + " " + units[unit];
}
`;

const end = String.raw`
async function ask(path) {
  const answer = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(answerMsMax) });
  return answer.json();
}

async function poll() {
  try {
    if (!paused) draw(...await Promise.all(asks.map(ask)));
  } catch {
    state("not reachable", "bad");
    lost();
  }
  setTimeout(poll, pollMs);
}

function pause() {
  paused = !paused;
  byId("pause").setAttribute("aria-pressed", String(paused));
  put("pause", paused ? "Resume (p)" : "Pause (p)");
}

byId("pause").addEventListener("click", pause);
document.addEventListener("keydown", (event) => {
  if (event.key === "p" && !event.ctrlKey && !event.metaKey && !event.altKey) pause();
});
poll();
`;

const both: readonly string[] = ["/status", "/readyz"];

/** The document of these parts, and its policy. */
export function framed({ title, body, style, script: own, asks = both }: Parts): Page {
  const script = `${start}const asks = ${JSON.stringify(asks)};\n${own}${end}`;
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>${body}
<script>${script}</script>
</body>
</html>
`;
  const csp = [
    "default-src 'none'",
    `style-src '${hashOf(style)}'`,
    `script-src '${hashOf(script)}'`,
    "connect-src 'self'",
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
  return { html, csp };
}

function hashOf(text: string): string {
  return `sha256-${createHash("sha256").update(text, "utf8").digest("base64")}`;
}
