import assert from "node:assert/strict";
import { test } from "node:test";
import { InvariantError } from "../../../core/assert.ts";
import { ascii, concat } from "../../../core/bytes.ts";
import * as link from "../../../core/maker/link.ts";
import * as prng from "../../../core/prng.ts";
import { mono, NEVER } from "../../../core/time.ts";
import {
  challenge, config, frame, identity, location, other, ping, pong, privateFrame, proving,
  publicFrame, result, said, signature, types, upWorld, welcome, world, type World,
} from "../../support/maker-link.ts";

const started = (isStartup = false): link.Event => ({ type: "started", isStartup });
const offers = (version: number, current: readonly string[], change = current): link.Offers =>
  ({ version, current, change });
const offer = (n: number): string => `sw0absoffer ${n} 30000 72590 0 500`;
const saysOffer = (n: number): string => `687 ${identity.nick}!PUBLIC!${offer(n)}`;

/** What a step said about the end of a connection. */
function ending(shown: readonly string[]): string {
  return shown.filter((line) => !line.startsWith(">")).join("; ");
}

test("maker: link: dials at once, introduces itself, and is up when it is let in", () => {
  const w = world({ id: undefined });
  assert.equal(link.deadline(w.m), NEVER);
  assert.deepEqual(w.on(started()), ["dial"]);
  assert.deepEqual(w.on({ type: "dialed" }), ["> 793"]);
  assert.equal(link.isUp(w.m), false);
  assert.deepEqual(w.hear(welcome()), ["up"]);
  assert.equal(link.isUp(w.m), true);
});

test("maker: link: the dial has its own deadline, to the millisecond", () => {
  const w = world();
  w.on(started());
  assert.deepEqual(w.to(199), []);
  assert.deepEqual(w.to(200), ["close abort dial-late", "lost dial-late 1"]);
});

test("maker: link: a dial that fails is not closed, and is tried again", () => {
  for (const reason of ["refused", "timeout", "unreachable"] as const) {
    const w = world();
    w.on(started());
    assert.deepEqual(w.on({ type: "failed", reason }), [`lost dial-${reason} 1`]);
    assert.deepEqual(w.to(8), ["dial"]);
  }
});

test("maker: link: M3: the handshake has a deadline that nothing puts off", () => {
  const w = world();
  w.on(started());
  w.now = mono(10);
  w.on({ type: "dialed" });
  for (let at = 11; at < 110; at += 1) {
    w.to(at);
    assert.equal(link.deadline(w.m), 110);
    w.hear(ping, publicFrame("orderbook"), pong);
    w.hear(ascii("{\"type\": 7"));
    w.hear(ascii("98, \"line\": \"\"}\n"));
  }
  const end = w.to(110);
  assert.deepEqual(end, ["close abort handshake-late", "lost handshake-late 1"]);
});

test("maker: link: M3: the same deadline holds through the proof", () => {
  for (const stage of [1, 2, 3]) {
    const w = world();
    w.on(started());
    w.on({ type: "dialed" });
    w.to(40);
    w.hear(welcome(proving));
    if (stage > 1) w.hear(challenge());
    if (stage > 2) w.on({ type: "signed", signature: signature(new Uint8Array(32)) });
    assert.deepEqual(w.to(99), []);
    assert.deepEqual(w.to(100), ["close abort handshake-late", "lost handshake-late 1"]);
  }
});

test("maker: link: proves its nick to a directory that asks", () => {
  const w = world();
  w.on(started());
  w.on({ type: "dialed" });
  assert.deepEqual(w.hear(welcome(proving)), []);
  assert.deepEqual(w.hear(challenge()), ["sign 32"]);
  const proof = signature(new Uint8Array(32).fill(7));
  assert.deepEqual(w.on({ type: "signed", signature: proof }), ["> 805"]);
  assert.deepEqual(w.on({ type: "signed", signature: proof }), [], "once");
  assert.deepEqual(w.hear(result()), ["up proven"]);
});

test("maker: link: welcome and challenge may come in one piece", () => {
  const w = world();
  w.on(started());
  w.on({ type: "dialed" });
  assert.deepEqual(w.hear(welcome(proving), challenge()), ["sign 32"]);
});

