import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ascii } from "../../../core/bytes.ts";
import * as link from "../../../core/maker/link.ts";
import * as prng from "../../../core/prng.ts";
import { laws, scripts, type Run, type Subject } from "../../support/laws.ts";
import {
  challenge, config, directoryId, identity, location, ping, pong, primitives, privateFrame,
  proving, publicFrame, result, signature, welcome,
} from "../../support/maker-link.ts";

type S = { readonly m: link.Link; version: number };
type Event = link.Event | { readonly type: "post" } | { readonly type: "change" };
type Done = Run<S, Event, link.Effect>;

/** What the owner of a link does: versions of offers grow, and frames are handed over. */
function step(s: S, event: Event, now: Done["now"], out: link.Effect[]): void {
  if (event.type === "post") {
    link.post(s.m, privateFrame("error no"), now, out);
  } else if (event.type === "change") {
    s.version += 1;
    const current = [`sw0absoffer 0 1 ${s.version} 0 5`];
    const offers = { version: s.version, current, change: ["cancel 0", ...current] };
    link.step(s.m, { type: "offered", offers }, now, primitives, out);
  } else link.step(s.m, event, now, primitives, out);
}

/** Silence is noticed soon, so that runs can be short. */
const brief: link.Config = { ...config, silentMs: 400 };

function subject(lives: (run: Done) => void, settleMs = 900): Subject<S, Event, link.Effect> {
  return {
    create: () => {
      const jitter = prng.stream(prng.key("laws"));
      return { m: link.create(brief, identity, directoryId, location, jitter), version: 0 };
    },
    step,
    deadline: ({ m }) => link.deadline(m),
    tick: { type: "tick" },
    settleMs,
    holds: ({ m }) => {
      const { phase } = m.at;
      const isOpen = phase === "greeting" || phase === "challenged" || phase === "signing"
        || phase === "proved" || phase === "up";
      assert.equal(m.wire !== undefined, isOpen);
      assert.ok((m.wire?.queuedBytes ?? 0) <= config.outboxBytesMax);
      assert.ok(m.malformed < config.malformedMax);
    },
    lives,
  };
}

const bytes = fc.constantFrom(
  welcome(), welcome(), welcome(proving), welcome({ features: [] }), welcome({ accepted: false }),
  challenge(), challenge(), challenge("test:other"), result(), result(), result("invalid"),
  ping, pong, publicFrame("orderbook"), privateFrame("fill 0 5"), ascii("{\"type\": 7"),
  ascii("\n"), ascii("nonsense\r\n"), new Uint8Array(600).fill(0x61),
);
const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 12, arbitrary: bytes.map((b): Event => ({ type: "received", bytes: b })) },
  { weight: 8, arbitrary: fc.constant<Event>({ type: "dialed" }) },
  {
    weight: 6,
    arbitrary: fc.constantFrom<Event>(
      { type: "congested" }, { type: "drained" }, { type: "drained" }, { type: "post" },
      { type: "change" }, { type: "closed", reason: "eof" }, { type: "failed", reason: "refused" },
      { type: "settled" }, { type: "signed", signature: signature(new Uint8Array(32)) },
      { type: "located", location: "NOT-SERVING-ONION" }, { type: "located", location },
    ),
  },
);
const begin = { afterMs: 0, event: { type: "started", isStartup: true } as const };

test("maker: link: the four laws hold; there is always a next try", () => {
  fc.assert(fc.property(scripts(event, 150, 30, true), (script) => {
    laws(subject(({ steps, now }) => {
      // Nobody answers for 900 ms; silence ends what is up, and the longest wait is 300 ms.
      const dials = steps.filter(({ effects }) => effects.some(({ type }) => type === "dial"));
      const last = dials.at(-1)?.at ?? -1;
      assert.ok(now - last <= config.dialMs + config.retry.maxMs, `no dial since ${last}`);
      alternates(steps.flatMap(({ effects }) => effects));
    }), [begin, ...script]);
  }), { numRuns: 60 });
});

/** M1: no dial before the connection before it has ended. */
function alternates(effects: readonly link.Effect[]): void {
  let open = false;
  for (const { type } of effects) {
    if (type === "dial") {
      assert.equal(open, false, "M1: two at once");
      open = true;
    }
    if (type === "lost" || type === "ended") {
      assert.equal(open || type === "ended", true);
      open = false;
    }
    if (type === "send" || type === "up" || type === "heard") assert.ok(open);
  }
}

test("maker: link: the four laws hold through a stop; it ends once, in closingMs", () => {
  fc.assert(fc.property(scripts(event, 100, 12), scripts(event, 60, 12), (before, after) => {
    const stop = { afterMs: 5, event: { type: "stopped" } as const };
    laws(subject(({ steps }) => {
      const stoppedAt = steps.find(({ event: e }) => e.type === "stopped")?.at ?? 0;
      const ends = steps.filter(({ effects }) => effects.some(({ type }) => type === "ended"));
      assert.equal(ends.length, 1);
      assert.ok((ends[0]?.at ?? Infinity) - stoppedAt <= config.closingMs);
      const late = steps.filter(({ at }) => at > stoppedAt).flatMap(({ effects }) => effects);
      assert.ok(late.every(({ type }) => type === "close" || type === "ended"));
    }, 200), [begin, ...before, stop, ...after]);
  }), { numRuns: 80 });
});

test("maker: link: M6: what a directory was told last is what is current, whatever happens", () => {
  fc.assert(fc.property(scripts(event, 60, 40), (script) => {
    laws(subject(({ steps, state }) => {
      let told: number | undefined;
      let known = 0;
      for (const { event: e, effects } of steps) {
        if (e.type === "change") known += 1;
        for (const effect of effects) {
          if (effect.type === "up") told = undefined;
          if (effect.type !== "announced") continue;
          assert.ok(told === undefined || effect.version > told, "said twice");
          told = effect.version;
          assert.equal(told, known);
        }
      }
      assert.equal(state.version, known);
    }, 0), [begin, ...script]);
  }), { numRuns: 80 });
});
