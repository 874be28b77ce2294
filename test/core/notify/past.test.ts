import assert from "node:assert/strict";
import { test } from "node:test";
import * as letters from "../../../core/notify/letter.ts";
import * as past from "../../../core/notify/past.ts";
import { letter } from "../../support/notices.ts";

const begin = (id: number, to = ["a", "b"]): string =>
  letters.encode(letters.recordOf(letter({ id, subject: `s${id}` }), to));
const sent = (id: number, to: string): string => letters.encode({ type: "notice-sent", id, to });
const run = letters.encode({ type: "notice-run" });

function read(bodies: readonly string[], openMax = 9, toldMax = 9): past.Past {
  const p = past.create(openMax, toldMax);
  for (const body of bodies) past.read(p, body);
  return p;
}

const open = (p: past.Past) =>
  [...p.open.values()].map(({ letter: l, to, runs }) => `${l.id} ${[...to].join()} ${runs}`);

test("notify: past: a letter is open where no record ended it", () => {
  const lost = letters.encode({ type: "notice-lost", id: 3, to: "a", why: "old" });
  const p = read([begin(1), begin(2), sent(1, "a"), sent(2, "a"), begin(3), sent(2, "b"), lost]);
  assert.deepEqual(open(p), ["1 b 0", "3 b 0"]);
  assert.equal(p.idMax, 3);
  const old = [...p.open.values()][0]?.letter;
  assert.deepEqual([old?.isOld, old?.isRecorded, old?.title], [true, true, "Title"]);
});

test("notify: past: each run that found a letter open is counted", () => {
  assert.deepEqual(open(read([begin(1), run, begin(2), run, run])), ["1 a,b 3", "2 a,b 2"]);
});

test("notify: past: endings of letters that are not open change nothing", () => {
  assert.deepEqual(open(read([sent(5, "a"), begin(1), sent(1, "c"), sent(1, "a"), sent(1, "a")])),
    ["1 b 0"]);
});

test("notify: past: records of others are passed over, unreadable ones of ours are counted", () => {
  const p = read([`{"type":"tx"}`, "", begin(1), `{"type":"notice","id":`, `{"type":"notice-x"}`]);
  assert.deepEqual([open(p).length, p.unreadable], [1, 2]);
});

test("notify: past: of open letters the oldest goes when there are too many", () => {
  const p = read([begin(1), begin(2), begin(3), begin(4)], 2);
  assert.deepEqual(open(p), ["3 a,b 0", "4 a,b 0"]);
  assert.deepEqual([p.dropped, p.idMax], [2, 4]);
});

test("notify: past: of what was told the last ones are known, in order", () => {
  const subjects = (ids: number[]) =>
    past.told(read(ids.map((id) => begin(id)), 9, 3)).map((t) => t.subject).join();
  assert.equal(subjects([]), "");
  assert.equal(subjects([1, 2]), "s1,s2");
  assert.equal(subjects([1, 2, 3]), "s1,s2,s3");
  assert.equal(subjects([1, 2, 3, 4, 5]), "s3,s4,s5");
});

test("notify: past: what is to be told once is handed out as it is read", () => {
  const p = past.create(9, 9);
  const once = letter({ nature: "once", subject: "tx:1", state: "tx-seen" });
  const told = past.read(p, letters.encode(letters.recordOf(once, [])));
  assert.deepEqual([told?.subject, told?.state], ["tx:1", "tx-seen"]);
  assert.equal(past.read(p, begin(2)), undefined);
  assert.equal(past.read(p, sent(2, "a")), undefined);
});
