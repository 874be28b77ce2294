import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InvariantError } from "../../../core/assert.ts";
import * as offer from "../../../core/joinmarket/offer.ts";
import * as offermath from "../../../core/maker/offermath.ts";
import * as offers from "../../../core/maker/offers.ts";
import * as prng from "../../../core/prng.ts";
import { after, mono, NEVER, type Mono } from "../../../core/time.ts";
import { effectsOf, laws, scripts, type Run, type Subject } from "../../support/laws.ts";

type M = offers.Offers;
type Announce = Extract<offers.Effect, { readonly type: "announce" }>;
type Log = Extract<offers.Effect, { readonly type: "log" }>;

const still = { txfeeSat: 0n, txfeeSpreadPpm: 0, cjfeeSpreadPpm: 0, sizeSpreadPpm: 0 };
const absolute: offermath.Terms = {
  kind: "sw0absoffer", minsizeSat: 100_000n, ...still, cjfeeSat: 500n,
};
const relative: offermath.Terms = {
  kind: "sw0reloffer", minsizeSat: 100_000n, ...still, cjfee: offer.ratio(2n, 5),
};
const plain: offers.Config = { ...offers.defaults, network: "regtest", terms: [absolute] };
const random: offers.Config = { ...plain, terms: [{ ...absolute, sizeSpreadPpm: 100_000 }] };

const wallet = (balanceSat: bigint): offers.Event =>
  ({ type: "coins", balances: balanceSat === 0n ? [] : [{ mixdepth: 1, balanceSat }] });
const glimpsed = (balanceSat: bigint): offers.Event =>
  ({ type: "glimpsed", balances: [{ mixdepth: 1, balanceSat }] });
const up = (isUp: boolean): offers.Event => ({ type: "backend", isUp });
const writable = (isWritable: boolean): offers.Event => ({ type: "journal", isWritable });

/** A machine driven as a host does it; what it says is kept with its instant. */
function world(config = plain, seed = "offers") {
  const m = offers.create(config, prng.stream(prng.key(seed)));
  let now = mono(0);
  const told: { readonly at: Mono; readonly effect: offers.Effect }[] = [];
  const give = (event: offers.Event) => {
    const out: offers.Effect[] = [];
    offers.step(m, event, now, out);
    assert.ok(offers.deadline(m) > now);
    told.push(...out.map((effect) => ({ at: now, effect })));
    return out.filter((e): e is Announce => e.type === "announce").flatMap((e) => e.lines);
  };
  const to = (at: number) => {
    const lines: string[] = [];
    for (let ticks = 0; offers.deadline(m) <= at; ticks += 1) {
      assert.ok(ticks < 100);
      now = offers.deadline(m);
      lines.push(...give({ type: "tick" }));
    }
    now = mono(at);
    return lines;
  };
  return {
    m, told, give, to,
    coins: (balanceSat: bigint) => give(wallet(balanceSat)),
    /** A maker that has announced what 1,000,000 suffice for. */
    begin() {
      give(writable(true));
      return give(wallet(1_000_000n));
    },
    codes: () => told.map(({ effect }) => effect).filter((e): e is Log => e.type === "log")
      .map(({ level, code }) => `${level} ${code}`),
    last: () => told.at(-1)?.effect,
  };
}

const first = "sw0absoffer 0 100000 973199 0 500";

test("maker: offers: the first are announced as soon as coins and journal are there", () => {
  const w = world();
  assert.deepEqual(offers.publicLines(w.m), []);
  assert.equal(offers.blockOf(w.m), "journal");
  assert.deepEqual(w.give(writable(true)), []);
  assert.equal(offers.blockOf(w.m), "coins");
  assert.deepEqual(w.coins(1_000_000n), [first]);
  assert.equal(w.m.version, 1);
  assert.deepEqual(offers.publicLines(w.m), [first]);
  assert.equal(offers.find(w.m, 0)?.maxsizeSat, 973_199n);
  assert.equal(offers.find(w.m, 1), undefined);
  assert.equal(offers.deadline(w.m), NEVER);
  assert.deepEqual(w.told.map(({ effect }) => effect), [
    { type: "announce", version: 1, lines: [first] },
    {
      type: "log", level: "info", code: "maker.offers-announced",
      fields: { version: 1, offers: 1, amountSat: "973199" },
    },
  ]);
});

test("maker: offers: the largest mixdepth decides", () => {
  const w = world();
  w.give(writable(true));
  const balances = [3n, 1_000_000n, 999_999n]
    .map((balanceSat, mixdepth) => ({ mixdepth, balanceSat }));
  assert.deepEqual(w.give({ type: "coins", balances }), [first]);
});

