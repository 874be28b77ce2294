import assert from "node:assert/strict";
import { test } from "node:test";
import { InvariantError } from "../../../core/assert.ts";
import type { ConnId } from "../../../core/ids.ts";
import * as pool from "../../../core/maker/pool.ts";
import * as prng from "../../../core/prng.ts";
import {
  challenge, directoryId, identity, location, other, ping, privateFrame, proving, publicFrame,
  result, said, signature, welcome,
} from "../../support/maker-link.ts";
import { a, b, c, config, directories, names, upWorld, world } from "../../support/maker-pool.ts";

const answer = `${identity.nick}!${other}!error no`;
const offers = (version: number, ...current: string[]): pool.Event =>
  ({ type: "offered", offers: { version, current, change: current } });

test("maker: pool: M5: all directories are dialled at once", () => {
  const w = world();
  assert.deepEqual(w.on({ type: "started" }), names.map((to) => `dial ${to}`));
  const ids = names.map((name) => w.conn(name));
  assert.deepEqual(ids, [2, 6, 10]);
  assert.ok(ids.every((id) => pool.owns(w.m, id)));
  assert.deepEqual([1, 3, 4, 14].filter((id) => pool.owns(w.m, id as ConnId)), []);
});

test("maker: pool: M5: hazard 2: a directory that hangs delays no other", () => {
  const w = world();
  w.on({ type: "started" });
  assert.deepEqual(w.accept(b, { features: [] }), [`up ${b} 1/3`, "settled reached"]);
  assert.deepEqual(w.to(199), []);
  assert.deepEqual(w.to(200).filter((x) => x.startsWith("failed")), [
    `failed ${a} dial-late`, `failed ${c} dial-late`,
  ]);
  assert.equal(w.say(answer), 1);
});

test("maker: pool: circuits are isolated as configured", () => {
  const w = world({}, [{ to: a, isolation: "directory" }, { to: b }]);
  assert.deepEqual(w.on({ type: "started" }), [`dial ${a} directory`, `dial ${b}`]);
});

test("maker: pool: startup ends with the first that is up, and waits grow faster from then", () => {
  const w = world();
  w.on({ type: "started" });
  w.on({ type: "conn.failed", conn: w.conn(a), reason: "unreachable" });
  w.accept(b);
  const waits = Array.from({ length: 3 }, () => {
    w.to(pool.deadline(w.m));
    w.on({ type: "conn.failed", conn: w.conn(a), reason: "refused" });
    const last = w.told.at(-1);
    assert.ok(last?.type === "failed");
    return [last.failures, last.retryMs] as const;
  });
  assert.deepEqual(waits.map(([n]) => n), [1, 2, 3]);
  assert.ok(waits.every(([n, ms]) => ms >= 2 ** (n + 1) && ms <= 2 ** (n + 2)));
});

test("maker: pool: hazard 17: startup in vain is told once; offers are said when one is up", () => {
  const w = world();
  w.on(offers(1, "sw0absoffer 0 1 2 0 5"));
  w.on({ type: "started" });
  const fail = (): void => {
    for (const slot of [...w.m.slots]) {
      if (slot.conn === undefined) continue;
      w.on({ type: "conn.failed", conn: slot.conn, reason: "unreachable" });
    }
  };
  const seen: string[] = [];
  for (let at = 1; at <= 500; at += 1) {
    const before = w.told.length;
    w.to(at);
    fail();
    const kinds = w.told.slice(before).map((e) => e.type);
    if (kinds.includes("settled")) seen.push(`${at} settled`);
    if (kinds.includes("all-down")) seen.push(`${at} all-down`);
  }
  assert.deepEqual(seen, ["120 settled", "120 all-down"]);
  w.to(w.now + 300);
  w.on({ type: "conn.dialed", conn: w.conn(b) });
  const shown = w.hear(b, welcome());
  assert.deepEqual(shown.filter((x) => !x.startsWith("send")), [
    `up ${b} 1/3`, `announced ${b} 1`, "all-back 1/3",
  ]);
});

test("maker: pool: startup is over to the millisecond", () => {
  const w = world();
  w.on({ type: "started" });
  assert.deepEqual(w.to(119), []);
  assert.deepEqual(w.to(120), ["settled in vain", "all-down 3 startup"]);
});