test("maker: link: nothing is proved if disabled, or if the id is not known", () => {
  for (const options of [{ identity: { auth: "disabled" as const } }, { id: undefined }]) {
    const w = upWorld(options, proving);
    assert.equal(ending(w.hear(challenge())), "close abort auth-order; lost auth-order up 1");
  }
  upWorld({});
});

test("maker: link: what is amiss with the proof ends the connection, with its reason", () => {
  type Case = readonly [string, (w: World) => readonly string[]];
  const asked = (w: World): World => {
    w.hear(welcome(proving));
    return w;
  };
  const proved = (w: World): World => {
    asked(w).hear(challenge());
    w.on({ type: "signed", signature: signature(new Uint8Array(32)) });
    return w;
  };
  const cases: readonly Case[] = [
    ["auth-directory", (w) => asked(w).hear(challenge("test:other"))],
    ["auth-malformed", (w) => asked(w).hear(frame(types.NICK_AUTH_CHALLENGE, "{}"))],
    ["auth-order", (w) => asked(w).hear(result())],
    ["auth-order", (w) => w.hear(challenge())],
    ["auth-order", (w) => asked(w).hear(frame(types.NICK_AUTH_PROOF, "{}"))],
    ["auth-order", (w) => proved(w).hear(challenge())],
    ["auth-malformed", (w) => proved(w).hear(frame(types.NICK_AUTH_RESULT, "{}"))],
    ["auth-refused", (w) => proved(w).hear(result("invalid"))],
    ["auth-refused", (w) => proved(w).hear(result("policy"))],
  ];
  for (const [why, run] of cases) {
    const w = world();
    w.on(started());
    w.on({ type: "dialed" });
    assert.deepEqual(run(w), [`close abort ${why}`, `lost ${why} 1`]);
  }
});

test("maker: link: require stays with nobody who does not ask", () => {
  const w = world({ identity: { auth: "require" } });
  w.on(started());
  w.on({ type: "dialed" });
  assert.equal(ending(w.hear(welcome())), "close abort auth-missing; lost auth-missing 1");
});

test("maker: link: a refusal tells what the directory says, and waits", () => {
  const w = world();
  w.on(started());
  w.on({ type: "dialed" });
  w.hear(welcome({ accepted: false, motd: "nick in use" }));
  const [last] = w.told.slice(-1);
  assert.ok(last?.type === "lost");
  assert.deepEqual([last.why, last.says, last.wasUp], ["refused", "nick in use", false]);
  assert.ok(last.retryMs >= 4 && last.retryMs <= 8);
});

test("maker: link: a directory of another network, or a malformed welcome, is left", () => {
  for (const [bytes, why] of [
    [welcome({ network: "mainnet" }), "network"], [frame(types.DN_HANDSHAKE, "{}"), "handshake"],
  ] as const) {
    const w = world();
    w.on(started());
    w.on({ type: "dialed" });
    assert.equal(ending(w.hear(bytes)), `close abort ${why}; lost ${why} 1`);
  }
});

test("maker: link: PING is answered in the step that reads it, in every phase", () => {
  const w = world();
  w.on(started());
  w.on({ type: "dialed" });
  assert.deepEqual(w.hear(ping), ["> 799"]);
  w.hear(welcome(proving));
  assert.deepEqual(w.hear(ping), ["> 799"]);
  w.hear(challenge());
  assert.deepEqual(w.hear(ping), ["> 799"]);
  w.on({ type: "signed", signature: signature(new Uint8Array(32)) });
  assert.deepEqual(w.hear(ping), ["> 799"]);
  w.hear(result());
  assert.deepEqual(w.hear(ping, ping), ["> 799, > 799"], "one write");
});

test("maker: link: hazard 6: lines that came before the end are handed on", () => {
  const w = upWorld();
  const long = new Uint8Array(config.lineBytesMax + 1).fill(0x61);
  const shown = w.hear(publicFrame("orderbook"), privateFrame("fill 0 5"), ping, long);
  assert.deepEqual(shown, [
    `heard public ${other}!PUBLIC!orderbook`, `heard private ${other}!${identity.nick}!fill 0 5`,
    "close abort line-too-long", "lost line-too-long up 1",
  ]);
});

