/**
 * The laws of the maker's root, in random worlds; and a day with eight directories.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as envelope from "../../../core/joinmarket/envelope.ts";
import * as kernel from "../../../core/kernel/kernel.ts";
import { defaults } from "../../../core/maker/config.ts";
import * as offers from "../../../core/maker/offers.ts";
import * as maker from "../../../core/maker/maker.ts";
import type { Target } from "../../../core/notify/target.ts";
import * as prng from "../../../core/prng.ts";
import { mono } from "../../../core/time.ts";
import { poisoned } from "../../support/laws.ts";
import * as chains from "../../support/maker-chain.ts";
import * as rig from "../../support/maker.ts";
import * as rules from "../../support/maker-rules.ts";
import * as takers from "../../support/maker-taker.ts";
import { primitives } from "../../support/primitives.ts";

const target: Target = { kind: "webhook", to: "notice:0", path: "/", priorityMin: "low" };
const notify = { ...defaults.notify, targets: [target] };
const dayMs = 86_400_000;

type Act = { readonly afterMs: number; readonly what: string; readonly n: number };

const whats = [
  "cut", "blackhole", "heal", "refused", "hang", "warming", "html", "up", "coins", "mine", "fork",
  "slow", "full", "io", "room", "mute", "sign", "503", "never", "200", "ask", "fill", "garbage",
  "leave", "rescan", "search", "reload", "clock", "die", "stray",
] as const;

const scripts = fc.array(fc.record({
  afterMs: fc.oneof(
    fc.constant(0), fc.integer({ min: 1, max: 20 }), fc.integer({ min: 0, max: 150_000 }),
  ),
  what: fc.constantFrom(...whats), n: fc.integer({ min: 0, max: 7 }),
}), { minLength: 3, maxLength: 24, size: "max" });

/** One thing that happens to a maker. */
function act(r: rig.Rig, { what, n }: Act): void {
  const to = rig.nameOf(n % 2);
  const { chain, disk } = r;
  switch (what) {
    case "cut": case "blackhole":
      return rig.cut(r, to, what === "cut" ? "refused" : "blackhole");
    case "heal": return rig.heal(r, to);
    case "refused": case "hang": case "warming": case "html": case "up":
      return void (chain.mode = what);
    case "coins":
      chain.coins = Array.from({ length: n }, (_, i) => ({
        n: 1 + i, mixdepth: i % 2 === 0 ? 0 : 1, sat: BigInt(n * 1_000_000 + i), confirmations: i,
      }));
      return chains.mine(chain, 0);
    case "mine": return chains.mine(chain, 1);
    case "fork": return void (chain.branch = n);
    case "slow": return void (chain.delayMs = n * 7_000);
    case "full": case "io": return void (disk.fault = what);
    case "room": return void (disk.fault = "none");
    case "mute": case "sign": return void (r.signs = what === "sign");
    case "503": return void (r.notifies = 503);
    case "never": return void (r.notifies = "never");
    case "200": return void (r.notifies = 200);
    case "rescan": return rig.push(r, { type: "operator.rescan", fromHeight: undefined });
    case "search": return rig.push(r, { type: "operator.rescan", fromHeight: n });
    case "clock":
      return rig.push(r, { type: "clock.anchored", unixMs: rig.startedUnixMs + (n - 4) * dayMs });
    case "die":
      rig.die(r, n > 2);
      return rig.boot(r);
    case "stray":
      rig.push(r, { type: "req.done", req: 9_000 + n, status: 200, body: "{}" });
      rig.push(r, { type: "sign.given", req: 9_000 + n, signature: new Uint8Array(8) });
      return rig.push(r, { type: "store.failed", req: 9_000 + n, reason: "io" });
    default: return talk(r, what, n);
  }
}

function talk(r: rig.Rig, what: string, n: number): void {
  if (what === "reload") return reload(r, n);
  const t = takers.taker(n);
  const guest = takers.visit(r, t);
  const { types } = envelope;
  if (what === "leave") {
    guest.isGone = true;
    return rig.push(r, { type: "conn.closed", conn: guest.conn, reason: "reset" });
  }
  rig.say(r, guest, what === "ask" ? envelope.encode(types.PUBMSG, `${t.nick}!PUBLIC!orderbook`)
    : what === "fill" ? envelope.encode(types.PRIVMSG, takers.line(t, "fill", `${n} 1 2 3`))
    : Uint8Array.of(n, 10, 13, 0x7b, 10));
}