test("maker: offers: the same balance announces nothing again, whatever chance says", () => {
  const w = world(random);
  assert.equal(w.begin().length, 1);
  const before = offers.publicLines(w.m);
  const { told } = w.m;
  for (let at = 1; at < 50; at += 1) {
    w.to(at * 600_000);
    assert.deepEqual(w.coins(1_000_000n), []);
  }
  assert.deepEqual(offers.publicLines(w.m), before);
  assert.equal(w.m.told, told);
});

test("maker: offers: growth waits, and until then the old offers are public and answered", () => {
  const w = world();
  w.begin();
  w.to(1_000);
  assert.deepEqual(w.coins(2_000_000n), []);
  const dueAt = offers.deadline(w.m);
  assert.ok(dueAt > 1_000 && dueAt <= 601_000);
  assert.deepEqual(w.codes().at(-1), "info maker.offers-held");
  assert.deepEqual(w.to(dueAt - 1), []);
  assert.deepEqual(offers.orderbookReply(w.m, undefined), [first]);
  assert.deepEqual(w.to(dueAt), ["sw0absoffer 0 100000 1973199 0 500"]);
  assert.deepEqual(offers.orderbookReply(w.m, undefined), ["sw0absoffer 0 100000 1973199 0 500"]);
});

// Row 8: the wait is a field and not a task; the next look at the wallet finds it as it is.
test("maker: offers: during the wait coins are looked at, and the wait grows no longer", () => {
  const w = world();
  w.begin();
  w.coins(2_000_000n);
  const dueAt = offers.deadline(w.m);
  for (let n = 1; n <= 9; n += 1) {
    w.to(n);
    assert.deepEqual(w.coins(2_000_000n + BigInt(n)), []);
    assert.equal(offers.deadline(w.m), dueAt);
  }
  assert.deepEqual(w.to(dueAt), ["sw0absoffer 0 100000 1973208 0 500"]);
  assert.equal(w.m.version, 2);
});

test("maker: offers: a shrink that the old offers cannot bear is announced at once", () => {
  const w = world();
  w.begin();
  assert.deepEqual(w.coins(999_999n), ["sw0absoffer 0 100000 973198 0 500"]);
  assert.equal(offers.deadline(w.m), NEVER);
});

test("maker: offers: a shrink that they can bear waits like any other change", () => {
  const w = world(random);
  w.begin();
  const [o] = offers.current(w.m);
  assert.ok(o !== undefined && o.maxsizeSat < 973_199n);
  const enoughSat = offermath.requiredSat(o, o.maxsizeSat);
  assert.deepEqual(w.coins(enoughSat), []);
  assert.notEqual(offers.deadline(w.m), NEVER);
  const now = w.coins(enoughSat - 1n);
  assert.equal(now.length, 1);
  assert.ok(offers.current(w.m)[0]!.maxsizeSat < o.maxsizeSat);
});

test("maker: offers: a shrink during the wait for growth ends it", () => {
  const w = world();
  w.begin();
  w.coins(2_000_000n);
  assert.deepEqual(w.coins(500_000n), ["sw0absoffer 0 100000 473199 0 500"]);
  assert.equal(offers.deadline(w.m), NEVER);
  assert.deepEqual(w.to(900_000), []);
});

test("maker: offers: a balance that returns within the wait has changed nothing", () => {
  const w = world(random);
  w.begin();
  const before = offers.publicLines(w.m);
  w.coins(2_000_000n);
  assert.deepEqual(w.coins(1_000_000n), []);
  assert.equal(offers.deadline(w.m), NEVER);
  assert.deepEqual(w.to(900_000), []);
  assert.deepEqual(offers.publicLines(w.m), before);
});

test("maker: offers: what waits is drawn once", () => {
  const w = world(random);
  w.begin();
  w.coins(2_000_000n);
  const { next } = w.m;
  assert.ok(next !== undefined);
  w.to(1);
  w.coins(2_000_000n);
  assert.equal(w.m.next, next);
});

test("maker: offers: the grace of an outage ends also while a change waits", () => {
  const w = world({ ...plain, announceDelayMaxMs: offers.waitMsMax });
  w.begin();
  w.coins(2_000_000n);
  const dueAt = offers.deadline(w.m);
  assert.ok(dueAt > 120_000);
  w.give(up(false));
  assert.deepEqual(w.to(119_999), []);
  assert.deepEqual(w.to(120_000), ["cancel 0"]);
  w.give(up(true));
  assert.deepEqual(w.coins(2_000_000n), []);
  assert.equal(offers.deadline(w.m), dueAt, "the wait goes on, and is no longer for it");
});

