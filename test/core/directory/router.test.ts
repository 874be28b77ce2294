import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ascii, text, utf8 } from "../../../core/bytes.ts";
import * as registry from "../../../core/directory/registry.ts";
import * as router from "../../../core/directory/router.ts";
import type { ConnId } from "../../../core/ids.ts";
import * as envelope from "../../../core/joinmarket/envelope.ts";

const me = "J5Ckon1LuuapPSBM";
const other = "J5BGti5vv34qZj9h";
const onion = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion";

function read(frame: string | Uint8Array): router.Reading {
  const bytes = typeof frame === "string" ? utf8(frame) : frame;
  return router.read(router.create(), bytes, ascii(me));
}

const said = (type: number, line: string) => read(envelope.encode(type, line));
const { types } = envelope;

test("directory: router: each message type asks for what it is", () => {
  const asks: readonly (readonly [number, string, router.Asked])[] = [
    [types.PUBMSG, `${me}!PUBLIC!sw0reloffer 0 1 2 0 0.1`, "public"],
    [types.PUBMSG, `${me}!PUBLIC!anything at all`, "public"],
    [types.PUBMSG, `${me}!PUBLIC!orderbook`, "orderbook"],
    [types.PRIVMSG, `${me}!${other}!fill 0`, "private"],
    [types.GETPEERLIST, "", "peerlist"],
    [types.PING, "", "ping"],
    [types.PONG, "", "pong"],
    [types.DISCONNECT, "", "goodbye"],
    [types.NICK_AUTH_CHALLENGE, "", "proof"],
    [types.NICK_AUTH_PROOF, "{}", "proof"],
    [types.NICK_AUTH_RESULT, "{}", "proof"],
  ];
  for (const [type, line, asked] of asks) assert.equal(said(type, line).asked, asked, line);
});

test("directory: router: each fault has its reason", () => {
  const line = (type: number, what: string) => `{"type": ${type}, "line": ${JSON.stringify(what)}}`;
  const faults: readonly (readonly [string, router.Reading["fault"]])[] = [
    ["", "empty"],
    ["x", "malformed"], ["[]", "malformed"], ['{"type": 687}', "malformed"],
    ['{"type": "687", "line": ""}', "malformed"],
    ['{"type": 687, "type": 687, "line": ""}', "malformed"],
    [line(687, `${other}!PUBLIC!orderbook`), "from-nick"],
    [line(685, `${other}!${me}!x`), "from-nick"],
    [line(687, `${me}`), "from-nick"],
    [line(687, `${me}!${other}!x`), "grammar"],
    [line(685, `${me}!PUBLIC!x`), "grammar"],
    [line(687, `${me}!PUBLIC`), "grammar"],
    [line(685, `${me}!`), "grammar"],
    [line(793, "{}"), "misplaced-type"], [line(795, "{}"), "misplaced-type"],
    [line(789, ""), "misplaced-type"],
    [line(785, ""), "local-type"], [line(787, ""), "local-type"], [line(797, ""), "local-type"],
    [line(0, ""), "unknown-type"], [line(686, ""), "unknown-type"],
    [line(4_294_967_295, ""), "unknown-type"],
  ];
  for (const [frame, fault] of faults) {
    assert.deepEqual(read(`${frame}\r\n`), { asked: "fault", fault }, frame);
  }
});

test("directory: router: every kind of line has one budget", () => {
  const asked: readonly router.Asked[] = [
    "public", "orderbook", "private", "peerlist", "ping", "pong", "goodbye", "proof", "fault",
  ];
  assert.deepEqual(asked.map(router.budget), [
    "public", "orderbook", "private", "peerlist", "ping", "other", "other", "other", "other",
  ]);
});

test("directory: router: a relayed line is the bytes that came, without extra keys", () => {
  const m = router.create();
  const plain = utf8(`{"line":"${me}!PUBLIC!hp2 \u00e9\\u00e9","type":687}\r\n`);
  assert.equal(router.read(m, plain, ascii(me)).asked, "public");
  assert.deepEqual(router.relayed(m, plain), plain);
  const extra = utf8(`{"type":687,"line":"${me}!PUBLIC!x","more":[1]}\r\n`);
  assert.equal(router.read(m, extra, ascii(me)).asked, "public");
  assert.equal(text(router.relayed(m, extra)), `{"type": 687, "line": "${me}!PUBLIC!x"}\r\n`);
});

