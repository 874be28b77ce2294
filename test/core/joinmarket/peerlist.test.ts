import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as peerlist from "../../../core/joinmarket/peerlist.ts";
import * as model from "../../support/wire-model.ts";

const nick = "J5Ckon1LuuapPSBM";
const onion = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion:5222";

function read(line: string): peerlist.Peerlist {
  const found = peerlist.parse(line);
  assert.ok(found.ok);
  return found.value;
}

test("joinmarket: peerlist: each form of an entry is written and read", () => {
  const forms: [string, peerlist.Entry][] = [
    [peerlist.entry(nick, onion, undefined, false), entry(onion, false, [])],
    [peerlist.entry(nick, onion, [], false), entry(onion, false, [])],
    [peerlist.entry(nick, onion, ["a", "ping"], false), entry(onion, false, ["a", "ping"])],
    [peerlist.entry(nick, onion, undefined, true), entry(onion, true, [])],
    [
      peerlist.entry(nick, "NOT-SERVING-ONION", undefined, true),
      entry("NOT-SERVING-ONION", true, []),
    ],
  ];
  assert.deepEqual(forms.map(([text]) => text), [
    `${nick};${onion}`, `${nick};${onion}`, `${nick};${onion};F:a+ping`, `${nick};${onion};D`,
    `${nick};NOT-SERVING-ONION;D`,
  ]);
  for (const [text, want] of forms) assert.deepEqual(read(text), { entries: [want], malformed: 0 });
});

function entry(location: string, disconnected: boolean, features: string[]): peerlist.Entry {
  return { nick, location, disconnected, features };
}

test("joinmarket: peerlist: a leave notice never carries features, or it would be skipped", () => {
  assert.equal(peerlist.entry(nick, onion, ["ping"], true), `${nick};${onion};D`);
});

test("joinmarket: peerlist: others' notices with features are read", () => {
  const found = read(`${nick};${onion};D;F:ping`);
  assert.deepEqual(found.entries, [entry(onion, true, ["ping"])]);
});

test("joinmarket: peerlist: several entries and several notices share a line", () => {
  const texts = [`${nick};${onion}`, `${nick};${onion};D`, "x", `${nick};${onion};F:b+a+b`];
  const found = read(peerlist.encode(texts));
  assert.equal(found.malformed, 1);
  assert.deepEqual(found.entries.map((e) => e.disconnected), [false, true, false]);
  assert.deepEqual(found.entries[2]!.features, ["a", "b"]);
  assert.deepEqual(read(""), { entries: [], malformed: 0 });
});

test("joinmarket: peerlist: malformed entries are counted, not believed", () => {
  const wrong = [
    "", nick, `${nick};`, `${nick};x`, `${nick};${onion};`, `${nick};${onion};d`,
    `${nick};${onion};F:`,
    `${nick};${onion};F:a;D`, `${nick};${onion};F:a++b`, `${nick};${onion};F:A`,
    `${nick};${onion};D;D`,
    `${nick};${onion};D;F:a;x`, `x;${onion}`, `${nick};${onion}00`, ` ${nick};${onion}`,
    `${nick};${onion};F:a+`,
    `${nick};${onion};F:${Array.from({ length: 33 }, (_, i) => `f${i}`).join("+")}`,
  ];
  for (const text of wrong) {
    assert.deepEqual(read(`${text},`), { entries: [], malformed: 2 }, text);
  }
});

test("joinmarket: peerlist: row issue/forged-leave-nick: what is no nick cannot be listed", () => {
  for (const forged of ["a;b,J5victimNkOOOOOO;x;D,c", "", "PUBLIC"]) {
    assert.throws(() => peerlist.entry(forged, onion, undefined, true), { name: "InvariantError" });
  }
  const location = `${onion};D`;
  assert.throws(() => peerlist.entry(nick, location, undefined, false), { name: "InvariantError" });
});

test("joinmarket: peerlist: entries of one line are bounded", () => {
  assert.equal(peerlist.parse(",".repeat(peerlist.entriesMax - 1)).ok, true);
  assert.equal(peerlist.parse(",".repeat(peerlist.entriesMax)).ok, false);
});

test("joinmarket: peerlist: mutated entries are judged as the model judges them", () => {
  const marks = fc.constantFrom(";", "D", ";D", ";F:", "+", "a", "O", "0", ":", "é", "\n");
  const edit = fc.tuple(fc.nat(100), fc.nat(3), marks);
  const form = fc.constantFrom<string>(
    `${nick};${onion}`, `${nick};${onion};D`, `${nick};${onion};F:ping+x`,
    `${nick};NOT-SERVING-ONION;D;F:a`,
  );
  fc.assert(fc.property(form, fc.array(edit, { maxLength: 2 }), (text, edits) => {
    let s = text;
    for (const [at, drop, mark] of edits) s = s.slice(0, at) + mark + s.slice(at + drop);
    if (s === "") return;
    const want = model.entry(s);
    const entries = want === undefined ? [] : [want];
    assert.deepEqual(read(s), { entries, malformed: want === undefined ? 1 : 0 }, s);
  }), { numRuns: 800 });
});