test("maker: link: nothing that peers say is handed on before the registration", () => {
  const w = world();
  w.on(started());
  w.on({ type: "dialed" });
  assert.deepEqual(w.hear(publicFrame("orderbook"), privateFrame("fill 0 5")), []);
  assert.deepEqual(w.hear(welcome(), privateFrame("fill 0 5")), [
    "up", `heard private ${other}!${identity.nick}!fill 0 5`,
  ]);
});

test("maker: link: lines come out the same however they are cut", () => {
  const whole = concat([publicFrame("orderbook"), ping, privateFrame("fill 0 5")]);
  const once = upWorld().on({ type: "received", bytes: whole }).filter((x) => x.startsWith("h"));
  const w = upWorld();
  const dripped = Array.from(whole, (byte) => w.hear(Uint8Array.of(byte))).flat();
  assert.deepEqual(dripped.filter((x) => x.startsWith("h")), once);
  assert.equal(once.length, 2);
});

test("maker: link: a line of exactly the limit is read, one byte more ends the connection", () => {
  const line = (bytes: number): Uint8Array => concat([
    ascii(`{"type": 2, "line": "${"x".repeat(bytes - 23)}"}`), ascii("\r\n"),
  ]);
  const w = upWorld();
  assert.deepEqual(w.hear(line(config.lineBytesMax)), []);
  assert.equal(
    ending(w.hear(line(config.lineBytesMax + 1))),
    "close abort line-too-long; lost line-too-long up 1",
  );
});

test("maker: link: what is not for makers is passed over", () => {
  const w = upWorld();
  const rest = [types.PEERLIST, types.GETPEERLIST, types.LOCAL_CONNECT, types.LOCAL_DISCONNECT,
    types.LOCAL_CONNECT_IN, types.DISCONNECT, types.HANDSHAKE, 12_345];
  for (const type of rest) assert.deepEqual(w.hear(frame(type, "x")), []);
  assert.deepEqual(w.hear(welcome({ accepted: false })), [], "a second 795 means nothing");
});

test("maker: link: hazard 7: ten malformed lines in a row end it, and that is said", () => {
  const w = upWorld();
  const bad = ascii("nonsense\r\n");
  for (let i = 0; i < 9; i += 1) assert.deepEqual(w.hear(bad), []);
  w.hear(ping);
  for (let i = 0; i < 9; i += 1) assert.deepEqual(w.hear(bad), [], "a good line begins anew");
  assert.deepEqual(w.hear(bad), ["close abort malformed", "lost malformed up 1"]);
  assert.equal(w.m.malformedTotal, 19);
});

test("maker: link: no peer ends our connection with relayed malformed lines", () => {
  const w = upWorld();
  for (const head of ["{\"type\": 687, \"line\": ", "{\"type\":685,\"line\":"]) {
    const bad = ascii(`${head}"${other}!PUBLIC!\\ud800"}\r\n`);
    for (let i = 0; i < 50; i += 1) assert.deepEqual(w.hear(bad), []);
  }
  assert.equal(w.m.malformedTotal, 100);
  assert.equal(link.isUp(w.m), true);
});

test("maker: link: M2: waits double, and neither a connection nor a welcome is proof", () => {
  const w = world();
  w.on(started());
  for (let n = 0; n < 12; n += 1) {
    w.on({ type: "dialed" });
    if (n % 2 === 0) w.hear(welcome());
    w.on({ type: "closed", reason: "eof" });
    const [last] = w.told.slice(-1);
    assert.ok(last?.type === "lost");
    const top = Math.min(8 * 2 ** n, 300);
    assert.ok(last.retryMs >= top / 2 && last.retryMs <= top, `${n}: ${last.retryMs}`);
    assert.equal(last.failures, n + 1);
    w.to(w.now + last.retryMs - 1);
    assert.equal(w.m.at.phase, "waiting");
    assert.deepEqual(w.to(w.now + 1), ["dial"]);
  }
});

