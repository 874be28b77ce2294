/**
 * A journal that is made smaller says the same: to the books of wallets, to the outbox, and to a
 * daemon that goes on with it after dying at any moment.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compact, type Config } from "../../../core/ark/compaction.ts";
import * as intents from "../../../core/ark/intents.ts";
import * as ledger from "../../../core/ark/ledger.ts";
import { ascii, concat } from "../../../core/bytes.ts";
import * as record from "../../../core/history/record.ts";
import * as notices from "../../../core/notify/config.ts";
import * as delivery from "../../../core/notify/delivery.ts";
import * as letters from "../../../core/notify/letter.ts";
import * as past from "../../../core/notify/past.ts";
import * as acts from "../../../sim/ark/acts.ts";
import { audit } from "../../../sim/ark/audit.ts";
import * as rig from "../../support/ark-fleet.ts";

const notify: notices.Config = {
  ...notices.defaults,
  gate: { ...notices.defaults.gate, routineMax: 1, importantMax: 1, onceMax: 2 },
};
const config: Config = {
  tornBytesMax: 4_194_304, notify, intents: { ...intents.defaults, settledMax: 2 },
};

function file(bodies: readonly string[]): Uint8Array {
  const lines = bodies.map((body, i) => record.encode(i + 1, i, body));
  return concat([record.header, ...lines]);
}

function bodies(bytes: Uint8Array): readonly string[] {
  const found: string[] = [];
  const scan = record.scan(bytes, config.tornBytesMax);
  assert.ok(scan.ok && scan.value.tornBytes === 0, "whole");
  record.each(bytes, scan.value.end, (_, body) => void found.push(body));
  return found;
}

/** All that a start learns of these records; but how many of each outcome there ever were. */
function learnt(all: readonly string[]): unknown {
  const books = new Map<string, intents.Book>();
  const mail = delivery.pastOf(notify);
  const once: string[] = [];
  const others: string[] = [];
  for (const body of all) {
    const told = past.read(mail, body);
    if (told !== undefined) once.push(told.subject);
    if (letters.owns(body)) continue;
    const own = ledger.split(body);
    if (own === undefined) {
      others.push(body);
      continue;
    }
    const book = books.get(own.wallet) ?? intents.create(config.intents);
    books.set(own.wallet, book);
    intents.replay(book, own.body);
  }
  const known = [...books].map(([name, { open, byVtxo, settled, lastId, tip, wallet }]) => (
    { name, open, byVtxo, settled, lastId, tip, wallet }
  )).filter(({ lastId, tip, wallet }) => lastId > 0 || tip !== undefined || wallet !== undefined)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const { open, idMax } = mail;
  return { known, open, idMax, told: past.told(mail), once: once.slice(-2), others };
}

const wallet = fc.constantFrom("a", "b");
const id = fc.integer({ min: 1, max: 9 });
const vtxo = fc.constantFrom("x:0", "y:0", "z:0", "w:0");
const ofWallet: fc.Arbitrary<intents.Record> = fc.oneof(
  { weight: 4, arbitrary: fc.record({
    type: fc.constant("ark-intent" as const), intent: fc.record({
      id, aim: fc.constant("refresh" as const), destination: fc.constant(""),
      vtxos: fc.uniqueArray(vtxo, { minLength: 1, maxLength: 2 }), unixMs: fc.nat(9),
      isSent: fc.constant(false), isConfirmed: fc.constant(false),
    }),
  }) },
  fc.record({ type: fc.constant("ark-intent-sent" as const), id, isConfirmed: fc.boolean() }),
  { weight: 4, arbitrary: fc.record({
    type: fc.constant("ark-intent-settled" as const), id,
    outcome: fc.constantFrom(...intents.outcomes),
  }) },
  fc.record({ type: fc.constant("ark-intents" as const), last: id }),
  fc.record({
    type: fc.constant("ark-tip" as const), height: id, unixMs: fc.nat(9), isProven: fc.boolean(),
  }),
  fc.record({ type: fc.constant("ark-wallet" as const), fingerprint: fc.constantFrom("f", "g") }),
  fc.record({ type: fc.constant("ark-server" as const), key: fc.constantFrom("k", "l") }),
  fc.record({
    type: fc.constant("ark-strange" as const), of: fc.constantFrom("wallet", "server"),
    shown: fc.constantFrom("f", "k"),
  }),
);

const target = fc.constantFrom("t:0", "t:1");
/** Ids of letters are given in order. */
const mail = fc.oneof(
  fc.record({
    is: fc.constant("notice" as const), nature: fc.constantFrom("once" as const, "state" as const),
    to: fc.uniqueArray(target, { minLength: 1, maxLength: 2 }),
  }),
  fc.record({ is: fc.constant("sent" as const), id, to: target }),
  fc.constant({ is: "run" as const }),
);
type Mail = { readonly is: "notice"; readonly nature: "once" | "state"; readonly to: string[] }
  | { readonly is: "sent"; readonly id: number; readonly to: string } | { readonly is: "run" };

