/**
 * The demo world with short times, and its view.
 * @module
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { after, test } from "node:test";
import type { Happening, Peer } from "../../cli/demo/peers.ts";
import { render } from "../../cli/demo/view.ts";
import type { Scene } from "../../cli/demo/world.ts";
import { size, span, statusText } from "../../cli/status-text.ts";
import { defaults } from "../../core/directory/config.ts";
import * as directory from "../../core/directory/directory.ts";
import { status } from "../../core/directory/status.ts";
import { mono } from "../../core/time.ts";
import * as arks from "../support/ark-status.ts";
import { poor, well } from "../support/maker-status.ts";
import { folder, run, start } from "./capture.ts";

const temp = folder();
after(temp.remove);
// What the demo keeps while it runs is made there, and must be gone.
process.env["TMPDIR"] = temp.path;
const left = (): string[] =>
  readdirSync(temp.path).filter((name) => name.startsWith("dogwatch-demo-"));

const fast = {
  DOGWATCH__DIRECTORY__HEARTBEAT__SWEEP_INTERVAL_SEC: "0.2",
  DOGWATCH__DIRECTORY__HEARTBEAT__IDLE_THRESHOLD_SEC: "0.6",
  DOGWATCH__DIRECTORY__HEARTBEAT__PONG_WAIT_SEC: "0.4",
  DOGWATCH__DIRECTORY__HEARTBEAT__HARD_EVICT_SEC: "4",
  DOGWATCH__MAKER__BACKEND_GRACE_SEC: "0",
  DOGWATCH__MAKER__REANNOUNCE_DELAY_SEC: "0",
};

type Line = Happening & { readonly event: string; readonly atMs: number };

/** These events in this order, whatever else there is between them. */
const inTurn = (...events: readonly string[]): RegExp =>
  new RegExp(events.map((event) => `"event":"demo\\.${event}"`).join("[^]*"));

// The story goes round, so what a busy machine misses comes again; a signal ends it, not its time.
test("demo: within seconds: probe, eviction, return; offers, outage, offers again", async () => {
  const child = start(["demo", "--for", "600", "--json"], temp.path, fast);
  await child.until("out", inTurn("offers-announced", "payment", "block", "offers-announced"));
  await child.until("out", inTurn(
    "halted", "backend-down", "offers-withdrawn", "started", "backend-up", "offers-announced",
  ));
  await child.until("out", inTurn("reorganisation", "tip-reorganised"));
  await child.until("out", inTurn("ping", "ignored", "eviction", "returned"));
  await child.until("out", inTurn("orderbook", "fill", "filled"));
  await child.until("out", inTurn("expiry-due", "intent-opened", "intent-success"));
  await child.until("out", inTurn("way-down", "resumed", "way-up"));
  for (const event of ["pending-confirmed", "probe", "answered", "pubkey", "refused"]) {
    await child.until("out", inTurn(event));
  }
  child.process.kill("SIGINT");
  assert.equal(await child.ended, 0);
  assert.equal(child.err(), "");
  const [ready, ...lines] = child.out().trim().split("\n").map((line) => JSON.parse(line) as Line);
  assert.equal(ready?.event, "demo.ready");
  const happened = (event: string, peer?: string): Line | undefined =>
    lines.find((line) => line.event === `demo.${event}` && (peer ?? line.peer) === line.peer);
  for (const peer of ["anna", "bruno", "clara", "old-otto", "tina", "walt", "sleepy-sam"]) {
    assert.ok(happened("connected", peer), peer);
  }
  assert.match(happened("connected", "anna")?.text ?? "", /proved its nick/);
  assert.match(happened("refused", "tina")?.text ?? "", /well signed: this maker does not serve/);
  assert.equal(happened("probe")?.peer, "old-otto", "the one that knows no PING");
  assert.equal(happened("ignored")?.peer, "sleepy-sam", "the one that says nothing");
  assert.equal(happened("expiry-due")?.peer, "ark", "what is in use comes due");
  assert.match(happened("intent-success")?.text ?? "", /^daily: refresh of \d VTXOs? is done/);
  // A machine with much to do may be slow to answer its first question.
  const away = /^(daily|savings): the (Ark server is away for too long|.* has not answered yet)/;
  for (const one of lines.filter(({ event }) => event === "demo.way-down")) {
    assert.match(one.text, away, "and nothing else is");
  }
  // Offers that an outage has withdrawn already are not withdrawn once more.
  const [before = ""] = child.out().split('"demo.draining"');
  const at = (event: string): number => before.lastIndexOf(`demo.offers-${event}`);
  const ends = at("announced") > at("withdrawn") ? ["offers-withdrawn", "stopped"] : ["stopped"];
  assert.match(child.out(), inTurn("draining", ...ends));
  assert.deepEqual(left(), []);
});