test("maker: pool: M7: all-down and all-back come once for each episode", () => {
  const w = upWorld();
  assert.deepEqual(w.close(a), [`down ${a} 2/3 eof`]);
  assert.deepEqual(w.close(b), [`down ${b} 1/3 eof`]);
  assert.deepEqual(w.close(c), [`down ${c} 0/3 eof`, "all-down 3"]);
  w.to(8);
  for (const name of names) w.on({ type: "conn.failed", conn: w.conn(name), reason: "refused" });
  w.to(40);
  assert.deepEqual(w.accept(b), [`up ${b} 1/3`, "all-back 1/3"]);
  assert.deepEqual(w.accept(a), [`up ${a} 2/3`]);
  w.close(a);
  assert.deepEqual(w.close(b).at(-1), "all-down 3");
});

test("maker: pool: hazard 7: a link that ends by malformed lines is told like any other", () => {
  const w = upWorld();
  w.close(a);
  w.close(b);
  const bad = new TextEncoder().encode("nonsense\r\n");
  const shown = w.hear(c, ...Array.from({ length: 10 }, () => bad));
  assert.deepEqual(shown.slice(1), [`down ${c} 0/3 malformed`, "all-down 3"]);
});

test("maker: pool: hazard 1: one dead directory in the fan-out does not stop the others", () => {
  const w = upWorld();
  w.on({ type: "conn.congested", conn: w.conn(a) });
  w.close(b);
  const long = `${identity.nick}!${other}!error ${"x".repeat(900)}`;
  assert.equal(w.say(long), 2);
  assert.equal(w.say(long), 2);
  const before = w.told.length;
  assert.equal(w.say(long), 1, "the first has too much waiting, and is left");
  const kinds = w.told.slice(before).map((e) => `${e.type}${"directory" in e ? e.directory : ""}`);
  assert.deepEqual(kinds, ["conn.close", `down${a}`, "conn.send"]);
  assert.equal(w.say(answer), 1);
  w.close(c);
  assert.equal(w.say(answer), 0);
});

test("maker: pool: a line goes out by the way it came", () => {
  const w = upWorld();
  assert.equal(w.say(answer, b), 1);
  const sent = w.told.at(-1);
  assert.ok(sent?.type === "conn.send" && sent.conn === w.conn(b));
  assert.deepEqual(said(sent.bytes), [`685 ${answer}`]);
  assert.equal(w.say(answer, "nowhere:1"), 0);
  w.close(b);
  assert.equal(w.say(answer, b), 0);
});

test("maker: pool: all get the same line, at once", () => {
  const w = upWorld();
  const before = w.told.length;
  assert.equal(w.say(answer), 3);
  const sent = w.told.slice(before).map((e) => (e.type === "conn.send" ? e.conn : 0));
  assert.deepEqual(sent, names.map((name) => w.conn(name)));
});

test("maker: pool: the last one that is left by an overflow is all-down", () => {
  const w = upWorld();
  w.close(a);
  w.close(b);
  w.on({ type: "conn.congested", conn: w.conn(c) });
  for (let i = 0; i < 60 && w.say(answer) === 1; i += 1);
  assert.deepEqual(w.told.slice(-2).map(({ type }) => type), ["down", "all-down"]);
});

test("maker: pool: lines longer than every peer takes, or of another, are mistakes of ours", () => {
  const w = upWorld();
  assert.throws(() => w.say(`${answer}${"x".repeat(40_000)}`), InvariantError);
  assert.throws(() => w.say(`${other}!${identity.nick}!error`), InvariantError);
});

test("maker: pool: what peers say comes with the directory that brought it", () => {
  const w = upWorld();
  assert.deepEqual(w.hear(b, publicFrame("orderbook"), privateFrame("fill 0 5")), [
    `heard ${b} ${other}!PUBLIC!orderbook`, `heard ${b} ${other}!${identity.nick}!fill 0 5`,
  ]);
});

