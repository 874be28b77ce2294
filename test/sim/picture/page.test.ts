import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import test from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { htmlOf, type PageData } from "../../../sim/picture/page.ts";
import * as make from "../../support/recording.ts";

const { recording, states } = make.lostWelcome();
const data: PageData = {
  runs: [{ name: "failing", label: "minimal scenario", recording, states }], why: ["because"],
  replay: "dogwatch sim replay x.json",
};

function hash(text: string): string {
  return `sha256-${createHash("sha256").update(text, "utf8").digest("base64")}`;
}

function page(script = "void 0;", given = data, packed?: string): string {
  const pack = (text: string): string => gzipSync(text).toString("base64");
  return htmlOf({ data: given, packed, recording, script, pack, hash });
}

/** The viewer's script as a browser gets it. */
function viewerOf(html: string): string {
  const block = between(html, `<script type="application/gzip" id="viewer">`, "</script>");
  return gunzipSync(Buffer.from(block, "base64")).toString();
}

/** What stands between two marks, once. */
function between(html: string, from: string, to: string): string {
  const parts = html.split(from);
  assert.equal(parts.length, 2, `${from} stands there once`);
  const part = parts[1] as string;
  return part.slice(0, part.indexOf(to));
}

test("picture: page: the policy allows the style and the scripts that are there", () => {
  const html = page("console.log(1);");
  const policy = between(html, `http-equiv="Content-Security-Policy" content="`, `"`);
  const scripts = [between(html, "<script>", "</script>"), viewerOf(html)];
  assert.equal(policy, [
    "default-src 'none'", `script-src ${scripts.map((one) => `'${hash(one)}'`).join(" ")}`,
    `style-src '${hash(between(html, "<style>", "</style>"))}'`, "img-src data:", "base-uri 'none'",
    "form-action 'none'",
  ].join("; "));
});

test("picture: page: the policy stands before anything that it rules", () => {
  const html = page();
  const at = html.indexOf("Content-Security-Policy");
  for (const mark of ["<style>", "<script", "<link", "<body"]) assert.ok(at < html.indexOf(mark));
});

test("picture: page: nothing in it names a place outside", () => {
  const html = page().replace("http://www.w3.org/2000/svg", "");
  assert.doesNotMatch(html, /https?:\/\/|\bsrc=|@import|url\((?!#)|\bon[a-z]+=/);
});

test("picture: page: data stay data, whatever a run is called", () => {
  const evil = `</script><script>alert(1)</script><!--\u2028`;
  const runs = [{ ...(data.runs[0] as (typeof data.runs)[number]), label: evil }];
  const html = page("void 0;", { ...data, runs });
  const block = between(html, `id="data">`, "</script>");
  assert.equal((JSON.parse(block) as PageData).runs[0]?.label, evil);
  assert.doesNotMatch(block, /[<\u2028]/);
});

test("picture: page: a script that speaks of script tags is not cut short", () => {
  const script = `const a = "</script>"; const b = "<!-- ";`;
  const html = page(script);
  assert.equal(viewerOf(html), script);
  assert.doesNotMatch(html, /const a/);
});

test("picture: page: packed data are told apart", () => {
  const html = page("void 0;", data, "H4sIAAAA");
  assert.ok(html.includes(`<script type="application/gzip" id="data">H4sIAAAA</script>`));
  assert.ok(!html.includes("application/json"));
});

test("picture: page: the script that unpacks speaks of no markup", () => {
  assert.doesNotMatch(between(page(), "<script>", "</script>"), /<\/|<!--/);
});

test("picture: page: without a script there is a title, a picture and its size is modest", () => {
  const html = page();
  const rest = between(html, "<noscript>", "</noscript>");
  assert.match(rest, /<svg /);
  assert.doesNotMatch(rest, /<style>/);
  assert.match(html, /<h1>✗ L1 at maker1, 293:40.040: maker1 is not usable/);
  assert.ok(html.length < 400_000, `${html.length}`);
});