function mailOf(m: Mail, next: number): string {
  if (m.is === "run") return letters.encode({ type: "notice-run" });
  if (m.is === "sent") return letters.encode({ type: "notice-sent", id: m.id, to: m.to });
  return letters.encode({
    type: "notice", id: next, at: next, kind: "test", nature: m.nature, subject: `s${next}`,
    state: "x", priority: "low", title: "t", body: "b", to: m.to,
  });
}

const lines = fc.array(fc.oneof(
  fc.record({ wallet, one: ofWallet }), mail, fc.constantFrom("{\"type\":\"x\"}", "{\"wallet\":1}",
    "{\"wallet\":\"a\",\"type\":\"ark-later\",\"id\":1}"),
), { maxLength: 60, size: "max" }).map((all) => {
  let next = 0;
  return all.map((one) => {
    if (typeof one === "string") return one;
    if ("wallet" in one) return ledger.bodyOf(one.wallet, intents.encode(one.one));
    if (one.is === "notice") next += 1;
    return mailOf(one, next);
  });
});

test("ark compaction: whoever reads what is left knows the same, also after more records", () => {
  fc.assert(fc.property(lines, lines, (all, more) => {
    const short = compact(file(all), config);
    const left = short === undefined ? all : bodies(short);
    assert.ok(left.length <= all.length);
    assert.deepEqual(learnt(left), learnt(all));
    // Letters of what follows would have other ids.
    const rest = more.filter((body) => !letters.owns(body));
    assert.deepEqual(learnt([...left, ...rest]), learnt([...all, ...rest]));
    const again = short === undefined ? undefined : compact(short, config);
    if (again !== undefined) assert.fail("what is left could have been less at once");
  }), { numRuns: 300 });
});

test("ark compaction: what is settled long since is dropped, and ids are not given again", () => {
  const all: string[] = [];
  const put = (one: intents.Record): void => void all.push(ledger.bodyOf("a", intents.encode(one)));
  for (let i = 1; i <= 500; i += 1) {
    put({ type: "ark-intent", intent: {
      id: i, aim: "refresh", vtxos: [`v${i}:0`], destination: "", unixMs: i, isSent: false,
      isConfirmed: false,
    } });
    put({ type: "ark-intent-sent", id: i, isConfirmed: false });
    put({ type: "ark-tip", height: i, unixMs: i, isProven: true });
  }
  // The first ones stay open for long, so that the last id is settled before them.
  for (let i = 500; i >= 3; i -= 1) put({ type: "ark-intent-settled", id: i, outcome: "success" });
  const left = bodies(compact(file(all), config)!);
  assert.equal(left.length, 2 * 2 + 2 * 3 + 1 + 1);
  assert.equal(left.at(-1), "{\"wallet\":\"a\",\"type\":\"ark-intents\",\"last\":500}");
});

test("ark compaction: nothing is made of a file that is damaged, torn, empty or small", () => {
  const all = file(Array.from({ length: 9 }, (_, i) => (
    ledger.bodyOf("a", intents.encode({ type: "ark-tip", height: i, unixMs: i, isProven: true }))
  )));
  assert.equal(bodies(compact(all, config)!).length, 1);
  assert.equal(compact(all.slice(0, -3), config), undefined);
  const bad = all.slice();
  bad[record.header.length + 20]! ^= 1;
  assert.equal(compact(bad, config), undefined);
  for (const bytes of [new Uint8Array(0), record.header, ascii("something else\n")]) {
    assert.equal(compact(bytes, config), undefined);
  }
});

const { minute, hour } = rig;

test("ark compaction: a daemon that goes on with less settles what was open", () => {
  const before = ({ world }: rig.Rig): void => {
    acts.endow(world, "alice", [100_000n, 50_000n], 36, 1);
    acts.deposit(world, "alice", 500_000n);
  };
  const clean = rig.start({ before });
  rig.pass(clean, 3 * hour);
  let smaller = 0;
  let busy = 0;
  for (let at = 150; at < clean.effects; at += 331) {
    const r = rig.start({ before });
    for (let lives = 0; lives < 4; lives += 1) {
      r.diesAt = r.effects + at;
      while (r.isAlive && r.now < 4 * hour) rig.pass(r, minute, 2 * minute);
      if (r.isAlive) break;
      const { gate } = r.config.notify;
      const less = { ...r.config.notify, gate: { ...gate, routineMax: 1, importantMax: 1 } };
      const short = compact(r.disk.bytes, { ...config, notify: less });
      if (short !== undefined) {
        smaller += 1;
        const open = rig.openIntents(r, "alice");
        busy += open.length;
        r.disk.bytes = short;
        r.disk.durableBytes = short.length;
        assert.deepEqual(rig.openIntents(r, "alice"), open, `effect ${at}`);
      }
      rig.pass(r, minute);
    }
    r.diesAt = Number.MAX_SAFE_INTEGER;
    rig.pass(r, 2 * hour);
    assert.deepEqual(rig.one(r).exits, [], `effect ${at}`);
    assert.deepEqual([audit(r.world), r.world.breaches, r.world.losses], [[], [], []]);
  }
  assert.ok(smaller >= 3 && busy >= 1, `${smaller} smaller, ${busy} with intents`);
});