test("maker: link: proof of health is a frame after healthyMs of being up, to the ms", () => {
  for (const [at, failures] of [[399, 4], [400, 1]] as const) {
    const w = world();
    w.on(started());
    for (let i = 0; i < 3; i += 1) {
      w.on({ type: "failed", reason: "refused" });
      w.to(link.deadline(w.m));
    }
    w.on({ type: "dialed" });
    w.hear(welcome({ features: [] }));
    const upAt = w.now;
    w.to(upAt + at);
    w.hear(publicFrame("orderbook"));
    w.to(upAt + 500);
    w.on({ type: "closed", reason: "reset" });
    const [last] = w.told.slice(-1);
    assert.ok(last?.type === "lost" && last.failures === failures, `${at}`);
  }
});

test("maker: link: half a frame, or being up in silence, proves no health", () => {
  const w = world();
  w.on(started());
  w.on({ type: "failed", reason: "refused" });
  w.to(8);
  w.on({ type: "dialed" });
  w.hear(welcome({ features: [] }));
  w.to(900);
  w.hear(ascii("{\"type\":"));
  w.hear(ascii("nonsense\r\n"));
  w.on({ type: "closed", reason: "reset" });
  const [last] = w.told.slice(-1);
  assert.ok(last?.type === "lost" && last.failures === 2);
});

test("maker: link: startup has waits of its own, and they count for nothing afterwards", () => {
  const w = world();
  w.on(started(true));
  const tops = [5, 7, 10, 15, 22, 30, 30];
  for (const top of tops) {
    w.on({ type: "failed", reason: "unreachable" });
    const [last] = w.told.slice(-1);
    assert.ok(last?.type === "lost" && last.failures === 0);
    assert.ok(last.retryMs >= top / 2 && last.retryMs <= top);
    w.to(w.now + last.retryMs);
  }
  w.on({ type: "settled" });
  assert.deepEqual(w.on({ type: "failed", reason: "refused" }), ["lost dial-refused 1"]);
});

test("maker: link: a spent limit on retries means rarely, never never", () => {
  const w = world({ config: { retriesMax: 2 } });
  w.on(started());
  const waits = Array.from({ length: 20 }, () => {
    w.on({ type: "failed", reason: "refused" });
    const [last] = w.told.slice(-1);
    assert.ok(last?.type === "lost");
    assert.deepEqual(w.to(w.now + last.retryMs), ["dial"]);
    return last.retryMs;
  });
  assert.ok(waits.slice(0, 2).every((ms) => ms <= 16));
  assert.ok(waits.slice(2).every((ms) => ms >= 1_800 && ms <= 3_600));
});

test("maker: link: M4: silence is asked about and then ends the connection", () => {
  const w = upWorld();
  assert.deepEqual(w.to(59), []);
  assert.deepEqual(w.to(60), ["> 798"]);
  w.hear(pong);
  assert.deepEqual(w.to(119), []);
  assert.deepEqual(w.to(149), ["> 798"]);
  assert.deepEqual(w.to(150), ["close abort no-pong", "lost no-pong up 1"]);
});

test("maker: link: M4: a directory that did not say it knows PING is never asked", () => {
  const w = upWorld({}, { features: [] });
  assert.deepEqual(w.to(1_799), []);
  assert.deepEqual(w.to(1_800), ["close abort silent", "lost silent up 1"]);
});

test("maker: link: hazard 2: a directory that takes nothing blocks nobody, and is left", () => {
  const w = upWorld({}, { features: [] });
  w.on({ type: "congested" });
  assert.deepEqual(w.hear(ping), [], "the answer waits");
  assert.equal(w.post(publicFrame("x")), true);
  assert.deepEqual(w.to(69), []);
  assert.deepEqual(w.to(70), ["close abort stuck", "lost stuck up 1"]);
});

