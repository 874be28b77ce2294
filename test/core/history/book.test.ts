import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InvariantError } from "../../../core/assert.ts";
import { concat } from "../../../core/bytes.ts";
import { encode, type Body } from "../../../core/history/body.ts";
import * as book from "../../../core/history/book.ts";
import { apply, blank, rowOf, type Change, type Row } from "../../../core/history/entry.ts";
import * as record from "../../../core/history/record.ts";
import { addresses, bodies, txids } from "../../support/history.ts";
import { clone } from "../../support/laws.ts";

type Known = Exclude<Body, { type: "unknown" }>;

const atUs = 1_732_000_000_000_000;
const txid = "ab".repeat(32);

function fileOf(texts: readonly string[]): Uint8Array {
  return concat([record.header, ...texts.map((text, i) => record.encode(i + 1, i, text))]);
}

function loaded(texts: readonly string[], others: number[] = []): book.Book {
  const m = book.create(book.defaults);
  const bytes = fileOf(texts);
  book.load(m, bytes, bytes.length, (seq) => void others.push(seq));
  return m;
}

function taken(texts: readonly string[], m = book.create(book.defaults)): book.Book {
  for (const text of texts) book.take(m, m.lastSeq + 1, text);
  return m;
}

/** Everything that can be asked, so that two books can be compared. */
function shown(m: book.Book): object {
  const rows = Array.from({ length: m.rows }, (_, row) => book.rowAt(m, row));
  return {
    rows, open: book.open(m, all), untold: [...m.untold], values: [...m.values],
    skipped: m.skipped, others: m.others, lastSeq: m.lastSeq,
    used: [...book.usedAddresses(m)].sort(),
  };
}

const all: book.Wanted = { fingerprint: "", waitingMax: 1_000, givenUpMax: 1_000 };
const ids = fc.integer({ min: 1, max: 12 });
const scripts = fc.array(bodies(ids).map((body) => encode(body)), { maxLength: 25 });

/** The rows as a plain fold makes them. */
function model(texts: readonly Known[]): Row[] {
  const rows = new Map<number, Row>();
  texts.forEach((body, i) => {
    if (body.type === "added" || body.type === "imported") {
      rows.set(i + 1, rowOf(i + 1, body.entry));
    } else if (body.type !== "told" && body.type !== "value" && body.type !== "other") {
      const row = rows.get(body.of);
      if (row !== undefined) rows.set(body.of, apply(row, body));
    }
  });
  return [...rows.values()];
}

test("history: book: rows are what folding the records gives", () => {
  fc.assert(fc.property(fc.array(bodies(ids), { maxLength: 30 }), (drawn) => {
    const m = loaded(drawn.map((body) => encode(body)));
    assert.deepEqual(Array.from({ length: m.rows }, (_, row) => book.rowAt(m, row)), model(drawn));
  }), { numRuns: 200 });
});

test("history: book: a file that is read and records that come one by one: the same book", () => {
  const junk = fc.constantFrom("", "no json", `{"v":1,"k":"seen","of":1}`, `{"v":3,"k":"x"}`);
  const any = fc.array(fc.oneof({ weight: 9, arbitrary: bodies(ids).map(encode) }, junk.filter(
    (text) => text !== "",
  )), { maxLength: 30 });
  fc.assert(fc.property(any, fc.nat(), (texts, cut) => {
    const at = texts.length === 0 ? 0 : cut % texts.length;
    const expected = shown(taken(texts));
    assert.deepEqual(shown(loaded(texts)), expected);
    const others: number[] = [];
    const mixed = taken(texts.slice(at), loaded(texts.slice(0, at), others));
    assert.deepEqual(shown(mixed), expected);
  }), { numRuns: 200 });
});

test("history: book: what was taken is not taken again", () => {
  fc.assert(fc.property(scripts, (texts) => {
    const m = taken(texts);
    const before = clone(m);
    texts.forEach((text, i) => void book.take(m, i + 1, text));
    assert.deepEqual(m, before);
  }), { numRuns: 50 });
  const m = taken([]);
  assert.throws(() => book.take(m, 2, "{}"), InvariantError);
  assert.throws(() => loaded(["{}"]) && book.load(loaded(["{}"]), fileOf([]), 19, () => {}),
    InvariantError);
});

test("history: book: rows are found by transaction and by every address they used", () => {
  fc.assert(fc.property(fc.array(bodies(ids), { maxLength: 30 }), addresses, txids,
    (drawn, address, wanted) => {
      const rows = model(drawn);
      for (const m of [loaded(drawn.map(encode)), taken(drawn.map(encode))]) {
        const by = (rowsFound: readonly Row[]) => rowsFound.map(({ id }) => id);
        const users = rows.filter(({ entry }) =>
          [entry.destination, entry.change, ...entry.sourceAddresses].includes(address));
        assert.deepEqual(by(book.byAddress(m, address)), by(users));
        assert.equal(book.isUsed(m, address), users.length > 0);
        const holders = rows.filter(({ entry }) => entry.txid === wanted);
        assert.deepEqual(by(book.byTxid(m, wanted)), by(holders));
        for (const { id } of rows) assert.equal(book.rowById(m, id)?.id, id);
        assert.equal(book.rowById(m, 1_000), undefined);
      }
    }), { numRuns: 100 });
});