test("directory: router: no bytes make it throw", () => {
  const m = router.create();
  const pieces = fc.constantFrom('{"type": ', "687", "685", ', "line": "', me, "!", "PUBLIC", '"}',
    "\\u0000", "\\ud800", "\u{1f600}", "{", "[", ":", ",", "orderbook");
  const frame = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc.array(pieces, { maxLength: 12 }).map((parts) => utf8(parts.join(""))),
  );
  fc.assert(fc.property(frame, (bytes) => {
    const reading = router.read(m, Uint8Array.of(...bytes, 13, 10), ascii(me));
    assert.ok(reading.asked.length > 0 && reading.fault.length > 0);
  }));
});

function newcomer(n: number, features: readonly string[] = [], maker = true): registry.Newcomer {
  const nick = `J5${String(n).replaceAll("0", "a").padStart(6, "z")}`.padEnd(16, "O");
  const location = maker ? `${onion}:${1 + (n % 65_535)}` : "NOT-SERVING-ONION";
  return {
    conn: n as ConnId, nick, nickBytes: ascii(nick), location, maker, features, pubkey: undefined,
  };
}

test("directory: router: a hint says where the maker is, and its features only on request", () => {
  const r = registry.create();
  const maker = registry.add(r, newcomer(7, ["ping", "x"]));
  const plain = text(router.hint(maker, false));
  assert.equal(plain, `{"type": 789, "line": "${maker.nick};${onion}:8"}\r\n`);
  assert.equal(text(router.hint(maker, true)), plain.replace('"}', ';F:ping+x"}'));
  assert.equal(router.hint(maker, true), router.hint(maker, true));
  assert.equal(router.hint(maker, false), router.hint(maker, false));
});

test("directory: router: pages are bounded and name every maker that stayed, once", () => {
  const churn = fc.array(fc.record({ n: fc.nat(79), page: fc.boolean() }), { maxLength: 200 });
  const features = fc.boolean();
  const bytesMax = fc.integer({ min: 100, max: 400 });
  const own = fc.option(fc.constant(`${other};${onion}:5222`), { nil: undefined });
  fc.assert(fc.property(churn, features, bytesMax, own, (acts, withFeatures, max, mine) => {
    const r = registry.create();
    for (let n = 0; n < 40; n += 1) registry.add(r, newcomer(n, n % 3 === 0 ? ["ping"] : []));
    registry.add(r, newcomer(1_000, [], false));
    const stayed = new Set(r.byNick.values());
    const listed: string[] = [];
    let cursor = -1;
    let done = false;
    const next = () => {
      if (done) return;
      const page = router.page(r, cursor, cursor < 0 ? mine : undefined, withFeatures, max);
      const entries = page.line === "" ? [] : page.line.split(",");
      assert.ok(page.line.length <= max || entries.length === 1, `${page.line.length} > ${max}`);
      assert.ok(page.done || entries.length > 0, "a page without an entry and without an end");
      for (const entry of entries) {
        const [nick] = entry.split(";") as [string];
        assert.ok(nick === other || r.byNick.has(nick), "a page names a peer that has left");
        assert.equal(entry.includes(";F:"), withFeatures && (r.byNick.get(nick)?.ping ?? false));
      }
      listed.push(...entries.map((entry) => entry.split(";")[0] as string));
      ({ cursor, done } = page);
      assert.ok(cursor >= 0);
    };
    next();
    for (const { n, page } of acts) {
      const known = registry.find(r, newcomer(n).nick);
      if (known === undefined) registry.add(r, newcomer(n));
      else registry.remove(r, known);
      if (known !== undefined) stayed.delete(known);
      if (page) next();
    }
    for (let pages = 0; !done; pages += 1) {
      assert.ok(pages < 200);
      next();
    }
    assert.equal(listed[0] === other, mine !== undefined);
    for (const peer of stayed) {
      const times = listed.filter((nick) => nick === peer.nick).length;
      assert.equal(times, peer.maker ? 1 : 0, peer.nick);
    }
  }), { numRuns: 60 });
});

