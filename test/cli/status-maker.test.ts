/**
 * `dogwatch status` and `healthcheck` for a maker, alone and beside a directory.
 * @module
 */
import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import { cleanText } from "../../adapters/log.ts";
import type { Flags } from "../../cli/flags.ts";
import { folderOf, notePath, readNote, removeNote, writeNote } from "../../cli/runtime.ts";
import { healthcheck, status, type StatusFlags } from "../../cli/status.ts";
import { makerStatusIn } from "../../cli/status-check.ts";
import { makerText } from "../../cli/status-maker.ts";
import { defaults } from "../../core/directory/config.ts";
import * as directory from "../../core/directory/directory.ts";
import * as core from "../../core/directory/status.ts";
import { mono } from "../../core/time.ts";
import { poor, well } from "../support/maker-status.ts";
import { folder, type Ran } from "./capture.ts";

const temp = folder();
after(temp.remove);
const good = well();
const bad = poor();
const node = core.status(directory.create(defaults, mono(0)), mono(5_000));

type Command = (flags: StatusFlags, io: Parameters<typeof status>[1]) => Promise<number>;

async function ask(command: Command, flags: StatusFlags): Promise<Ran> {
  let [out, err] = ["", ""];
  const env = { XDG_CONFIG_HOME: "/nonexistent", XDG_STATE_HOME: "/nonexistent" };
  const code = await command(flags, {
    out: (text) => void (out += text), err: (text) => void (err += text), env,
  });
  return { code, out, err };
}

