/**
 * `dogwatch history`: what is imported, listed, exported, verified and added, and who may.
 */
import assert from "node:assert/strict";
import {
  appendFileSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { createAmbient } from "../../adapters/ambient.ts";
import { takeLock } from "../../adapters/lock.ts";
import * as history from "../../cli/history.ts";
import { historyPath, lockName, makerFolder, writing } from "../../cli/history-file.ts";
import { zoneOf } from "../../cli/zones.ts";
import type { Io } from "../../cli/io.ts";
import { encode } from "../../core/history/body.ts";
import { folder } from "./capture.ts";

const temp = folder();
after(temp.remove);

let folders = 0;
const fresh = () => join(temp.path, `data-${folders += 1}`);

type Said = { readonly code: number; readonly out: string; readonly err: string };

/** Runs one command on a data directory. */
async function run(
  act: (flags: history.HistoryFlags, io: Io) =>
    number | Promise<number>,
  flags: history.HistoryFlags,
): Promise<Said> {
  let [out, err] = ["", ""];
  const code = await act(flags, {
    out: (text) => void (out += text), err: (text) => void (err += text),
    env: { XDG_CONFIG_HOME: "/nonexistent", XDG_STATE_HOME: "/nonexistent" },
  });
  return { code, out, err };
}

const txid = "ab".repeat(32);
const header = "timestamp,completed_at,role,success,failure_reason,confirmations,confirmed_at,txid,"
  + "cj_amount,peer_count,counterparty_nicks,fee_received,txfee_contribution,"
  + "total_maker_fees_paid,mining_fee_paid,net_fee,source_mixdepth,destination_address,"
  + "change_address,utxos_used,broadcast_method,network,wallet_fingerprint,source_addresses,source,"
  + "input_value,destination_vout,amount\r\n";
const done = "2025-06-01T12:00:00.000123,2025-06-01T12:30:00,maker,True,,1,2025-06-01T12:30:00,"
  + `${txid},5000000,5,J5taker,1000,250,0,0,750,0,bcrt1qdest,bcrt1qchange,"${txid}:0,${txid}:1",`
  + `,regtest,deadbeef,"bcrt1qa,bcrt1qb",protocol,6000000,3,5000000\r\n`;
const waits = "2025-06-02T12:00:00,,maker,False,Awaiting transaction,0,,,70000,,J5other,0,0,0,0,0,"
  + "0,bcrt1qwaits,,,,regtest,deadbeef,,protocol,80000,-1,70000\r\n";

function csvFile(text: string): string {
  const path = join(temp.path, `${folders += 1}.csv`);
  writeFileSync(path, text);
  return path;
}

const importing = (file: string) => (flags: history.HistoryFlags, io: Io) =>
  history.importCsv(file, flags, io);
const exporting = (file?: string) => (flags: history.HistoryFlags, io: Io) =>
  history.exportCsv(file, flags, io);

test("history: import, export: the same bytes; again, nothing is added", async () => {
  const dataDir = fresh();
  const file = csvFile(header + done + waits);
  const flags = { dataDir, tz: "Europe/Berlin" };
  const first = await run(importing(file), flags);
  assert.deepEqual([first.code, first.err], [0, ""]);
  assert.equal(first.out, "2 rows imported, 0 were there already, 0 left out\n");
  assert.equal(statSync(historyPath(dataDir)).mode & 0o777, 0o600);
  const out = await run(exporting(), flags);
  assert.deepEqual([out.code, out.out], [0, header + done + waits]);
  const later = csvFile(header + waits.replace("Awaiting transaction", "Pending confirmation")
    + done + done.replaceAll("bcrt1qdest", "bcrt1qnew"));
  for (const [tz, imported, known] of [["UTC", 1, 2], ["Europe/Berlin", 0, 3]] as const) {
    const again = await run(importing(later), { ...flags, tz, json: true });
    assert.equal(again.code, 0, again.err);
    const told = JSON.parse(again.out) as { imported: number; known: number };
    assert.deepEqual([told.imported, told.known], [imported, known], tz);
  }
});

test("history: hazard 10: import names what it leaves out", async () => {
  const dataDir = fresh();
  const file = csvFile(header + "broken\u001b[31m\r\n" + done + waits.replace("maker", "boss"));
  const bytes = readFileSync(file);
  const dry = await run(importing(file), { dataDir, tz: "UTC", dryRun: true });
  assert.equal(dry.code, 1);
  assert.match(dry.out, /1 rows would be imported/);
  const said = await run(importing(file), { dataDir, tz: "UTC" });
  assert.equal(said.code, 1);
  assert.match(said.err, /\.csv:2: left out: 1 fields where the first line names 28/);
  assert.match(said.err, /\.csv:4: left out: role is not one of maker/);
  assert.ok(!said.err.includes("\u001b"));
  assert.match(said.out, /^1 rows imported, 0 were there already, 2 left out/);
  assert.deepEqual(readFileSync(file), bytes, "the file stays as it is");
  const foreign = await run(importing(csvFile("a;b\n1;2\n")), { dataDir, tz: "UTC" });
  assert.deepEqual([foreign.code, foreign.out], [1, ""]);
  assert.match(foreign.err, /is no history\.csv of joinmarket-ng: the first line names no column/);
  const missing = await run(importing(join(temp.path, "none.csv")), { dataDir, tz: "UTC" });
  assert.match(missing.err, /cannot read .*none\.csv/);
  const endless = await run(importing("/dev/zero"), { dataDir, tz: "UTC" });
  assert.equal(endless.code, 1);
  assert.match(endless.err, /cannot read \/dev\/zero: it is longer than 134217728 bytes/);
  writeFileSync(file, Buffer.from([0xff, 0xfe, 0x00]));
  assert.equal((await run(importing(file), { dataDir, tz: "UTC" })).code, 1);
});

test("history: import: doubtful hours are said, with their line", async () => {
  const dataDir = fresh();
  const file = csvFile(header + waits.replace("2025-06-02T12:00:00", "2025-10-26T02:30:00"));
  const said = await run(importing(file), { dataDir, tz: "Europe/Berlin" });
  assert.equal(said.code, 0);
  assert.match(said.err, /\.csv:2: timestamp is in an hour that came twice/);
  const out = await run(exporting(), { dataDir, tz: "Europe/Berlin" });
  assert.equal(out.err, "", "its first time reads back as itself");
  assert.equal((await run(importing(file), { dataDir: fresh(), tz: "+01:00" })).code, 0);
});

test("history: export: into a new file only; the hour that comes twice is warned of", async () => {
  const dataDir = fresh();
  const second = waits.replace("2025-06-02T12:00:00", "2025-10-26T01:30:00");
  await run(importing(csvFile(header + second)), { dataDir, tz: "UTC" });
  const target = join(temp.path, "out.csv");
  const said = await run(exporting(target), { dataDir, tz: "Europe/Berlin" });
  assert.equal(said.code, 0);
  assert.match(said.err, /the times of 1 rows are in the hour that comes twice/);
  assert.match(readFileSync(target, "utf8"), /2025-10-26T02:30:00/);
  const again = await run(exporting(target), { dataDir, tz: "UTC" });
  assert.equal(again.code, 1);
  assert.match(again.err, /exists already and was left as it is/);
});

test("history: list: a table for people, JSON for programs, or what is open", async () => {
  const dataDir = fresh();
  await run(importing(csvFile(header + done + waits)), { dataDir, tz: "UTC" });
  const { out, err, code } = await run(history.list, { dataDir });
  assert.equal(code, 0);
  assert.equal(out, [
    "ID  ADDED                ROLE   STATE    CONF     AMOUNT  NET FEE  TXID               REASON",
    " 1  2025-06-01T12:00:00  maker  settled     1  5,000,000      750  abababababababab…",
    " 2  2025-06-02T12:00:00  maker  awaited     0     70,000        0  -                  "
      + "Awaiting transaction",
    "",
  ].join("\n"));
  assert.match(err, /^2 requests: 1 successful, 0 failed, 1 pending; volume 5,000,000 sats;/);
  const open = await run(history.list, { dataDir, pending: true, json: true });
  const told = JSON.parse(open.out) as {
    rows: { id: number; cjSat: number; stage: string }[]; totals: { requests: number };
  };
  assert.deepEqual(told.rows.map(({ id, cjSat, stage }) => [id, cjSat, stage]),
    [[2, 70_000, "waiting"]]);
  assert.equal(told.totals.requests, 2);
  const berlin = await run(history.list, { dataDir, tz: "Europe/Berlin" });
  assert.match(berlin.out, /2025-06-01T14:00:00/);
});

test("history: verify: whole, torn, damaged, of a newer version, missing", async () => {
  const dataDir = fresh();
  await run(importing(csvFile(header + done + waits)), { dataDir, tz: "UTC" });
  const path = historyPath(dataDir);
  const whole = await run(history.verify, { dataDir });
  assert.equal(whole.code, 0);
  assert.match(whole.out, /history\.journal: whole: 2 records in [0-9]+ bytes, 2 transactions\n$/);
  const before = readFileSync(path);
  appendFileSync(path, "96d0dba5 3 2 1");
  const torn = await run(history.verify, { dataDir, json: true });
  const told = JSON.parse(torn.out) as { ok: boolean; tornBytes: number; records: number };
  assert.deepEqual([torn.code, told.ok, told.tornBytes, told.records], [0, true, 14, 2]);
  assert.match(torn.err, /the last 14 bytes are a write that is under way or was cut short/);
  assert.equal(readFileSync(path).length, before.length + 14, "nothing is repaired by looking");
  const bad = Buffer.from(before);
  bad[40] = 0x21;
  writeFileSync(path, bad);
  for (const act of [history.verify, history.list]) {
    const damaged = await run(act, { dataDir });
    assert.equal(damaged.code, 1);
    assert.match(damaged.err, /history\.journal is damaged: record 1 at byte 19 is damaged/);
  }
  const imported = await run(importing(csvFile(header + done)), { dataDir, tz: "UTC" });
  assert.equal(imported.code, 1);
  assert.match(imported.err, /cannot write .*record 1 at byte 19 is damaged/);
  assert.deepEqual(readFileSync(path), bad, "damage is left as it is");
  writeFileSync(path, before);
  await writing(path, createAmbient(), ({ write }) => write([`{"v":2,"k":"x"}`, "junk"]));
  const newer = await run(history.verify, { dataDir, json: true });
  assert.equal(newer.code, 1);
  assert.match(newer.err, /1 records are of a newer version; they are kept/);
  assert.match(newer.err, /1 records cannot be read/);
  const none = await run(history.verify, { dataDir: fresh() });
  assert.equal(none.code, 1);
  assert.match(none.err, /there is no history at .*; name the maker's directory with --data-dir/);
});

test("history: add: one to watch, by id or address, once", async () => {
  const dataDir = fresh();
  const flags = { dataDir, network: "regtest", amount: "70000", address: "bcrt1qwaitsforit" };
  const first = await run(history.add, flags);
  assert.deepEqual([first.code, first.out], [0, "added as transaction 1\n"]);
  const again = await run(history.add, { ...flags, txid });
  assert.equal(again.code, 1);
  assert.match(again.err, /transaction 1 of the history has that id or address already/);
  const second = await run(history.add, { dataDir, amount: "5", txid, fee: "3", json: true });
  assert.deepEqual(JSON.parse(second.out), { schema: 1, id: 2 });
  const { out } = await run(history.list, { dataDir, json: true });
  type Shown = { network: string; netFeeSat: number; reason: string };
  const { rows } = JSON.parse(out) as { rows: Shown[] };
  assert.deepEqual(rows.map(({ network, netFeeSat, reason }) => [network, netFeeSat, reason]), [
    ["regtest", 0, "Awaiting transaction"], ["mainnet", 3, "Pending confirmation"],
  ]);
});

test("history: wrong usage: exit 2, naming the flag; nothing is made", async () => {
  const dataDir = fresh();
  const wrong: readonly (readonly [history.HistoryFlags, RegExp])[] = [
    [{ amount: "1" }, /--txid or --address: name one/], [{ txid: "x", amount: "1" }, /--txid: 64/],
    [{ txid: txid.toUpperCase(), amount: "1" }, /--txid/], [{ txid }, /--amount/],
    [{ txid, amount: "0" }, /--amount/], [{ txid, amount: "1.5" }, /--amount/],
    [{ txid, amount: "2100000000000001" }, /--amount/], [{ txid, amount: "1", fee: "-1" }, /--fee/],
    [{ address: "../../etc", amount: "1" }, /--address/],
    [{ txid, amount: "1", change: "no" }, /--change/],
    [{ txid, amount: "1", network: "moon" }, /network/],
  ];
  for (const [flags, says] of wrong) {
    const said = await run(history.add, { dataDir, ...flags });
    assert.equal(said.code, 2, JSON.stringify(flags));
    assert.match(said.err, says);
  }
  const file = csvFile(header);
  for (const act of [importing(file), exporting()]) {
    assert.match((await run(act, { dataDir })).err, /--tz: the times of a history\.csv name no/);
    const said = await run(act, { dataDir, tz: "Mars/Olympus" });
    assert.equal(said.code, 2);
    assert.match(said.err, /--tz Mars\/Olympus: no such zone/);
  }
  const config = csvFile("data_dirs = 1\n");
  const said = await run(history.list, { config });
  assert.equal(said.code, 2);
  assert.match(said.err, /data_dirs/);
  assert.ok(!existsSync(dataDir));
});

test("history: who writes needs the lock, who reads does not", async () => {
  const dataDir = fresh();
  const file = csvFile(header + done);
  await run(importing(file), { dataDir, tz: "UTC" });
  const taken = await takeLock({
    folder: makerFolder(dataDir), name: lockName, command: "dogwatch maker",
    ambient: createAmbient(),
  });
  assert.ok(taken.ok);
  for (const act of [importing(file), history.add]) {
    const said = await run(act, { dataDir, tz: "UTC", txid, amount: "1" });
    assert.equal(said.code, 1);
    assert.match(said.err, /process [0-9]+ \(dogwatch maker, since .* UTC\) has .*; stop it first/);
  }
  for (const act of [history.verify, history.list, exporting()]) {
    assert.equal((await run(act, { dataDir, tz: "UTC" })).code, 0);
  }
  await taken.lock.release();
  assert.equal((await run(importing(file), { dataDir, tz: "UTC" })).code, 0);
});

test("history: a data directory or journal that cannot be used: exit 1, and why", async () => {
  const blocked = csvFile("a file");
  const said = await run(importing(csvFile(header)), { dataDir: blocked, tz: "UTC" });
  assert.equal(said.code, 1);
  assert.match(said.err, /the data directory .* cannot be used/);
  const dataDir = fresh();
  mkdirSync(historyPath(dataDir), { recursive: true });
  for (const act of [importing(csvFile(header + done)), history.verify]) {
    const odd = await run(act, { dataDir, tz: "UTC" });
    assert.equal(odd.code, 1);
    assert.match(odd.err, /cannot (write|read) .*history\.journal/);
  }
});

test("history: many rows are written in rounds, in order", async () => {
  const dataDir = fresh();
  mkdirSync(makerFolder(dataDir), { recursive: true });
  const bodies = Array.from({ length: 2_345 }, (_, i) =>
    encode({ type: "value", key: "n", value: String(i) }));
  await writing(historyPath(dataDir), createAmbient(), async ({ book, write }) => {
    await write(bodies);
    await write([]);
    assert.deepEqual([book.lastSeq, book.values.get("n")], [2_345, "2344"]);
  });
});

test("history: zones: names and offsets, summer and winter, and no others", () => {
  const hours = (name: string, iso: string) =>
    (zoneOf(name)?.(Date.parse(iso)) ?? Number.NaN) / 3_600_000;
  assert.equal(hours("Europe/Berlin", "2025-10-26T00:59:59.999Z"), 2);
  assert.equal(hours("Europe/Berlin", "2025-10-26T01:00:00Z"), 1);
  assert.equal(hours("America/St_Johns", "2025-01-01T00:00:00Z"), -3.5);
  assert.equal(hours("Asia/Kathmandu", "2025-01-01T12:34:56Z"), 5.75);
  assert.equal(hours("UTC", "1969-12-31T23:59:59Z"), 0);
  assert.equal(hours("-09:30", "2025-01-01T00:00:00Z"), -9.5);
  for (const no of ["", "Mars/Olympus", "+25:00"]) assert.equal(zoneOf(no), undefined, no);
});