test("maker: link: what waited goes out in order, in one write, when there is room again", () => {
  const w = upWorld();
  w.on({ type: "congested" });
  w.hear(ping);
  w.post(privateFrame("error a"));
  const [line] = w.on({ type: "drained" });
  assert.equal(line, `> 799, > 685 ${other}!${identity.nick}!error a`);
});

test("maker: link: hazard 2: the outbox is bounded, and its end is the connection's", () => {
  const w = upWorld();
  w.on({ type: "congested" });
  const full = frame(types.PRIVMSG, `${identity.nick}!${other}!x ${"y".repeat(400)}`);
  const fits = Math.floor(config.outboxBytesMax / full.length);
  for (let i = 0; i < fits; i += 1) assert.equal(w.post(full), true);
  assert.equal(w.post(full), false);
  const [close, last] = w.told.slice(-2);
  assert.deepEqual([close?.type, last?.type === "lost" && last.why], ["close", "outbox-full"]);
  assert.equal(w.post(full), false, "not up");
});

test("maker: link: a flood of PINGs from a directory that reads nothing is bounded", () => {
  const w = upWorld();
  w.on({ type: "congested" });
  const end = w.hear(...Array.from({ length: 200 }, () => ping));
  assert.deepEqual(end, ["close abort outbox-full", "lost outbox-full up 1"]);
});

test("maker: link: M6: offers are said once on each connection, each its own line", () => {
  const w = world();
  w.on({ type: "offered", offers: offers(1, [offer(0), offer(1)], ["cancel 7"]) });
  w.on(started());
  w.on({ type: "dialed" });
  const both = `> ${saysOffer(0)}, > ${saysOffer(1)}`;
  assert.deepEqual(w.hear(welcome()), ["up", "announced 1 2", both]);
  w.on({ type: "closed", reason: "eof" });
  w.to(8);
  w.on({ type: "dialed" });
  assert.deepEqual(w.hear(welcome()), ["up", "announced 1 2", both], "again, and no cancel");
  assert.deepEqual(w.to(50), []);
});

test("maker: link: M6: a change is said once, with what it withdraws", () => {
  const w = upWorld();
  const change = ["cancel 0", offer(1)];
  const event: link.Event = { type: "offered", offers: offers(4, [offer(1)], change) };
  const withdraws = `> 687 ${identity.nick}!PUBLIC!cancel 0, > ${saysOffer(1)}`;
  assert.deepEqual(w.on(event), ["announced 4 2", withdraws]);
  assert.deepEqual(w.on(event), [], "the same version again");
});

test("maker: link: M6: a change during the handshake is part of what is current", () => {
  const w = world();
  w.on({ type: "offered", offers: offers(1, [offer(0)]) });
  w.on(started());
  w.on({ type: "dialed" });
  assert.deepEqual(w.on({ type: "offered", offers: offers(2, [offer(1)], ["cancel 0"]) }), []);
  assert.deepEqual(w.hear(welcome()), ["up", "announced 2 1", `> ${saysOffer(1)}`]);
});

test("maker: link: M6: announcements wait for a congested directory, and keep their order", () => {
  const w = upWorld();
  w.on({ type: "congested" });
  w.on({ type: "offered", offers: offers(1, [offer(0)]) });
  w.on({ type: "offered", offers: offers(2, [], ["cancel 0"]) });
  assert.deepEqual(w.on({ type: "drained" }), [
    `> ${saysOffer(0)}, > 687 ${identity.nick}!PUBLIC!cancel 0`,
  ]);
});

test("maker: link: M6: a bond, too many lines or an older version are mistakes of ours", () => {
  const lines = Array.from({ length: config.announcedMax + 1 }, (_, i) => `cancel ${i}`);
  const roomy = upWorld({ config: { outboxBytesMax: 100_000 } });
  const most = roomy.on({ type: "offered", offers: offers(1, lines.slice(1)) });
  assert.equal(most[0], `announced 1 ${config.announcedMax}`);
  for (const wrong of [[`${offer(0)}!tbond AA`], ["tbond AA"], lines]) {
    const w = upWorld();
    const event: link.Event = { type: "offered", offers: offers(1, wrong) };
    assert.throws(() => w.on(event), InvariantError);
  }
  const w = upWorld();
  w.on({ type: "offered", offers: offers(5, []) });
  assert.throws(() => w.on({ type: "offered", offers: offers(4, []) }), InvariantError);
});