function reload(r: rig.Rig, n: number): void {
  const { config } = r.kernel.state;
  const { guard, reports, logLevel } = config;
  const all = [0, 1].map((i) => rig.nameOf(i)).filter((_, i) => n % 4 !== i);
  const directories = all.map((to) => ({ to, directoryId: to, isolation: "directory" }));
  const offers = { ...config.offers, backendGraceMs: n * 20_000 };
  rig.push(r, {
    type: "operator.reload", settings: { directories, offers, guard, notify, reports, logLevel },
  });
}

function mended(r: rig.Rig): void {
  r.chain.mode = "up";
  r.chain.delayMs = 5;
  r.disk.fault = "none";
  r.signs = true;
  r.notifies = 200;
  for (const to of r.directories.keys()) rig.heal(r, to);
  reload(r, 3);
}

/** Law 3: the script of the last life, on a fresh process while ambient clocks throw. */
function replayed(r: rig.Rig): void {
  const [first] = r.script;
  const at = mono(first!.at);
  const k = poisoned(() => kernel.create(
    maker.root(primitives), maker.create(r.config, prng.key("rig"), primitives, at), at, false,
  ));
  for (const { at: now, event, told } of r.script) {
    assert.equal(rules.shown(poisoned(() => kernel.step(k, event, mono(now)))), told);
  }
  assert.deepEqual(k.state, r.kernel.state);
}

const hasCoins = (r: rig.Rig): boolean => (
  r.chain.coins.some(({ sat, confirmations }) => sat >= 1_000_000n && confirmations > 0)
);

/** Law 4: once nothing is wrong any more, half an hour makes everything well. */
function lives(r: rig.Rig): void {
  const d = r.kernel.state;
  rig.pass(r, 1_800_000);
  assert.equal(d.pool.slots.filter(({ link }) => link.at.phase === "up").length, 2);
  rules.settled(r.rules, d);
  assert.equal(d.wallet.backend.state, "up");
  // What a process finds in a file and cannot sync is for a person to look at.
  const isBroken = d.journal.at.phase === "broken";
  assert.equal(d.isRestored, !isBroken);
  assert.equal(offers.current(d.offers).length > 0, !isBroken && hasCoins(r));
  const owed = (): number[] => [d.asked.size, d.recorded.size, d.signing.size, d.replies];
  // What is asked at intervals may be on its way just now; an answer takes a few milliseconds.
  for (let i = 0; i < 100 && owed().some((n) => n > 0); i += 1) rig.pass(r, 1);
  assert.deepEqual(owed(), [0, 0, 0, 0]);
  rig.push(r, { type: "operator.stop" });
  rig.pass(r, d.config.drainMs);
  assert.equal(r.isStopped, true);
}

function world(script: readonly Act[], isStrict: boolean): void {
  const r = rig.start({ directories: 2, config: { notify }, isStrict });
  for (const one of script) {
    rig.pass(r, one.afterMs);
    act(r, one);
  }
  mended(r);
  lives(r);
  replayed(r);
}

test("maker: laws: a random world, and in the end all is well", () => {
  fc.assert(fc.property(scripts, (script) => world(script, false)), { numRuns: 10 });
});

test("maker: laws: early ticks change nothing, and every step is the same on a copy", () => {
  fc.assert(fc.property(scripts, (script) => {
    const r = rig.start({ directories: 1, config: { notify }, isStrict: true });
    rig.addDirectory(r, rig.nameOf(1));
    for (const one of script) {
      rig.pass(r, one.afterMs);
      act(r, one);
    }
    mended(r);
    rig.pass(r, 60_000);
  }), { numRuns: 3 });
});

test("maker: a day with eight directories: each hears us, nothing grows", () => {
  const r = rig.start({ directories: 8, config: { notify } });
  rig.pass(r, 10_000);
  for (let hour = 0; hour < 24; hour += 1) {
    chains.mine(r.chain);
    rig.pass(r, 3_600_000);
  }
  const d = r.kernel.state;
  assert.equal(r.rules.lines.length, 8);
  assert.equal(d.pool.slots.filter(({ link }) => link.at.phase === "up").length, 8);
  rules.settled(r.rules, d);
  assert.ok(r.steps < 100_000, `${r.steps} steps`);
  const { asked, recorded, signing, waiting } = d;
  assert.deepEqual([asked, recorded, signing, waiting].map(({ size }) => size), [0, 0, 0, 0]);
  assert.equal(r.logs.filter(({ level }) => level === "warn" || level === "error").length, 0);
});