/** A daemon that says `told` of itself and leaves its note. */
async function daemon(
  dataDir: string, name: "directory" | "maker", told: object, reasons: readonly string[] = [],
): Promise<() => void> {
  const server = http.createServer((request, response) => {
    const ready = reasons.length === 0;
    const isStatus = request.url === "/status";
    response.writeHead(isStatus || ready ? 200 : 503);
    response.end(JSON.stringify(isStatus ? told : { ready, reasons }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const at = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const its = folderOf(dataDir, name);
  mkdirSync(its, { recursive: true });
  const note = { pid: process.pid, listen: [], http: at, nick: "J5x" };
  assert.equal(writeNote(its, note, name), undefined);
  return () => {
    server.closeAllConnections();
    server.close();
  };
}

function fresh(name: string): string {
  return join(temp.path, name);
}

test("status: notes: each daemon has its own, in its folder", () => {
  const dataDir = fresh("notes");
  for (const name of ["directory", "maker"] as const) {
    const its = folderOf(dataDir, name);
    mkdirSync(its, { recursive: true });
    const note = { pid: process.pid, listen: [], http: "127.0.0.1:1", nick: name };
    assert.equal(writeNote(its, note, name), undefined);
    assert.deepEqual(readNote(its, name), note);
  }
  assert.equal(notePath(folderOf(dataDir, "maker"), "maker"), join(dataDir, "maker/maker.json"));
  removeNote(folderOf(dataDir, "maker"), process.pid, "maker");
  assert.equal(readNote(folderOf(dataDir, "maker"), "maker"), undefined);
  assert.equal(readNote(dataDir)?.nick, "directory");
});

test("status: maker: found by its note; text for people, the snapshot as JSON", async () => {
  const dataDir = fresh("alone");
  const close = await daemon(dataDir, "maker", good);
  const { code, out } = await ask(status, { dataDir });
  assert.equal(code, 0);
  assert.equal(out, makerText(good));
  const { out: json } = await ask(status, { dataDir, json: true });
  assert.deepEqual(JSON.parse(json), JSON.parse(JSON.stringify(good)));
  const health = await ask(healthcheck, { dataDir });
  assert.deepEqual([health.code, health.out], [0, "ready\n"]);
  close();
});

test("status: maker beside a directory: both are asked, told apart, the worst counts", async () => {
  const dataDir = fresh("both");
  const closes = [
    await daemon(dataDir, "directory", node), await daemon(dataDir, "maker", bad, ["disk: full"]),
  ];
  const told = await ask(status, { dataDir });
  assert.equal(told.code, 0);
  assert.match(told.out, /^node [^]*\n\nmaker +J5/);
  const json = JSON.parse((await ask(status, { dataDir, json: true })).out) as object;
  assert.deepEqual(Object.keys(json), ["directory", "maker"]);
  const health = await ask(healthcheck, { dataDir });
  assert.equal(health.out, "directory: ready\nmaker: not ready: disk: full\n");
  assert.equal(health.code, 1);
  const only = await ask(healthcheck, { dataDir, only: "directory" });
  assert.deepEqual([only.code, only.out], [0, "ready\n"]);
  closes[1]?.();
  const gone = await ask(status, { dataDir });
  assert.equal(gone.code, 3);
  assert.match(gone.out, /^node /);
  assert.match(gone.err, /^dogwatch: no maker answers at 127/);
  closes[0]?.();
});

test("status: maker: without a note the configured one is asked; --only is checked", async () => {
  const config = fresh("maker.toml");
  const dataDir = fresh("configured");
  const close = await daemon(dataDir, "maker", good);
  const at = readNote(folderOf(dataDir, "maker"), "maker")?.http ?? "";
  rmSync(notePath(folderOf(dataDir, "maker"), "maker"));
  writeFileSync(config, `[maker]\ndirectories = ['127.0.0.1:5222']\nhttp = '${at}'\n`);
  const { code, out } = await ask(status, { config, dataDir });
  assert.equal(code, 0);
  assert.match(out, /^maker/);
  const flags: Flags = { config, dataDir };
  const wrong = await ask(status, { ...flags, only: "taker" });
  assert.equal(wrong.code, 2);
  assert.match(wrong.err, /--only taker: name one of directory, maker/);
  close();
});

test("status: maker: an address is asked whatever answers there, and nothing else", async () => {
  const dataDir = fresh("address");
  const closes = [
    await daemon(dataDir, "maker", good), await daemon(fresh("other"), "directory", node),
  ];
  const at = readNote(folderOf(dataDir, "maker"), "maker")?.http ?? "";
  assert.match((await ask(status, { http: at, dataDir: fresh("other") })).out, /^maker/);
  const asMaker = await ask(status, { http: at, only: "directory" });
  assert.equal(asMaker.code, 3);
  assert.match(asMaker.err, /not as a Dogwatch directory/);
  const swapped = fresh("swapped");
  mkdirSync(folderOf(swapped, "maker"), { recursive: true });
  const note = readNote(fresh("other"));
  assert.ok(note !== undefined);
  writeNote(folderOf(swapped, "maker"), note, "maker");
  const wrong = await ask(status, { dataDir: swapped });
  assert.equal(wrong.code, 3);
  assert.match(wrong.err, /not as a Dogwatch maker/);
  for (const close of closes) close();
});

test("status: maker: check: real snapshots pass; without any one shown field they do not", () => {
  assert.equal(makerStatusIn(200, good), good);
  assert.equal(makerStatusIn(200, bad), bad);
  assert.equal(makerStatusIn(404, good), undefined);
  for (const body of [null, 7, [], {}, { schema: 1 }, node]) {
    assert.equal(makerStatusIn(200, body), undefined);
  }
  const unused = new Set(["startedUnixMs", "pubkey", "underWay"]);
  for (const name of Object.keys(good)) {
    if (unused.has(name)) continue;
    assert.equal(makerStatusIn(200, { ...good, [name]: undefined }), undefined, name);
    assert.equal(makerStatusIn(200, { ...good, [name]: { x: "y" } }), undefined, name);
  }
  const wallet = { ...good.wallet, spendableSat: "1e9" };
  assert.equal(makerStatusIn(200, { ...good, wallet }), undefined);
});

test("status: maker: text: what is wrong stands on top, with what is done about it", () => {
  const lines = makerText(bad).split("\n");
  const [first = "", second = ""] = lines.slice(3);
  assert.match(first, /^wrong +disk-failing: no room is left while records are written, for 13 /);
  assert.match(first, / 13 min 59 s$/);
  assert.match(second, /^ +offers are withdrawn; what waits is written/);
  assert.ok(lines.some((line) => /^directories +0 of 3 up$/.test(line)));
  assert.ok(lines.some((line) => /^offers +none: records do not become durable$/.test(line)));
  assert.ok(lines.some((line) => /^notices +ntfy: \d+ failures: http-503, \d wait/.test(line)));
});

test("status: maker: text: a maker that is well, line for line", () => {
  const text = makerText(good).replaceAll(/\w{56}\.onion:5222/g, "ONION");
  assert.match(text, /^up +11 min 45 s\ndirectories +7 of 8 up\n +ONION up, for 11 min/m);
  assert.match(text, /^ +ONION waiting, down for 11 min 40 s, 9 failures, next try in \d/m);
  assert.match(text, /^offers +0: sw0reloffer 0\.00002, \d+ to \d+ sat\nwallet +node up for/m);
  assert.match(text, /^ +62345678 sat spendable, 3 coins in all, seen 1 min \d+ s ago$/m);
  assert.match(text, /^ +mixdepth 1: 19345678 sat in 2 coins\npending +0 watched/m);
  assert.doesNotMatch(text, /^wrong/m);
});

test("status: maker: text: the own onion service, if there is one", () => {
  const up = {
    ...good.onion, state: "up" as const, sinceMs: 61_000, torVersion: "0.4.8.16", isPow: true,
    isReachable: true, reachedMs: 30_000,
  };
  const text = makerText({ ...good, onion: up });
  assert.match(text, /^onion +up for 1 min 1 s, Tor 0\.4\.8\.16, visitors solve puzzles$/m);
  assert.match(text, /reached by ourselves, last reached 30 s ago$/m);
  const down = {
    ...up, state: "down" as const, why: "nobody listens", isReachable: false,
    visitFailure: "timeout",
  };
  const gone = makerText({ ...good, onion: down });
  assert.match(gone, /^onion +down for 1 min 1 s: nobody listens, Tor/m);
  assert.match(gone, /^ +not reached by ourselves: timeout, last reached 30 s ago$/m);
  assert.match(makerText({ ...good, onion: { ...up, isReachable: null, reachedMs: null } }),
    /^ +not known yet whether it is reached$/m);
  assert.doesNotMatch(makerText(good), /^onion/m);
});

test("status: maker: texts of the answer reach the terminal escaped", async () => {
  const evil = "\u001b[31mred\u0007\u202e";
  const text = makerText({
    ...bad, nick: evil, network: evil, location: evil,
    degraded: [{ name: evil as "draining", why: evil, does: evil, sinceMs: null }],
    directories: {
      up: 0, total: 1, all: [{
        directory: evil, phase: evil, isUp: false, sinceMs: 1, dueMs: 1, failures: 1, malformed: 0,
      }],
    },
    offers: {
      ...bad.offers, why: null, public: [{
        oid: 0, kind: evil, minsizeSat: "1", maxsizeSat: "2", txfeeSat: "3", cjfee: evil,
      }],
    },
    rescan: { ...bad.rescan, phase: evil },
    onion: {
      ...bad.onion, state: evil as "up", why: evil, torVersion: evil, isReachable: false,
      visitFailure: evil,
    },
    notices: {
      ...bad.notices, targets: [{ to: evil, waiting: 1, failures: 1, why: evil }],
    },
  });
  assert.doesNotMatch(text, /[^\n\x20-\x7e]/);
  assert.ok(text.includes(cleanText(evil)));
});
