import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as guardian from "../../../core/ark/guardian.ts";
import { done, unavailable, type Answer, type Exit, type Vtxo } from "../../../core/ark/wallet.ts";
import * as prng from "../../../core/prng.ts";
import { config as usual, vtxo } from "../../support/ark-guard.ts";
import { effectsOf, laws, scripts, type Run, type Subject } from "../../support/laws.ts";

/** Heights are believed at once, so that exits are begun in a short script. */
const config: guardian.Config = {
  ...usual, expiry: { ...usual.expiry, proofMs: 0, proofAnswers: 1 },
};
const hour = 3_600_000;
const ids = ["a:0", "b:0", "c:0", "d:0"];

function listOf(list: readonly string[]): readonly Vtxo[] {
  return list.map((id, i) => vtxo(id, { expiryHeight: 1_015 + i * 40 }));
}

function leaving(...states: Exit["state"][]): fc.Arbitrary<readonly Exit[]> {
  return fc.subarray(ids, { maxLength: 2 }).chain((list) => fc.constantFrom(...states).map(
    (state) => list.map((id) => ({ vtxo: id, state, claimableHeight: undefined }))));
}

const failures: fc.Arbitrary<Answer> = fc.constantFrom<Answer>(
  unavailable("timeout", "x", "x"), unavailable("busy", "x", "x"),
  { ok: false, why: "unsupported" }, { ok: false, why: "absent" },
  { ok: false, why: "rejected", fault: { code: "x", text: "x" }, ids: ["b:0", "none:0"] },
);

type Drawn = {
  readonly height: number; readonly vtxos: readonly Vtxo[]; readonly exits: readonly Exit[];
  readonly failure: Answer | undefined; readonly isDurable: boolean;
};

/** What the world does next: the oldest call is answered, or the oldest record has its fate. */
type Act =
  | { readonly type: "world"; readonly drawn: Drawn }
  | guardian.Event;

type Host = {
  readonly m: guardian.Guardian;
  readonly calls: { readonly token: number; readonly op: string }[];
  readonly records: number[];
};

function answerTo(op: string, { height, vtxos: list, exits: leaving, failure }: Drawn): Answer {
  if (failure !== undefined) return failure;
  switch (op) {
    case "tip": return done({ op, height });
    case "vtxos": return done({ op, vtxos: list });
    case "exits": return done({ op, exits: leaving });
    case "pending": return done({ op, vtxos: list.slice(1).map(({ id }) => id) });
    case "exit-fee": return done({ op, isFundable: height % 2 === 0, feeSat: 9n, txs: 1 });
    case "refresh": return done({ op, roundId: 1, isConfirmed: false });
    case "exit": case "claim": return done({ op });
    default: return unavailable("other", "x", "x");
  }
}

function step(h: Host, act: Act, now: guardian.Guardian["lookAt"], out: guardian.Effect[]): void {
  const event = eventOf(h, act);
  if (event === undefined) return;
  const from = out.length;
  guardian.step(h.m, event, now, out);
  for (const effect of out.slice(from)) {
    if (effect.type === "call") h.calls.push({ token: effect.token, op: effect.call.op });
    if (effect.type === "record") h.records.push(effect.token);
  }
}

function eventOf(h: Host, act: Act): guardian.Event | undefined {
  if (act.type !== "world") return act;
  const { drawn } = act;
  const token = h.records.shift();
  if (token !== undefined) return { type: drawn.isDurable ? "durable" : "refused", token };
  const call = h.calls.shift();
  if (call === undefined) return undefined;
  return { type: "answered", token: call.token, answer: answerTo(call.op, drawn) };
}

type Odds = {
  readonly height: fc.Arbitrary<number>;
  readonly vtxos: fc.Arbitrary<readonly Vtxo[]>;
  readonly exits: fc.Arbitrary<readonly Exit[]>;
  /** So many answers are well for each that fails. */
  readonly wellPerFailure: number;
};