test("demo: a maker that does not start ends it, and nothing is left", async () => {
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const { port } = taken.address() as AddressInfo;
  const http = `127.0.0.1:${port}`;
  const { code, out, err } = await run(["demo", "--for", "9"], { DOGWATCH__MAKER__HTTP: http });
  taken.close();
  assert.deepEqual([code, out], [1, ""]);
  assert.match(err, /is already in use; nothing was started; choose another maker\.http/);
  assert.deepEqual(left(), []);
});

test("demo: a daemon of wallets that does not start ends it, and nothing is left", async () => {
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const { port } = taken.address() as AddressInfo;
  const http = `127.0.0.1:${port}`;
  const { code, out, err } = await run(["demo", "--for", "9"], { DOGWATCH__ARK__HTTP: http });
  taken.close();
  assert.deepEqual([code, out], [1, ""]);
  assert.match(err, /is already in use; nothing was started; choose another ark\.http/);
  assert.deepEqual(left(), []);
});

test("demo: on another network there are no maker and no wallets, which is said", async () => {
  const { code, out } = await run(["demo", "--for", "0.3", "--network", "signet", "--json"]);
  assert.equal(code, 0);
  assert.match(out, /"maker":null,"ark":null/);
  assert.match(out, /there is no maker and no Ark in this world/);
});

test("demo: a terminal that closes leaves nothing behind", async () => {
  const child = start(["demo"], temp.path);
  await child.until("out", /offers are public/);
  assert.equal(left().length, 2);
  child.process.kill("SIGHUP");
  assert.equal(await child.ended, 0);
  assert.deepEqual(left(), []);
});

test("demo: without a terminal: a line per event, and the address of the page first", async () => {
  const { code, out } = await run(["demo", "--for", "0.5"]);
  assert.equal(code, 0);
  const [first, ...rest] = out.trim().split("\n");
  const page = "http:\\/\\/127\\.0\\.0\\.1:\\d+\\/ ";
  const pages = `Status page: ${page} and the maker's: ${page} and the Ark wallets': ${page}`;
  assert.match(first ?? "", new RegExp(pages));
  for (const line of rest) assert.match(line, /^ +\d+\.\ds {2}\S+ +\S/);
});

test("demo: a recording of it replays the same", async () => {
  const trace = `${temp.path}/demo.trace`;
  assert.equal((await run(["demo", "--for", "1.5", "--json", "--record", trace], fast)).code, 0);
  assert.match((await run(["replay", trace])).out, /^same: \d{2,} steps/);
});

const node = directory.create(defaults, mono(0));

function scene(events: number): Scene {
  const peer: Peer = {
    name: "anna", role: "maker", nick: "J5Ckon1LuuapPSBM", about: "maker, answers PING",
    isConnected: () => true, stop: () => {},
  };
  return {
    status: status(node, mono(5_000)), maker: undefined, ark: undefined,
    peers: [peer, { ...peer, name: "otto", isConnected: () => false }],
    events: Array.from({ length: events }, (_, at) => ({
      atMs: at * 1_000, kind: "probe", peer: "anna", nick: peer.nick,
      text: `event ${at} ${"x".repeat(90)}`,
    })),
    rates: [0, 1, 4], elapsedMs: 65_000,
  };
}

const frame = {
  columns: 80, rows: 24, isColoured: false, listen: "l",
  pages: { directory: "http://h/", maker: undefined, ark: undefined },
};