const added = (more: object = {}): string =>
  encode({ type: "added", entry: { ...blank(atUs), destination: "bcrt1q", ...more } });
const change = (one: Change): string => encode(one);

test("history: book: open rows: those that wait, and the newest that were given up", () => {
  const done = { type: "confirmed" as const, atUs, confirmations: 1, peers: undefined };
  const m = loaded([
    added(), added({ completedUs: atUs }), added({ isSuccess: true, completedUs: atUs }),
    added(), added({ completedUs: atUs }), change({ ...done, of: 4 }),
  ]);
  const list = (rows: readonly Row[]) => rows.map(({ id }) => id);
  const found = book.open(m, all);
  assert.deepEqual(list(found.waiting), [4, 1], "confirmed and not settled is open");
  assert.deepEqual(list(found.givenUp), [5, 2]);
  const few = book.open(m, { ...all, waitingMax: 1, givenUpMax: 1 });
  assert.deepEqual([list(few.waiting), list(few.givenUp)], [[4], [5]]);
  book.take(m, 7, change({ type: "settled", of: 4, confirmations: 6 }));
  assert.deepEqual(list(book.open(m, all).waiting), [1]);
});

test("history: book: open rows of another wallet, and doubles of a success, are left out", () => {
  const ours = { fingerprint: "aaaaaaaa" };
  const m = loaded([
    added({ ...ours, txid }), added({ ...ours, txid, isSuccess: true, completedUs: atUs }),
    added({ fingerprint: "bbbbbbbb", txid }), added({ txid }),
  ]);
  const wanted = { ...all, ...ours };
  assert.deepEqual(book.open(m, wanted).waiting.map(({ id }) => id), [4]);
  assert.deepEqual(book.open(m, all).waiting.map(({ id }) => id), [4, 3]);
});

test("history: book: a change is untold until a record says that it was told", () => {
  const seen = change({ type: "seen", of: 1, atUs });
  const m = loaded([added(), seen, change({ type: "aged", of: 1, ageMs: 5 }), seen]);
  assert.deepEqual([...m.untold.values()], [
    { seq: 2, of: 1, what: "seen" }, { seq: 4, of: 1, what: "seen" },
  ]);
  book.take(m, 5, encode({ type: "told", of: 2 }));
  assert.deepEqual([...m.untold.keys()], [4]);
  book.take(m, 6, encode({ type: "other", kind: "notice", about: 4, fields: [] }));
  assert.equal(m.untold.size, 0);
});

test("history: book: imported rows that were over are not told of", () => {
  const entry = { ...blank(atUs), isSuccess: true, completedUs: atUs };
  const m = loaded([encode({ type: "imported", entry })]);
  assert.equal(m.untold.size, 0);
});

test("history: book: ages take each other's place, other records do not", () => {
  const aged = (ageMs: number) => change({ type: "aged", of: 1, ageMs });
  const warned = change({ type: "warned", of: 1, atUs });
  const texts = [added(), aged(1), aged(2), warned, aged(3), aged(4)];
  for (const m of [loaded(texts), taken(texts)]) {
    assert.equal(book.rowAt(m, 0).ageMs, 4);
    assert.ok(book.rowAt(m, 0).hasWarned);
    let length = 0;
    for (let at = m.last[0] as number; at >= 0; at = m.before[at] as number) length += 1;
    assert.equal(length, 4, "added, age, warned, age");
  }
});

test("history: book: what says nothing here is counted and changes nothing", () => {
  const others: number[] = [];
  const notice = encode({ type: "other", kind: "notice", about: undefined, fields: [] });
  const m = loaded([
    `{"v":2,"k":"added"}`, "junk", change({ type: "seen", of: 9, atUs }), notice,
  ], others);
  assert.deepEqual(m.skipped, { unknown: 1, malformed: 1, stray: 1, refused: 0 });
  assert.deepEqual([m.rows, m.untold.size, m.others, others.join()], [0, 0, 1, "4"]);
});

test("history: book: values are remembered up to their number, the last of a key counts", () => {
  const m = book.create({ valuesMax: 2 });
  const value = (key: string, text: string) => encode({ type: "value", key, value: text });
  taken([value("a", "1"), value("b", "1"), value("c", "1"), value("a", "2")], m);
  assert.deepEqual([...m.values], [["a", "2"], ["b", "1"]]);
  assert.equal(m.skipped.refused, 1);
  assert.throws(() => book.create({ valuesMax: 0 }), InvariantError);
});

test("history: book: rows beside the file take few bytes", () => {
  const texts = Array.from({ length: 3_000 }, (_, i) => added({ destination: `bcrt1q${i}` }));
  const m = loaded(texts);
  const arrays = [
    m.before, m.from, m.to, m.ids, m.addedUs, m.stageOf, m.last, m.isAged, m.texts.hashes,
    m.texts.places,
  ];
  const bytes = arrays.reduce((sum, array) => sum + array.byteLength, 0);
  assert.ok(bytes < 100 * texts.length, `${bytes / texts.length} bytes a row`);
  assert.equal(m.bodies.length, 0, "no text is kept");
});