test("maker: offers: without a delay every change is announced at once", () => {
  const w = world({ ...plain, announceDelayMaxMs: 0 });
  w.begin();
  assert.deepEqual(w.coins(2_000_000n), ["sw0absoffer 0 100000 1973199 0 500"]);
  assert.ok(!w.codes().includes("info maker.offers-held"));
});

test("maker: offers: waits are spread from nothing to the longest", () => {
  const waits: number[] = [];
  for (let seed = 0; seed < 200; seed += 1) {
    const w = world({ ...plain, announceDelayMaxMs: 600 }, `${seed}`);
    w.begin();
    const isNow = w.coins(2_000_000n).length > 0;
    waits.push(isNow ? 0 : offers.deadline(w.m));
  }
  assert.ok(Math.min(...waits) < 20 && Math.max(...waits) > 580 && Math.max(...waits) <= 600);
  assert.ok(new Set(waits).size > 150);
});

test("maker: offers: when all coins are gone they are cancelled, later announced again", () => {
  const w = world({ ...plain, terms: [absolute, { ...absolute, cjfeeSat: 7n }] });
  assert.equal(w.begin().length, 2);
  assert.deepEqual(w.coins(0n), ["cancel 0", "cancel 1"]);
  assert.deepEqual(offers.orderbookReply(w.m, undefined), []);
  assert.deepEqual(w.codes().filter((code) => code.startsWith("warn")),
    ["warn maker.offers-none"]);
  assert.deepEqual(w.coins(5n), []);
  assert.deepEqual(w.to(600_000), []);
  assert.deepEqual(w.coins(6n), []);
  assert.deepEqual(w.coins(2_000_000n), []);
  const lines = w.to(1_200_000);
  assert.equal(lines.length, 2);
  assert.equal(w.codes().filter((code) => code === "warn maker.offers-none").length, 1);
});

// Row 18: there is no last attempt.
test("maker: offers: without coins at the start it waits for them, for years", () => {
  const w = world();
  w.give(writable(true));
  for (let n = 0; n < 1_000; n += 1) {
    w.to(n * 31_536_000);
    assert.deepEqual(w.coins(0n), []);
  }
  assert.equal(w.codes().filter((code) => code === "warn maker.offers-none").length, 1);
  assert.deepEqual(w.coins(1_000_000n), []);
  assert.deepEqual(w.to(1_000 * 31_536_000), [first]);
});

test("maker: offers: one of two that no longer fits is cancelled, the other stays", () => {
  const large: offermath.Terms = { ...absolute, minsizeSat: 900_000n };
  const w = world({ ...plain, terms: [large, absolute] });
  assert.equal(w.begin().length, 2);
  assert.deepEqual(w.coins(800_000n), ["cancel 0", "sw0absoffer 1 100000 773199 0 500"]);
});

test("maker: offers: what has not changed is not said again", () => {
  const w = world({ ...plain, terms: [relative, absolute], announceDelayMaxMs: 0 });
  w.give(writable(true));
  assert.equal(w.coins(500_000_000n).length, 2);
  assert.deepEqual(w.coins(600_000_000n), ["sw0reloffer 0 25000000 599984699 0 0.00002"]);
  assert.deepEqual(offers.publicLines(w.m), [
    "sw0reloffer 0 25000000 599984699 0 0.00002", "sw0absoffer 1 100000 25000000 0 500",
  ]);
});

test("maker: offers: a short outage of the backend changes nothing", () => {
  const w = world();
  w.begin();
  w.to(1_000);
  w.give(up(false));
  assert.equal(offers.deadline(w.m), 121_000);
  w.give(up(false));
  assert.deepEqual(w.to(120_999), []);
  assert.deepEqual(offers.publicLines(w.m), [first]);
  assert.deepEqual(w.give(up(true)), []);
  assert.equal(offers.deadline(w.m), NEVER);
  assert.deepEqual(w.to(500_000), []);
});