/** Anything may be said at any time: lists come and go, heights leap. */
const wild: Odds = {
  height: fc.oneof(fc.integer({ min: 990, max: 1_060 }), fc.constant(70_000)),
  vtxos: fc.subarray(ids).map(listOf), wellPerFailure: 5,
  exits: leaving("start", "processing", "claimable", "claimed", "canceled"),
};

/** What is shown stays, so that what is due is also asked for: `a:0` must leave, `b:0` is due. */
const calm: Odds = {
  height: fc.integer({ min: 1_000, max: 1_005 }), vtxos: fc.constant(listOf(ids)),
  exits: fc.oneof({ weight: 4, arbitrary: fc.constant([]) }, leaving("claimable")),
  wellPerFailure: 20,
};

function actsOf({ wellPerFailure, ...said }: Odds): fc.Arbitrary<Act> {
  const well = { weight: wellPerFailure, arbitrary: fc.constant(undefined) };
  const world: fc.Arbitrary<Act> = fc.record({
    type: fc.constant("world" as const),
    drawn: fc.record({
      ...said, failure: fc.oneof(well, failures),
      isDurable: fc.integer({ min: 0, max: wellPerFailure }).map((n) => n > 0),
    }),
  });
  return fc.oneof({ weight: 30, arbitrary: world }, strays);
}

const strays: fc.Arbitrary<Act> = fc.constantFrom<Act>(
  { type: "nudged" }, { type: "anchored", unixMs: 1_763_000_000_000 },
  { type: "answered", token: 999, answer: unavailable("other", "x", "x") },
  { type: "durable", token: 999 }, { type: "refused", token: 999 },
);

/** Refreshes come to nothing soon, so that there are exits, too. */
const hasty: guardian.Config = { ...config, refresh: { ...config.refresh, unsureMs: 1_800_000 } };

const subject: Subject<Host, Act, guardian.Effect> = {
  create: (now) => {
    const m = guardian.create(hasty, prng.key("laws"), now);
    guardian.step(m, { type: "anchored", unixMs: 1_763_000_000_000 }, now, []);
    guardian.step(m, { type: "opened" }, now, []);
    return { m, calls: [], records: [] };
  },
  step, deadline: (h) => guardian.deadline(h.m), tick: { type: "tick" }, settleMs: 12 * hour,
  holds: ({ m, calls }) => {
    const { book } = m.drive;
    assert.ok(book.open.size <= config.intents.openMax);
    assert.equal(book.open.size, m.drive.held.size);
    const inOpen = [...book.open.values()].flatMap((intent) => intent.vtxos);
    assert.equal(new Set(inOpen).size, inOpen.length, "one open intent for each");
    const looks = calls.filter(({ op }) => !["refresh", "exit", "claim"].includes(op));
    assert.ok(looks.length <= 1, "one call in the lane of looks");
    for (const op of ["refresh", "exit", "claim"]) {
      assert.ok(calls.filter((call) => call.op === op).length <= 1, "one call in a lane");
    }
  },
  lives,
};

/** Law 4: the wallet is looked at within two looks' time, unless a look has no answer yet. */
function lives(run: Run<Host, Act, guardian.Effect>): void {
  const looks = effectsOf(run).filter(({ effect }) => effect.type === "call"
    && effect.lane === "look");
  const lastAt = looks.at(-1)?.at ?? 0;
  const isWaiting = run.state.m.reading !== undefined;
  assert.ok(isWaiting || run.now - lastAt <= 2 * config.lookMs, `${run.now - lastAt}`);
}

test("ark: guardian: the four laws", () => {
  const asked = new Set<string>();
  for (const odds of [wild, calm]) {
    const all = scripts(actsOf(odds), 10 * 60_000, 120);
    fc.assert(fc.property(all, (script) => {
      for (const { effect } of effectsOf(laws(subject, script))) {
        if (effect.type === "call") asked.add(effect.call.op);
      }
    }), { numRuns: 30 });
  }
  for (const op of ["refresh", "exit", "claim", "exit-fee"]) assert.ok(asked.has(op), op);
});