test("demo: view: fits the terminal, however narrow or low; newest events stay", () => {
  for (const columns of [20, 40, 80, 200]) {
    for (const rows of [2, 10, 24, 60]) {
      const lines = render(scene(40), { ...frame, columns, rows });
      assert.ok(lines.length <= Math.max(1, rows - 1), `${rows} rows`);
      for (const line of lines) assert.ok(line.length <= columns, line);
    }
  }
  const shown = render(scene(40), frame).join("\n");
  assert.match(shown, /event 39/);
  assert.doesNotMatch(shown, /event 5 /);
  assert.match(shown, /Messages {3}4\.0\/s ▁▃█/);
});

test("demo: view: a low screen loses empty lines, then peers, before it loses events", () => {
  const peers = Array.from({ length: 7 }, (_, at) => {
    return { ...(scene(0).peers[0] as Peer), name: `peer${at}` };
  });
  for (const [rows, atLeast] of [[12, 2], [16, 2], [20, 4], [24, 2], [40, 18]] as const) {
    const lines = render({ ...scene(40), peers }, { ...frame, columns: 70, rows });
    assert.ok(lines.length <= rows - 1);
    const events = lines.filter((line) => / event \d+ /.test(line));
    assert.ok(events.length >= atLeast, `${rows} rows: ${events.length}`);
    assert.match(lines.join("\n"), /event 39 /);
    assert.equal(lines.at(-1), "Ctrl-C ends the demo.");
    if (rows >= 20) assert.equal(lines.filter((line) => line.startsWith("+ peer")).length, 7);
  }
});

test("demo: view: one probe is a probe", () => {
  const { status: told, ...rest } = scene(0);
  const totals = { ...told.totals, heartbeatPings: 2, heartbeatProbes: 1, heartbeatEvictions: 1 };
  const heartbeat = { running: true, pending: 1 };
  const shown = render({ ...rest, status: { ...told, totals, heartbeat } }, frame).join("\n");
  assert.match(shown, /2 pings, 1 probe, 1 eviction; 1 answer awaited/);
  const text = statusText({ ...told, totals, heartbeat });
  assert.match(text, /running, 1 answer awaited\n +2 pings, 1 probe, 1 eviction\n/);
});

test("demo: view: the maker's pages, offers and node", () => {
  const pages = { ...frame.pages, maker: "http://m/" };
  const rendered = (maker: Scene["maker"]): string =>
    render({ ...scene(0), maker }, { ...frame, columns: 100, pages }).join("\n");
  assert.match(rendered(well()), /^Status page {2}http:\/\/h\/ {2}maker http:\/\/m\/$/m);
  assert.match(rendered(well()), /^Maker {6}1 offer, up to 0\.\d+ BTC; block 130, node up$/m);
  assert.match(rendered(poor()), /^Maker {6}no offers: .+; block 130, node down$/m);
});

test("demo: view: the wallets' page, coins, what expires next, and what is wrong", () => {
  const pages = { ...frame.pages, ark: "http://a/" };
  const rendered = (ark: Scene["ark"]): string =>
    render({ ...scene(0), ark }, { ...frame, columns: 120, pages }).join("\n");
  const well = rendered(arks.well());
  assert.match(well, /^Ark wallets {2}http:\/\/a\/$/m);
  assert.match(well, /^Ark {8}alice: \d+ sat; \d+ blocks left, fine$/m);
  assert.match(rendered(arks.poor()), /^Ark {8}alice: .*; program-down: nobody answers/m);
});

test("demo: view: plain without colour, coloured with it, and drawn before any event", () => {
  assert.ok(!render(scene(3), frame).join("").includes("\x1b"));
  assert.ok(render(scene(3), { ...frame, isColoured: true }).join("").includes("\x1b[33m"));
  assert.match(render(scene(0), frame).join("\n"), /Messages/);
});

test("status: text: spans, sizes and reasons for people", () => {
  assert.deepEqual([0, 59_999, 185_000, 7_440_000, 442_800_000].map(span), [
    "0 s", "59 s", "3 min 5 s", "2 h 4 min", "5 d 3 h",
  ]);
  assert.deepEqual([1, 1_536, 3 * 1_048_576].map(size), ["1 B", "1.5 KiB", "3.0 MiB"]);
  const text = statusText({
    ...status(node, mono(1)), drops: { empty: 1, grammar: 3, malformed: 1, other: 0 },
  });
  assert.match(text, /^dropped +3 grammar, 1 empty, 1 malformed$/m);
});
