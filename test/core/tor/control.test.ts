import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ascii, text } from "../../../core/bytes.ts";
import { secret } from "../../../core/secret.ts";
import { mono, NEVER } from "../../../core/time.ts";
import * as control from "../../../core/tor/control.ts";
import { laws, scripts, type Run, type Subject } from "../../support/laws.ts";
import { primitives } from "../../support/primitives.ts";
import { fakeTor, talk, type FakeTor, type Talk } from "../../support/tor.ts";

const config: control.Config = {
  ...control.defaults, dialMs: 100, hostMs: 200, replyMs: 300, commandsMax: 2,
};

type Bench = {
  readonly m: control.Control;
  readonly tor: FakeTor;
  at: number;
  talk: Talk;
  /** What the machine asked for and nobody answered. */
  asked: control.Effect[];
};

function bench(limits: Partial<control.Config> = {}, tor = fakeTor()): Bench {
  const m = control.create({ ...config, ...limits });
  return { m, tor, at: 0, talk: talk(tor), asked: [] };
}

function say(b: Bench, event: control.Event): readonly control.Effect[] {
  const out: control.Effect[] = [];
  control.step(b.m, event, mono(b.at), primitives, out);
  b.asked.push(...out);
  return out;
}

/** Takes the next effect, which is of this type. */
function next<T extends control.Effect["type"]>(
  b: Bench, type: T,
): Extract<control.Effect, { type: T }> {
  const one = b.asked.shift();
  assert.equal(one?.type, type);
  return one as Extract<control.Effect, { type: T }>;
}

/** Tor answers the line that was just sent. */
function answer(b: Bench): void {
  const { link, bytes } = next(b, "send");
  tell(b, b.talk.say(text(bytes.secret)), link);
}

function tell(b: Bench, words: string, link = b.m.link): void {
  say(b, { type: "received", link, bytes: secret(ascii(words)) });
}

function dialed(b: Bench): void {
  say(b, { type: "wanted" });
  say(b, { type: "dialed", link: next(b, "dial").link });
}

function giveCookie(b: Bench, cookie = b.tor.cookie): void {
  const { req, path } = next(b, "cookie.want");
  assert.equal(path, "/run/tor/cookie");
  say(b, { type: "cookie.given", req, cookie: secret(cookie) });
}

function giveNonce(b: Bench): void {
  const { req, size } = next(b, "nonce.want");
  assert.equal(size, 32);
  say(b, { type: "nonce.given", req, bytes: new Uint8Array(32).fill(b.at & 0xff) });
}

function ready(limits: Partial<control.Config> = {}): Bench {
  const b = bench(limits);
  dialed(b);
  answer(b);
  giveCookie(b);
  giveNonce(b);
  answer(b);
  answer(b);
  assert.deepEqual(next(b, "ready"), { type: "ready", version: "0.4.9.11", method: "SAFECOOKIE" });
  assert.ok(control.isReady(b.m));
  return b;
}

function endedWith(b: Bench, code: string, hangsUp = true): void {
  if (hangsUp) next(b, "hangup");
  assert.equal(next(b, "ended").fault.code, code);
  assert.deepEqual(b.asked, []);
  assert.equal(control.deadline(b.m), NEVER);
}

test("tor: control: a cookie is proved both ways and never sent", () => {
  const b = ready();
  const cookie = Buffer.from(b.tor.cookie).toString("hex");
  assert.ok(b.tor.heard.every((line) => !line.includes(cookie)));
  assert.equal(b.tor.heard.length, 3);
});

test("tor: control: who does not know the cookie learns nothing", () => {
  const b = bench();
  dialed(b);
  answer(b);
  giveCookie(b, new Uint8Array(32).fill(9));
  giveNonce(b);
  answer(b);
  endedWith(b, "control-server-hash");
  assert.ok(!b.tor.heard.some((line) => line.startsWith("AUTHENTICATE")));
});

test("tor: control: a plain cookie, where Tor knows nothing better", () => {
  const b = bench();
  b.tor.methods = "COOKIE";
  dialed(b);
  answer(b);
  giveCookie(b);
  answer(b);
  assert.equal(next(b, "ready").method, "COOKIE");
});