test("maker: offers: coins that are seen during an outage can only make them smaller", () => {
  const w = world();
  w.begin();
  w.give(up(false));
  const seen = (balanceSat: bigint): readonly string[] => w.give(glimpsed(balanceSat));
  assert.deepEqual(seen(2_000_000n), [], "growth");
  assert.deepEqual(seen(999_999n).length, 1, "a shrink that they cannot bear");
  assert.equal(offers.current(w.m)[0]?.maxsizeSat, 999_999n - 27_301n + 500n);
  assert.deepEqual(seen(999_999n), [], "the same");
  assert.deepEqual(seen(10_000n), ["cancel 0"], "nothing is left");
  w.to(1_000_000);
  assert.deepEqual(seen(5_000_000n), [], "nothing is public after the grace");
  assert.equal(offers.blockOf(w.m), "backend");
});

test("maker: offers: coins that are glimpsed end no outage and no wait for the first look", () => {
  const w = world();
  w.give(writable(true));
  w.give(glimpsed(1_000_000n));
  assert.equal(offers.blockOf(w.m), "coins");
  assert.equal(w.coins(1_000_000n).length, 1);
});

test("maker: offers: at the end of the grace they are cancelled, and back with fresh coins", () => {
  const w = world(random);
  w.begin();
  const before = offers.publicLines(w.m);
  w.give(up(false));
  assert.deepEqual(w.to(119_999), []);
  assert.deepEqual(w.to(120_000), ["cancel 0"]);
  assert.equal(offers.blockOf(w.m), "backend");
  assert.deepEqual(offers.orderbookReply(w.m, undefined), []);
  assert.equal(offers.find(w.m, 0), undefined);
  assert.deepEqual(w.coins(1_000_000n), [], "an answer from before says nothing");
  w.to(9_000_000);
  assert.deepEqual(w.give(up(true)), []);
  assert.equal(offers.blockOf(w.m), "coins");
  assert.deepEqual(w.coins(1_000_000n), before, "word for word, and at once");
});

test("maker: offers: an outage that a late tick did not see counts too", () => {
  const w = world();
  w.begin();
  w.give(up(false));
  const { m } = w;
  const out: offers.Effect[] = [];
  offers.step(m, up(true), mono(120_000), out);
  assert.deepEqual(out.filter((e) => e.type === "announce").map((e) => e.lines), [["cancel 0"]]);
  assert.equal(offers.blockOf(m), "coins");
});

test("maker: offers: back from an outage with other coins waits like any other change", () => {
  const w = world();
  w.begin();
  w.give(up(false));
  w.to(120_000);
  w.give(up(true));
  assert.deepEqual(w.coins(2_000_000n), []);
  assert.deepEqual(w.to(720_000), ["sw0absoffer 0 100000 1973199 0 500"]);
});

test("maker: offers: an outage at the start delays the first, and no more", () => {
  const w = world();
  w.give(writable(true));
  w.give(up(false));
  assert.equal(offers.blockOf(w.m), "backend");
  assert.equal(offers.deadline(w.m), NEVER);
  w.give(up(true));
  assert.deepEqual(w.coins(1_000_000n), [first]);
});

test("maker: offers: without a grace an outage cancels at once", () => {
  const w = world({ ...plain, backendGraceMs: 0 });
  w.begin();
  assert.deepEqual(w.give(up(false)), ["cancel 0"]);
});

test("maker: offers: a disk that takes no record cancels at once, and lets them back", () => {
  const w = world(random);
  w.begin();
  const before = offers.publicLines(w.m);
  assert.deepEqual(w.give(writable(false)), ["cancel 0"]);
  assert.deepEqual(w.codes().filter((code) => code.startsWith("warn")),
    ["warn maker.offers-withdrawn"]);
  assert.deepEqual(w.give(writable(false)), []);
  assert.deepEqual(w.coins(1_000_000n), []);
  assert.deepEqual(w.give(writable(true)), before);
});

test("maker: offers: nothing is announced during a full disk, also not what had waited", () => {
  const w = world();
  w.begin();
  w.coins(2_000_000n);
  const dueAt = offers.deadline(w.m);
  w.give(writable(false));
  assert.equal(offers.deadline(w.m), NEVER);
  assert.deepEqual(w.to(dueAt + 5), []);
  assert.deepEqual(w.give(writable(true)), ["sw0absoffer 0 100000 1973199 0 500"]);
});