test("maker: link: a new address of ours is told by dialling anew, and is no failure", () => {
  const w = upWorld();
  assert.deepEqual(w.on({ type: "located", location }), [], "the same");
  const here = "NOT-SERVING-ONION";
  const end = w.on({ type: "located", location: here });
  assert.deepEqual(end, ["close abort relocated", "lost relocated up 0"]);
  w.to(8);
  w.on({ type: "dialed" });
  const [last] = w.told.slice(-1);
  assert.ok(last?.type === "send" && said(last.bytes)[0]?.includes(here));
});

test("maker: link: a new address before the introduction costs nothing", () => {
  const w = world();
  w.on(started());
  assert.deepEqual(w.on({ type: "located", location: "NOT-SERVING-ONION" }), []);
  assert.deepEqual(w.on({ type: "dialed" }), ["> 793"]);
});

test("maker: link: stop closes in good order, and resets what does not go", () => {
  const w = upWorld();
  assert.deepEqual(w.on({ type: "stopped" }), ["close flush stopped"]);
  assert.deepEqual(w.on({ type: "stopped" }), [], "idempotent");
  assert.deepEqual(w.hear(publicFrame("orderbook")), []);
  assert.deepEqual(w.to(49), []);
  assert.deepEqual(w.to(50), ["close abort closing-late", "ended"]);
  assert.equal(link.deadline(w.m), NEVER);
});

test("maker: link: stop in every phase leaves nothing behind", () => {
  const ways: readonly [string, (w: World) => void, readonly string[]][] = [
    ["fresh", () => undefined, ["ended"]],
    ["dialing", (w) => w.on(started()), ["close abort stopped", "ended"]],
    ["waiting", (w) => {
      w.on(started());
      w.on({ type: "failed", reason: "refused" });
    }, ["ended"]],
    ["greeting", (w) => {
      w.on(started());
      w.on({ type: "dialed" });
    }, ["close flush stopped"]],
  ];
  for (const [phase, reach, ends] of ways) {
    const w = world();
    reach(w);
    assert.equal(w.m.at.phase, phase);
    assert.deepEqual(w.on({ type: "stopped" }), ends);
  }
  const w = upWorld();
  w.on({ type: "stopped" });
  assert.deepEqual(w.on({ type: "closed", reason: "closed" }), ["ended"]);
});

test("maker: link: the last words go out before the close", () => {
  const w = upWorld();
  w.on({ type: "offered", offers: offers(1, [], ["cancel 0"]) });
  w.on({ type: "stopped" });
  assert.deepEqual(w.told.slice(-2).map(({ type }) => type), ["send", "close"]);
});

test("maker: link: what comes late changes nothing", () => {
  const w = upWorld();
  w.on({ type: "closed", reason: "eof" });
  for (const event of [
    { type: "closed", reason: "eof" }, { type: "received", bytes: ping }, { type: "congested" },
    { type: "drained" }, { type: "dialed" }, { type: "failed", reason: "refused" },
    { type: "signed", signature: new Uint8Array(70) },
  ] as const) {
    assert.deepEqual(w.on(event), [], event.type);
  }
});

test("maker: link: limits that make no sense are refused", () => {
  link.check(link.defaults);
  const jitter = prng.stream(prng.key("x"));
  const wrong: Partial<link.Config>[] = [
    { dialMs: 0 }, { handshakeMs: 0.5 }, { closingMs: 0 }, { healthyMs: 0 }, { malformedMax: 0 },
    { announcedMax: 0 }, { idleMs: 0 }, { retriesMax: -1 },
  ];
  for (const changes of wrong) {
    const c = { ...config, ...changes };
    assert.throws(() => link.create(c, identity, undefined, location, jitter), InvariantError);
  }
  assert.throws(() => link.create(config, identity, "X|Y", location, jitter), InvariantError);
  const w = upWorld();
  assert.throws(() => w.on(started()), InvariantError);
});
