import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isBody } from "../../../core/history/record.ts";
import * as letters from "../../../core/notify/letter.ts";
import type { Record } from "../../../core/notify/letter.ts";
import { kinds, natures, priorities } from "../../../core/notify/notice.ts";
import { bodyMax, defaults, titleMax } from "../../../core/notify/text.ts";
import { mono } from "../../../core/time.ts";
import { letter, samples } from "../../support/notices.ts";

const text = fc.string({ unit: "grapheme", maxLength: 100 });
const id = fc.integer({ min: 0, max: 999_999_999_999_999 });
const record: fc.Arbitrary<Record> = fc.oneof(
  fc.record({
    type: fc.constant("notice" as const), id, at: id, kind: fc.constantFrom(...kinds),
    nature: fc.constantFrom(...natures), subject: text, state: text,
    priority: fc.constantFrom(...priorities), title: text, body: text,
    to: fc.array(text, { maxLength: 5 }),
  }),
  fc.record({ type: fc.constant("notice-sent" as const), id, to: text }),
  fc.record({
    type: fc.constant("notice-lost" as const), id, to: text,
    why: fc.constantFrom(...letters.losses),
  }),
  fc.constant({ type: "notice-run" as const }),
);

test("notify: letter: records are read as they were written, and may stand in a journal", () => {
  fc.assert(fc.property(record, (r) => {
    const body = letters.encode(r);
    assert.ok(isBody(body));
    assert.ok(letters.owns(body));
    assert.deepEqual(letters.decode(body), { ok: true, value: { ...r } });
  }));
});

test("notify: letter: no text makes reading a record fail, and damage is a fault", () => {
  fc.assert(fc.property(record, fc.nat(), text, (r, at, junk) => {
    const body = letters.encode(r);
    const cut = at % body.length;
    letters.decode(body.slice(0, cut) + junk + body.slice(cut));
    assert.equal(letters.decode(body.slice(0, cut)).ok, false);
  }));
});

test("notify: letter: records with missing, doubled or impossible fields are refused", () => {
  const good = letters.encode(letters.recordOf(letter({ id: 5 }), ["a"]));
  assert.ok(letters.decode(good).ok);
  const fields = ["id", "at", "kind", "nature", "subject", "state", "priority", "title", "body",
    "to"];
  for (const name of fields) {
    assert.ok(!letters.decode(good.replace(`"${name}":`, `"x${name}":`)).ok, name);
  }
  for (const [from, to] of [
    [`"id":5`, `"id":5,"id":6`], [`"id":5`, `"id":-5`], [`"id":5`, `"id":5.0`],
    [`"id":5`, `"id":1234567890123456`], [`"normal"`, `"loud"`], [`"each"`, `"never"`],
    [`["a"]`, `["a",5]`], [`["a"]`, `[${Array(65).fill(`"a"`).join(",")}]`],
    [`"kind":"test"`, `"kind":"A b"`], [`"Body"`, `"${"x".repeat(8_193)}"`],
    [`"type":"notice"`, `"type":"notice-other"`],
  ] as const) {
    assert.ok(!letters.decode(good.replace(from, to)).ok, to.slice(0, 40));
  }
  assert.ok(!letters.decode(`{"type":"notice-sent","id":1}`).ok);
  assert.ok(!letters.decode(`{"type":"notice-lost","id":1,"to":"a","why":"fate"}`).ok);
  assert.ok(!letters.owns(`{"type":"tx","id":1}`));
});

test("notify: letter: the largest letter fits the journal's largest body many times over", () => {
  const wide = "\u00fc";
  const l = letter({
    title: wide.repeat(titleMax * 2), body: wide.repeat(bodyMax), subject: wide.repeat(200),
    state: wide.repeat(100),
  });
  const to = Array.from({ length: 16 }, (_, i) => `${i}`.padEnd(64, "x"));
  assert.ok(letters.encode(letters.recordOf(l, to)).length < 20_000);
});

test("notify: letter: a notice becomes a letter with the label before its title", () => {
  for (const kind of kinds) {
    const l = letters.letterOf(samples[kind], "Home", defaults, 17, mono(3));
    assert.match(l.title, /^Home: /);
    assert.deepEqual([l.kind, l.unixMs, l.toldAt, l.id, l.isRecorded], [kind, 17, 3, 0, false]);
  }
  assert.equal(letters.letterOf(samples.test, "", defaults, 17, mono(3)).title, "Test");
});

test("notify: letter: a late, old or unrecorded letter says so", () => {
  const stamp = /This happened at 2025-11-22 02:53:20 UTC\./;
  const fresh = letters.messageOf(letter(), mono(99), 100);
  assert.equal(fresh.body, "Body");
  assert.match(letters.messageOf(letter(), mono(100), 100).body, stamp);
  assert.match(letters.messageOf(letter({ isOld: true }), mono(0), 100).body, stamp);
  const loose = letters.messageOf(letter({ isRecorded: false }), mono(0), 100);
  assert.match(loose.body, /without a record/);
  assert.equal(loose.isRecorded, false);
  assert.doesNotMatch(letters.messageOf(letter({ body: "", isOld: true }), mono(0), 9).body, /^\n/);
});