test("tor: control: a password goes with every byte that it may have", () => {
  const password = "pa\"ss\\w \u00e9\r\n";
  const b = bench({ hasPassword: true });
  b.tor.methods = "COOKIE,SAFECOOKIE,HASHEDPASSWORD";
  b.tor.password = password;
  dialed(b);
  answer(b);
  const { req } = next(b, "password.want");
  say(b, { type: "password.given", req, password: secret(new Uint8Array(Buffer.from(password))) });
  answer(b);
  assert.equal(next(b, "ready").method, "HASHEDPASSWORD");
});

test("tor: control: a wrong password, and a stale cookie, are told apart", () => {
  const b = bench({ hasPassword: true });
  b.tor.methods = "HASHEDPASSWORD";
  dialed(b);
  answer(b);
  const { req } = next(b, "password.want");
  say(b, { type: "password.given", req, password: secret(ascii("wrong")) });
  answer(b);
  const [, last] = b.asked;
  assert.match(last?.type === "ended" ? last.fault.text : "", /password/);
  endedWith(b, "control-refused");
  const c = bench();
  c.tor.methods = "COOKIE";
  dialed(c);
  answer(c);
  giveCookie(c, new Uint8Array(32));
  answer(c);
  endedWith(c, "control-refused");
});

test("tor: control: an open port needs no secret", () => {
  const b = bench();
  b.tor.methods = "NULL";
  dialed(b);
  answer(b);
  answer(b);
  assert.equal(next(b, "ready").method, "NULL");
});

test("tor: control: no way in is a fault that says what to set", () => {
  const b = bench();
  b.tor.methods = "HASHEDPASSWORD";
  dialed(b);
  answer(b);
  endedWith(b, "control-method");
  const c = bench({ hasPassword: true });
  dialed(c);
  answer(c);
  endedWith(c, "control-method");
});

test("tor: control: the configured path of the cookie counts more than Tor's", () => {
  const b = bench({ cookiePath: "/elsewhere/cookie" });
  dialed(b);
  answer(b);
  assert.equal(next(b, "cookie.want").path, "/elsewhere/cookie");
  const c = bench();
  dialed(c);
  next(c, "send");
  tell(c, "250-AUTH METHODS=SAFECOOKIE\r\n250 OK\r\n");
  endedWith(c, "control-cookie-path");
});

test("tor: control: a cookie that is not there, not ours or no cookie", () => {
  for (const reason of ["absent", "denied", "malformed", "failed"] as const) {
    const b = bench();
    dialed(b);
    answer(b);
    say(b, { type: "cookie.failed", req: next(b, "cookie.want").req, reason });
    endedWith(b, `control-cookie-${reason}`);
  }
  for (const size of [0, 31, 33]) {
    const b = bench();
    dialed(b);
    answer(b);
    giveCookie(b, new Uint8Array(size));
    endedWith(b, "control-cookie-malformed");
    assert.equal(b.tor.heard.length, 1);
  }
});

test("tor: control: a password that is missing, empty or longer than a line", () => {
  const fetch = (): Bench => {
    const b = bench({ hasPassword: true, lineBytesMax: 256 });
    b.tor.methods = "HASHEDPASSWORD";
    dialed(b);
    answer(b);
    return b;
  };
  const b = fetch();
  say(b, { type: "password.failed", req: next(b, "password.want").req, reason: "denied" });
  endedWith(b, "control-password-denied");
  for (const [size, isFit] of [[0, false], [128, true], [129, false]] as const) {
    const c = fetch();
    const password = secret(new Uint8Array(size).fill(0x61));
    say(c, { type: "password.given", req: next(c, "password.want").req, password });
    if (isFit) next(c, "send");
    else endedWith(c, "control-password-malformed");
  }
});

test("tor: control: a port that cannot be dialled", () => {
  const b = bench();
  say(b, { type: "wanted" });
  say(b, { type: "undialed", link: next(b, "dial").link, reason: "refused" });
  endedWith(b, "control-dial-refused", false);
  say(b, { type: "wanted" });
  assert.equal(next(b, "dial").link, 2);
});