test("maker: pool: M6: a change is said once to each that is up, later to the others", () => {
  const w = upWorld();
  w.close(c);
  assert.deepEqual(w.on(offers(1, "sw0absoffer 0 1 2 0 5")).filter((x) => x.startsWith("a")), [
    `announced ${a} 1`, `announced ${b} 1`,
  ]);
  w.to(8);
  assert.deepEqual(w.accept(c), [`up ${c} 3/3`, `announced ${c} 1`]);
});

test("maker: pool: M1: what comes late from an older connection is dropped", () => {
  const w = upWorld();
  const old = w.conn(a);
  w.close(a);
  w.to(8);
  w.accept(a);
  for (const event of [
    { type: "conn.closed", conn: old, reason: "reset" }, { type: "conn.drained", conn: old },
    { type: "conn.received", conn: old, bytes: ping }, { type: "conn.dialed", conn: old },
    { type: "conn.failed", conn: old, reason: "refused" }, { type: "conn.congested", conn: old },
  ] as const) {
    assert.deepEqual(w.on(event), [], event.type);
  }
  assert.equal(w.say(answer), 3);
});

test("maker: pool: M1: a connection that was given up is not waited for, and never two", () => {
  const w = upWorld({});
  w.to(90);
  const old = w.conn(a);
  w.to(98);
  assert.notEqual(w.conn(a), old);
  const late = w.on({ type: "conn.closed", conn: old, reason: "aborted" });
  assert.deepEqual(late, []);
});

test("maker: pool: signatures go to the link that asked, and late ones to nobody", () => {
  const list = [a, b].map((to) => ({ to, directoryId }));
  const w = world({}, list);
  w.on({ type: "started" });
  for (const name of [a, b]) w.on({ type: "conn.dialed", conn: w.conn(name) });
  assert.deepEqual(w.hear(a, welcome(proving), challenge()), ["sign 1"]);
  assert.deepEqual(w.hear(b, welcome(proving), challenge()), ["sign 2"]);
  const proof = signature(new Uint8Array(32));
  w.close(a);
  assert.deepEqual(w.on({ type: "signed", token: 1, signature: proof }), [], "too late");
  assert.deepEqual(w.on({ type: "signed", token: 2, signature: proof }), [`send ${w.conn(b)}`]);
  assert.deepEqual(w.on({ type: "signed", token: 2, signature: proof }), [], "twice");
  assert.deepEqual(w.on({ type: "signed", token: 77, signature: proof }), []);
  w.to(30);
  w.on({ type: "conn.dialed", conn: w.conn(a) });
  assert.deepEqual(w.hear(a, welcome(proving), challenge()), ["sign 3"], "a token is never reused");
  assert.deepEqual(w.on({ type: "signed", token: 1, signature: proof }), []);
  assert.deepEqual(w.hear(b, result()).slice(0, 1), [`up ${b} 1/2`]);
});

test("maker: pool: a reload leaves what is gone, keeps what stays, dials what is new", () => {
  const w = upWorld();
  const kept = w.conn(b);
  w.on(offers(1, "sw0absoffer 0 1 2 0 5"));
  const next: pool.Event = { type: "configured", directories: [{ to: b }, { to: "d.test:1" }] };
  assert.deepEqual(w.on(next), [
    `close ${w.conn(a)} flush stopped`, `close ${w.conn(c)} flush stopped`, "dial d.test:1",
  ]);
  assert.equal(w.conn(b), kept);
  assert.deepEqual(pool.views(w.m).map(({ directory }) => directory), [b, "d.test:1"]);
  assert.deepEqual(w.on({ type: "conn.closed", conn: w.conn(a), reason: "closed" }), []);
  assert.deepEqual(w.to(50), [`close ${w.conn(c)} abort closing-late`]);
  assert.equal(w.m.slots.length, 2);
  assert.deepEqual(w.accept("d.test:1"), ["up d.test:1 2/2", "announced d.test:1 1"]);
  assert.equal(w.say(answer), 2);
});

test("maker: pool: a directory that is put back does not wait for its old connection", () => {
  const w = upWorld();
  const old = w.conn(a);
  w.on({ type: "configured", directories: directories.slice(1) });
  const back = w.on({ type: "configured", directories });
  assert.deepEqual(back, [`close ${old} abort put-back`, `dial ${a}`]);
  assert.deepEqual(w.on({ type: "conn.closed", conn: old, reason: "aborted" }), []);
  assert.deepEqual(w.accept(a), [`up ${a} 3/3`]);
});