test("maker: offers: mainnet is refused unless allowed; test networks are not", () => {
  const w = world({ ...plain, network: "mainnet" });
  assert.deepEqual(w.begin(), []);
  assert.equal(offers.blockOf(w.m), "mainnet");
  assert.deepEqual(offers.orderbookReply(w.m, undefined), []);
  w.coins(2_000_000n);
  assert.deepEqual(w.codes(), ["warn maker.offers-refused"]);
  const config = { ...plain, network: "mainnet", isMainnetAllowed: true } as const;
  assert.equal(w.give({ type: "reloaded", config }).length, 1);
  assert.deepEqual(w.give({ type: "reloaded", config: { ...plain, network: "mainnet" } }),
    ["cancel 0"]);
  for (const network of ["testnet", "signet", "regtest"] as const) {
    assert.deepEqual(world({ ...plain, network }).begin(), [first]);
  }
  assert.equal(offers.defaults.isMainnetAllowed, false);
  assert.equal(offers.defaults.network, "mainnet");
});

test("maker: offers: other terms are announced at once, the same terms not at all", () => {
  const w = world();
  w.begin();
  w.coins(2_000_000n);
  const same = { ...plain, terms: [{ ...absolute }], announceDelayMaxMs: 1_000 };
  w.to(100);
  assert.deepEqual(w.give({ type: "reloaded", config: same }), []);
  assert.ok(offers.deadline(w.m) <= 1_100);
  const dearer = { ...plain, terms: [{ ...absolute, cjfeeSat: 900n }, relative] };
  assert.deepEqual(w.give({ type: "reloaded", config: dearer }),
    ["sw0absoffer 0 100000 1973599 0 900"]);
  assert.deepEqual(w.give({ type: "reloaded", config: { ...plain, terms: [] } }), ["cancel 0"]);
  assert.deepEqual(w.give({ type: "reloaded", config: plain }),
    ["sw0absoffer 0 100000 1973199 0 500"]);
});

test("maker: offers: a shorter delay or grace takes hold at once", () => {
  const w = world();
  w.begin();
  w.coins(2_000_000n);
  const config = { ...plain, announceDelayMaxMs: 0 };
  assert.equal(w.give({ type: "reloaded", config }).length, 1);
  w.give(up(false));
  w.to(50_000);
  assert.deepEqual(w.give({ type: "reloaded", config: { ...config, backendGraceMs: 50_000 } }),
    ["cancel 0"]);
});

test("maker: offers: at the end everything is cancelled, and nothing comes back", () => {
  const w = world();
  w.begin();
  assert.deepEqual(w.give({ type: "stopped" }), ["cancel 0"]);
  for (const event of [{ type: "stopped" }, wallet(9_000_000n), up(false), up(true)] as const) {
    assert.deepEqual(w.give(event), []);
  }
  assert.deepEqual(w.to(9_000_000), []);
  assert.equal(offers.deadline(w.m), NEVER);
  assert.equal(offers.blockOf(w.m), "stopped");
});

test("maker: offers: a bond goes into private replies, one for each offer, never in public", () => {
  const w = world({ ...plain, terms: [relative, absolute] });
  w.give(writable(true));
  const bond = `${"A".repeat(334)}==`;
  const announced = w.coins(500_000_000n);
  assert.deepEqual(offers.orderbookReply(w.m, bond), announced.map((l) => `${l}!tbond ${bond}`));
  assert.deepEqual(offers.publicLines(w.m), announced);
  assert.doesNotMatch(JSON.stringify(w.told), /tbond/);
  for (const wrong of ["", "a b", "a!b", "a\r\n", "====", "a==="]) {
    assert.throws(() => offers.orderbookReply(w.m, wrong), InvariantError);
  }
});

// Row 17: whoever connects later is told what is public then.
test("maker: offers: a directory that is reached late gets exactly what is public", () => {
  const w = world();
  w.begin();
  w.coins(2_000_000n);
  assert.deepEqual(offers.publicLines(w.m), [first]);
  const lines = w.to(600_000);
  assert.deepEqual(offers.publicLines(w.m), lines);
});

test("maker: offers: a configuration out of range is our mistake", () => {
  for (const wrong of [
    { announceDelayMaxMs: -1 }, { announceDelayMaxMs: offers.waitMsMax + 1 },
    { backendGraceMs: 0.5 }, { terms: [{ ...absolute, cjfeeSat: -1n }] },
    { terms: Array.from({ length: offermath.offersMax + 1 }, () => absolute) },
  ]) {
    assert.throws(() => offers.create({ ...plain, ...wrong }, prng.stream(prng.key("x"))),
      InvariantError);
  }
});

const configs: readonly offers.Config[] = [
  { ...random, announceDelayMaxMs: 40, backendGraceMs: 25 },
  {
    ...random, announceDelayMaxMs: 10, backendGraceMs: 0,
    terms: [{ ...relative, sizeSpreadPpm: 100_000 }, { ...absolute, sizeSpreadPpm: 100_000 }],
  },
  { ...random, announceDelayMaxMs: 0, backendGraceMs: 5, terms: [] },
  { ...plain, network: "mainnet" },
];