test("tor: control: each phase has its deadline, and not a moment less", () => {
  const stages: readonly [number, (b: Bench) => void][] = [
    [100, (b) => void (say(b, { type: "wanted" }), next(b, "dial"))],
    [300, (b) => void (dialed(b), next(b, "send"))],
    [200, (b) => void (dialed(b), answer(b), next(b, "cookie.want"))],
    [200, (b) => void (dialed(b), answer(b), giveCookie(b), next(b, "nonce.want"))],
    [300, (b) => void (dialed(b), answer(b), giveCookie(b), giveNonce(b), next(b, "send"))],
    [300, (b) => {
      dialed(b);
      answer(b);
      giveCookie(b);
      giveNonce(b);
      answer(b);
      next(b, "send");
    }],
  ];
  for (const [dueMs, reach] of stages) {
    const b = bench();
    b.at = 50;
    reach(b);
    b.at = 50 + dueMs - 1;
    assert.deepEqual(say(b, { type: "tick" }), []);
    b.at += 1;
    say(b, { type: "tick" });
    endedWith(b, "control-timeout");
  }
});

test("tor: control: a command has its own deadline, from when it was sent", () => {
  const b = ready();
  b.at = 1_000;
  say(b, { type: "asked", token: 1, command: secret(ascii("GETINFO version")) });
  b.at = 1_100;
  say(b, { type: "asked", token: 2, command: secret(ascii("SETEVENTS HS_DESC")) });
  next(b, "send");
  next(b, "send");
  b.at = 1_299;
  tell(b, "250 OK\r\n");
  assert.equal(next(b, "answered").token, 1);
  b.at = 1_399;
  assert.deepEqual(say(b, { type: "tick" }), []);
  b.at = 1_400;
  say(b, { type: "tick" });
  endedWith(b, "control-timeout");
});

test("tor: control: answers come in order, and events between them", () => {
  const b = ready();
  say(b, { type: "asked", token: 5, command: secret(ascii("A")) });
  say(b, { type: "asked", token: 6, command: secret(ascii("B")) });
  b.asked = [];
  tell(b, "650 HS_DESC UPLOADED x\r\n250-a=1\r\n250 OK\r\n650-X\r\n650 Y\r\n552 no\r\n");
  assert.deepEqual(b.asked, [
    { type: "told", lines: ["HS_DESC UPLOADED x"] },
    { type: "answered", token: 5, reply: { code: 250, lines: ["a=1", "OK"] } },
    { type: "told", lines: ["X", "Y"] },
    { type: "answered", token: 6, reply: { code: 552, lines: ["no"] } },
  ]);
});

test("tor: control: at most so many commands are under way", () => {
  const b = ready();
  for (const token of [1, 2]) say(b, { type: "asked", token, command: secret(ascii("A")) });
  b.asked = [];
  say(b, { type: "asked", token: 3, command: secret(ascii("A")) });
  endedWith(b, "control-busy");
});

test("tor: control: an answer that nobody asked for ends the connection", () => {
  const b = ready();
  tell(b, "250 OK\r\n");
  endedWith(b, "control-unasked");
  const c = bench();
  dialed(c);
  answer(c);
  tell(c, "250 OK\r\n");
  next(c, "cookie.want");
  endedWith(c, "control-unasked");
});

test("tor: control: a line and a reply without end are cut", () => {
  const b = ready({ lineBytesMax: 256, replyBytesMax: 1_000, replyLinesMax: 50 });
  tell(b, "x".repeat(300));
  endedWith(b, "control-line");
  const c = ready({ lineBytesMax: 256, replyBytesMax: 1_000, replyLinesMax: 50 });
  tell(c, "250-x\r\n".repeat(51));
  endedWith(c, "control-reply");
});

test("tor: control: no command holds a second one", () => {
  const b = ready();
  const ask = (words: string): void =>
    void say(b, { type: "asked", token: 1, command: secret(ascii(words)) });
  assert.throws(() => ask("A\nB"), /one line/);
  assert.throws(() => ask("A\rB"), /line end/);
});

test("tor: control: what an earlier link or request brings is dropped", () => {
  const b = bench();
  dialed(b);
  answer(b);
  const stale = next(b, "cookie.want").req;
  say(b, { type: "closed", link: 1 });
  endedWith(b, "control-closed", false);
  dialed(b);
  answer(b);
  const { req } = next(b, "cookie.want");
  assert.notEqual(req, stale);
  say(b, { type: "cookie.given", req: stale, cookie: secret(new Uint8Array(32)) });
  say(b, { type: "cookie.failed", req: stale, reason: "absent" });
  say(b, { type: "password.given", req: stale, password: secret(ascii("x")) });
  say(b, { type: "nonce.given", req: stale, bytes: new Uint8Array(32) });
  tell(b, "250 OK\r\n", 1);
  say(b, { type: "closed", link: 1 });
  say(b, { type: "dialed", link: 1 });
  say(b, { type: "undialed", link: 2, reason: "refused" });
  assert.deepEqual(b.asked, []);
});