test("maker: pool: another label or id is another directory", () => {
  const w = upWorld();
  const old = w.conn(a);
  const changed = directories.map((d) => (d.to === a ? { ...d, isolation: "x" } : d));
  assert.deepEqual(w.on({ type: "configured", directories: changed }), [
    `close ${old} flush stopped`, `close ${old} abort put-back`, `dial ${a} x`,
  ]);
});

test("maker: pool: reloads in a row leave no more connections than may be configured", () => {
  const w = world();
  w.on({ type: "started" });
  for (let i = 0; i < 20; i += 1) {
    const list = Array.from({ length: 4 }, (_, k) => ({ to: `n${i}-${k}.test:1` }));
    w.on({ type: "configured", directories: list });
    for (const { to } of list) w.accept(to);
    assert.ok(w.m.slots.length <= 8);
    assert.ok(w.m.byConn.size <= 8);
  }
});

test("maker: pool: with no directory configured nothing is down", () => {
  const w = upWorld();
  w.on({ type: "configured", directories: [] });
  assert.ok(w.to(5_000).every((x) => x.startsWith("close")));
  assert.deepEqual(w.on({ type: "configured", directories: [{ to: a }] }), [
    `dial ${a}`, "all-down 1",
  ]);
  w.on({ type: "configured", directories: [] });
  assert.equal(w.m.isAllDown, false);
});

test("maker: pool: too many directories, or one twice, are mistakes of ours", () => {
  const list = (n: number) => Array.from({ length: n }, (_, i) => ({ to: `n${i}.test:1` }));
  const w = world({}, list(4));
  assert.equal(w.on({ type: "started" }).length, 4);
  for (const directories5 of [list(5), [{ to: a }, { to: a }]]) {
    const event: pool.Event = { type: "configured", directories: directories5 };
    assert.throws(() => world().on(event), InvariantError);
  }
});

test("maker: pool: a new address of ours is told to all", () => {
  const w = upWorld();
  const shown = w.on({ type: "located", location: "NOT-SERVING-ONION" });
  assert.deepEqual(shown.filter((x) => x.startsWith("down")).length, 3);
  assert.equal(shown.at(-1), "all-down 3");
});

test("maker: pool: stop leaves all in good order, once, without alarm", () => {
  const w = upWorld();
  w.close(b);
  w.told.length = 0;
  const conns = w.m.slots.flatMap((slot) => slot.conn ?? []);
  assert.deepEqual(w.on({ type: "stopped" }), conns.map((id) => `close ${id} flush stopped`));
  assert.deepEqual(w.on({ type: "stopped" }), []);
  assert.equal(w.say(answer), 0);
  const [first, second] = conns as [ConnId, ConnId];
  assert.deepEqual(w.on({ type: "conn.closed", conn: first, reason: "closed" }), []);
  assert.deepEqual(w.on({ type: "configured", directories }), [], "too late");
  assert.deepEqual(w.to(50), [`close ${second} abort closing-late`, "ended"]);
  assert.deepEqual(w.to(10_000), []);
});

test("maker: pool: stop before any connection is the end", () => {
  const w = world();
  assert.deepEqual(w.on({ type: "stopped" }), ["ended"]);
  const empty = world({}, []);
  empty.on({ type: "started" });
  assert.deepEqual(empty.on({ type: "stopped" }), ["ended"]);
});

test("maker: pool: limits that make no sense are refused", () => {
  const wrong: Partial<pool.Config>[] = [
    { startupMs: 0 }, { directoriesMax: 0 }, { connFirst: 3 }, { connFirst: 0 }, { connStride: 0 },
    { connStride: 3 }, { link: { ...config.link, dialMs: 0 } },
  ];
  for (const changes of wrong) {
    const made = { ...config, ...changes };
    assert.throws(() => pool.create(made, identity, location, prng.key("x")), InvariantError);
  }
  const w = world();
  w.on({ type: "started" });
  assert.throws(() => w.on({ type: "started" }), InvariantError);
});