test("directory: router: an empty list is one empty page, and a long entry goes alone", () => {
  const r = registry.create();
  const empty = { line: "", cursor: 0, done: true };
  assert.deepEqual(router.page(r, -1, undefined, false, 100), empty);
  assert.deepEqual(router.page(r, -1, "own", false, 100), { line: "own", cursor: 0, done: true });
  const long = registry.add(r, newcomer(1, ["x".repeat(64), "y".repeat(64)]));
  const first = router.page(r, -1, "own", true, 100);
  assert.deepEqual(first, { line: "own", cursor: 0, done: false });
  const second = router.page(r, 0, undefined, true, 100);
  assert.ok(second.line.startsWith(long.nick) && second.line.length > 100 && second.done);
});

test("directory: router: a maker's entry is made once, and who is listed has been shown", () => {
  const r = registry.create();
  const maker = registry.add(r, newcomer(7, ["ping", "x"]));
  assert.equal(maker.shown, false);
  router.page(r, -1, undefined, false, 400);
  assert.equal(maker.shown, true);
  router.page(r, -1, undefined, true, 400);
  assert.equal(maker.entryPlain, `${maker.nick};${onion}:8`);
  assert.equal(maker.entryFeatures, `${maker.nick};${onion}:8;F:ping+x`);
});

test("directory: router: written pages are what pages say at that moment, whatever changed", () => {
  const act = fc.record({
    what: fc.constantFrom("page" as const, "page", "page", "maker", "taker"), n: fc.nat(19),
    features: fc.boolean(), own: fc.constantFrom(undefined, undefined, `${other};${onion}:5222`),
    bytesMax: fc.constantFrom(300, 300, 300, 500),
  });
  fc.assert(fc.property(fc.array(act, { maxLength: 120, size: "max" }), (acts) => {
    const m = router.create();
    const r = registry.create();
    for (let n = 0; n < 12; n += 1) registry.add(r, newcomer(n, n % 3 === 0 ? ["ping"] : []));
    for (const { what, n, features, own, bytesMax } of acts) {
      if (what !== "page") {
        const who = newcomer(n + (what === "taker" ? 100 : 0), [], what === "maker");
        const known = registry.find(r, who.nick);
        if (known === undefined) registry.add(r, who);
        else registry.remove(r, known);
        continue;
      }
      const cursor = n - 1;
      const page = router.page(r, cursor, own, features, bytesMax);
      const found = router.written(m, r, cursor, own, features, bytesMax);
      const isSaid = page.line !== "" || cursor < 0;
      const frame = isSaid ? envelope.encode(types.PEERLIST, page.line) : undefined;
      assert.deepEqual(found.bytes, frame);
      assert.deepEqual([found.cursor, found.done], [page.cursor, page.done]);
    }
  }), { numRuns: 60 });
});

test("directory: router: one frame serves all who ask, until a maker comes or goes", () => {
  const m = router.create();
  const r = registry.create();
  const first = registry.add(r, newcomer(1));
  const write = (features = false) => router.written(m, r, -1, undefined, features, 400).bytes;
  const before = write();
  assert.equal(write(), before);
  assert.notEqual(write(true), before);
  registry.add(r, newcomer(2, [], false));
  assert.equal(write(), before, "a taker is on no list");
  registry.add(r, newcomer(3));
  const after = write();
  assert.notDeepEqual(after, before);
  registry.remove(r, first);
  assert.notDeepEqual(write(), after);
  assert.deepEqual([m.pages.plain.size, m.pages.features.size], [1, 0]);
});

test("directory: router: few pages are kept", () => {
  const m = router.create();
  const r = registry.create();
  for (let n = 0; n < 300; n += 1) registry.add(r, newcomer(n));
  let most = 0;
  for (let cursor = 0; cursor < 300; cursor += 1) {
    for (const features of [false, true]) router.written(m, r, cursor, undefined, features, 100);
    most = Math.max(most, m.pages.plain.size + m.pages.features.size);
  }
  assert.equal(most, router.pagesMax);
});