test("tor: control: unwanted ends it once, and wanted again begins anew", () => {
  const b = ready();
  say(b, { type: "wanted" });
  assert.deepEqual(b.asked, []);
  say(b, { type: "unwanted" });
  endedWith(b, "control-unwanted");
  say(b, { type: "unwanted" });
  say(b, { type: "asked", token: 1, command: secret(ascii("A")) });
  tell(b, "250 OK\r\n");
  assert.deepEqual(b.asked, []);
});

test("tor: control: the ranges of its configuration are asserted", () => {
  const wrong: readonly Partial<control.Config>[] = [
    { dialMs: 0 }, { hostMs: 0 }, { replyMs: 0 }, { commandsMax: 0 }, { lineBytesMax: 255 },
    { lineBytesMax: 1_000, replyBytesMax: 999 },
  ];
  for (const part of wrong) assert.throws(() => bench(part), /InvariantError|control:/);
});

const replies = [
  "250 OK\r\n", "515 no\r\n", "650 X Y\r\n", "250-AUTH METHODS=NULL\r\n250 OK\r\n",
  "250-AUTH METHODS=SAFECOOKIE COOKIEFILE=\"/c\"\r\n250 OK\r\n", "250 ", "\r\n",
  `250 AUTHCHALLENGE SERVERHASH=${"00".repeat(32)} SERVERNONCE=${"00".repeat(32)}\r\n`,
].map((words) => secret(ascii(words)));
const few = fc.integer({ min: 1, max: 4 });
const heard = fc.record({
  type: fc.constant("received" as const), link: few, bytes: fc.constantFrom(...replies),
});
const events: fc.Arbitrary<control.Event> = fc.oneof(
  fc.constant<control.Event>({ type: "wanted" }),
  fc.record({ type: fc.constant("dialed" as const), link: few }),
  fc.record({ type: fc.constant("dialed" as const), link: few }),
  fc.record({
    type: fc.constant("undialed" as const), link: few, reason: fc.constant("refused"),
  }),
  heard,
  heard,
  fc.record({ type: fc.constant("closed" as const), link: few }),
  fc.record({
    type: fc.constant("cookie.given" as const), req: few,
    cookie: fc.constant(secret(new Uint8Array(32))),
  }),
  fc.record({
    type: fc.constant("nonce.given" as const), req: few, bytes: fc.constant(new Uint8Array(32)),
  }),
  fc.record({
    type: fc.constant("asked" as const), token: few, command: fc.constant(secret(ascii("A"))),
  }),
  fc.constant<control.Event>({ type: "unwanted" }),
);

const subject: Subject<control.Control, control.Event, control.Effect> = {
  create: () => control.create(config),
  step: (m, event, now, out) => control.step(m, event, now, primitives, out),
  deadline: control.deadline,
  tick: { type: "tick" },
  settleMs: 2_000,
  holds: (m) => assert.ok(m.asked.length <= config.commandsMax),
  lives: endsOnce,
};

/** Each link that is dialled is ready within the sum of all deadlines, or has ended, once. */
function endsOnce(run: Run<control.Control, control.Event, control.Effect>): void {
  const dialedAt = new Map<number, number>();
  const done = new Map<number, number>();
  for (const { at, effects } of run.steps) {
    for (const effect of effects) {
      const open = dialedAt.size;
      if (effect.type === "dial") dialedAt.set(effect.link, at);
      if (effect.type === "ready" || effect.type === "ended") {
        if (!done.has(open)) done.set(open, at);
      }
    }
  }
  const boundMs = config.dialMs + 2 * config.hostMs + 3 * config.replyMs;
  for (const [link, at] of dialedAt) {
    assert.ok((done.get(link) ?? run.now) - at <= boundMs, `link ${link} hangs`);
  }
  const ended = run.steps.flatMap((s) => s.effects).filter((e) => e.type === "ended").length;
  const isOpen = run.state.at.phase === "idle" ? 0 : 1;
  assert.equal(ended + isOpen, dialedAt.size);
}

test("tor: control: the laws hold for any script", () => {
  fc.assert(fc.property(scripts(events, 150, 40, true), (script) => void laws(subject, script)), {
    numRuns: 150,
  });
});