const balance = fc.constantFrom(0n, 50_000n, 126_801n, 950_000n, 1_000_000n, 30_000_000n);
const event: fc.Arbitrary<offers.Event> = fc.oneof(
  { weight: 5, arbitrary: balance.map(wallet) },
  { weight: 3, arbitrary: balance.map(glimpsed) },
  { weight: 4, arbitrary: fc.boolean().map(up) },
  { weight: 3, arbitrary: fc.boolean().map(writable) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(...configs).map((config): offers.Event =>
      ({ type: "reloaded", config })),
  },
);

/** What the public has been told, from the announcements alone. */
function listen(effects: readonly offers.Effect[], book: Map<number, string>): void {
  for (const effect of effects) {
    if (effect.type !== "announce") continue;
    for (const line of effect.lines) {
      const [word, oid] = line.split(" ");
      if (word !== "cancel") book.set(Number(oid), line);
      else assert.ok(book.delete(Number(oid)), "only what is public is cancelled");
    }
  }
}

const subject: Omit<Subject<M, offers.Event, offers.Effect>, "lives"> = {
  create: () => offers.create(configs[0]!, prng.stream(prng.key("laws"))),
  step: offers.step,
  deadline: offers.deadline,
  tick: { type: "tick" },
  settleMs: 100,
  holds(m) {
    const { balanceSat } = m;
    const open = offers.current(m);
    if (offers.blockOf(m) !== undefined) return assert.deepEqual(open, []);
    assert.ok(balanceSat !== undefined, "nothing blocks without a balance");
    for (const o of open) assert.ok(offermath.isHonourable(o, balanceSat), offer.encode(o));
  },
};

/** Law 4: when nothing has blocked for the longest wait, the public knows what the coins allow. */
function lives({ state, steps }: Run<M, offers.Event, offers.Effect>): void {
  const book = new Map<number, string>();
  let version = 0;
  for (const { effects } of steps) {
    for (const effect of effects) {
      if (effect.type !== "announce") continue;
      version += 1;
      assert.equal(effect.version, version);
      assert.ok(effect.lines.length > 0, "an announcement says something");
    }
    listen(effects, book);
  }
  assert.deepEqual([...book.values()].sort(), [...offers.publicLines(state)].sort());
  if (offers.blockOf(state) !== undefined) return assert.equal(book.size, 0);
  // 100 ms after the last event is more than any wait or grace here.
  assert.equal(state.told?.balanceSat, state.balanceSat);
  assert.equal(state.told?.termsKey, state.termsKey);
  assert.equal(state.next, undefined);
}

test("maker: offers: the four laws hold, and what was told is what is honoured", () => {
  fc.assert(fc.property(scripts(event, 60, 30, true), (script) => {
    laws({ ...subject, lives }, [
      { afterMs: 0, event: writable(true) }, { afterMs: 0, event: wallet(1_000_000n) }, ...script,
    ]);
  }), { numRuns: 200 });
});

test("maker: offers: nothing is announced but for a cause", () => {
  const quiet = fc.oneof(
    fc.constant(wallet(1_000_000n)), fc.boolean().map(up), fc.boolean().map(writable),
  );
  fc.assert(fc.property(scripts(quiet, 60), (script) => {
    const run = laws({ ...subject, lives }, [
      { afterMs: 0, event: writable(true) }, { afterMs: 0, event: wallet(1_000_000n) }, ...script,
    ]);
    // One balance throughout: the same words each time they come back.
    const said = effectsOf(run).map(({ effect }) => effect)
      .flatMap((e) => (e.type === "announce" ? e.lines : []));
    assert.ok(new Set(said).size <= 2, said.join("\n"));
    said.forEach((line, i) => assert.equal(line.startsWith("cancel"), i % 2 === 1));
  }), { numRuns: 60 });
});

test("maker: offers: instants near the end of time do not wrap", () => {
  const m = offers.create(plain, prng.stream(prng.key("end")));
  const at = mono(Number.MAX_SAFE_INTEGER - 10);
  const out: offers.Effect[] = [];
  offers.step(m, writable(true), at, out);
  offers.step(m, wallet(1_000_000n), at, out);
  offers.step(m, wallet(2_000_000n), at, out);
  assert.ok(offers.deadline(m) <= after(at, 600_000));
});
