import assert from "node:assert/strict";
import { test } from "node:test";
import * as words from "../../../core/ark/words.ts";
import { reasons } from "../../../core/ark/wallet.ts";
import { transitions } from "../../../core/history/journal.ts";

test("ark: words: every phase of the journal, and what kept it from its work", () => {
  const phases = new Set(transitions.map(({ to }) => to));
  for (const phase of phases) assert.match(words.diskWork(phase), /^[a-z ]{10,40}$/);
  assert.equal(words.diskTrouble("syncing", "full"), "no room is left while records are made safe");
  assert.match(words.diskTrouble("loading", "io"), /^the disk failed/);
});

test("ark: words: each kind of evidence says something else, in words of people", () => {
  const all = [
    ...reasons, "none", "answered", "stream-open", "stream-ended", "probe-failed", "aged",
  ] as const;
  const texts = all.map(words.evidence);
  assert.equal(new Set(texts).size, all.length);
  for (const text of texts) assert.match(text, /^[a-z ]{8,60}$/);
  assert.equal(words.evidence("stream-news"), words.evidence("stream-open"));
});

test("ark: words: how a program ended: by itself, by a signal, or never begun", () => {
  const none = { code: undefined, signal: "", failure: undefined };
  assert.equal(words.exit({ ...none, code: 3 }), "exit code 3");
  assert.equal(words.exit({ ...none, signal: "SIGKILL" }), "ended by SIGKILL");
  const texts = (["missing", "denied", "scarce", "other"] as const).map((failure) => (
    words.exit({ ...none, failure })
  ));
  assert.equal(new Set(texts).size, 4);
});
