import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { amountSatMax, textMax } from "../../../core/history/body.ts";
import * as csv from "../../../core/history/csv.ts";
import { blank, type Entry } from "../../../core/history/entry.ts";
import { fixed, type Zone } from "../../../core/history/zone.ts";
import { entries } from "../../support/history.ts";

const utc = fixed(0);
const names = csv.header.trimEnd().split(",");

/** What a column can hold: no half surrogates, and no comma or empty item in a list. */
const grapheme = fc.string({ unit: "grapheme", maxLength: 10 });
const text = fc.oneof(grapheme, fc.constant('a,"b"\r\nc'));
const item = fc.stringMatching(/^[a-z0-9:]{1,8}$/);

function readAll(file: string, zone: Zone = utc): csv.Read {
  const read = csv.read(file, zone);
  assert.ok(read.ok, read.ok ? "" : read.fault.text);
  return read.value;
}

function row(fields: { readonly [name: string]: string }): string {
  const base: { readonly [name: string]: string } = {
    timestamp: "2025-06-01T12:00:00", role: "maker", success: "False", cj_amount: "5000000",
  };
  return `${names.map((name) => fields[name] ?? base[name] ?? "").join(",")}\r\n`;
}

test("history: csv: the header has the 28 columns in their order", () => {
  assert.equal(csv.header, "timestamp,completed_at,role,success,failure_reason,confirmations,"
    + "confirmed_at,txid,cj_amount,peer_count,counterparty_nicks,fee_received,txfee_contribution,"
    + "total_maker_fees_paid,mining_fee_paid,net_fee,source_mixdepth,destination_address,"
    + "change_address,utxos_used,broadcast_method,network,wallet_fingerprint,source_addresses,"
    + "source,input_value,destination_vout,amount\r\n");
  assert.equal(names.length, 28);
});

test("history: csv: what was written is read, byte for byte both ways", () => {
  const zones = fc.constantFrom(0, 3_600_000, -34_200_000).map(fixed);
  fc.assert(fc.property(fc.array(entries(text, item), { maxLength: 5 }), zones, (list, zone) => {
    const file = csv.header + list.map((entry) => csv.write(entry, zone)).join("");
    const read = readAll(file, zone);
    assert.deepEqual(read.faults, []);
    assert.deepEqual(read.rows.map(({ entry }) => entry), list);
    const again = csv.header + read.rows.map(({ entry }) => csv.write(entry, zone)).join("");
    assert.equal(again, file);
  }), { numRuns: 150 });
});

test("history: csv: a row as joinmarket-ng writes it", () => {
  const txid = "ab".repeat(32);
  const line = `2025-06-01T12:00:00.000123,2025-06-01T12:30:00,maker,True,,1,2025-06-01T12:30:00,`
    + `${txid},5000000,5,J5taker,1000,250,0,0,750,0,bcrt1qdest,bcrt1qchange,"${txid}:0,${txid}:1",`
    + `,regtest,deadbeef,"bcrt1qa,bcrt1qb",protocol,6000000,3,5000000\r\n`;
  const read = readAll(csv.header + line, fixed(7_200_000));
  const expected: Entry = {
    addedUs: 1_748_772_000_000_123, completedUs: 1_748_773_800_000_000, role: "maker",
    isSuccess: true, reason: "", confirmations: 1, confirmedUs: 1_748_773_800_000_000, txid,
    cjSat: 5_000_000n, peers: 5, nicks: "J5taker", feeReceivedSat: 1_000n,
    txfeeContributionSat: 250n, makerFeesPaidSat: 0n, miningFeePaidSat: 0n, netFeeSat: 750n,
    mixdepth: 0, destination: "bcrt1qdest", change: "bcrt1qchange",
    utxos: [`${txid}:0`, `${txid}:1`], broadcast: "", network: "regtest", fingerprint: "deadbeef",
    sourceAddresses: ["bcrt1qa", "bcrt1qb"], source: "protocol", inputSat: 6_000_000n, vout: 3,
    amountSat: 5_000_000n,
  };
  assert.deepEqual(read.rows, [{ line: 2, entry: expected, doubts: [] }]);
  assert.equal(csv.write(expected, fixed(7_200_000)), line);
});

test("history: csv: hazard 10: a malformed row is named and kept out", () => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ["a,b\r\n", /2 fields where the first line names 28/],
    [row({ timestamp: "yesterday" }), /timestamp is not a time/],
    [row({ timestamp: "2025-02-29T00:00:00" }), /timestamp is not/],
    [row({ timestamp: "2025-01-01T24:00:00" }), /timestamp is not/],
    [row({ timestamp: "9999-01-01T00:00:00" }), /timestamp is not/],
    [row({ timestamp: "" }).replace(/^2[^,]*/, ""), /timestamp is empty/],
    [row({ role: "owner" }), /role is not one of maker/],
    [row({ success: "yes" }), /success is not True or False/],
    [row({ cj_amount: "0.5" }), /cj_amount is not a whole number/],
    [row({ cj_amount: `${amountSatMax + 1n}` }), /out of range/],
    [row({ cj_amount: "1e9" }), /cj_amount is not/],
    [row({ confirmations: "-1" }), /confirmations is not a whole number, zero/],
    [row({ peer_count: "x" }), /peer_count is not/],
    [row({ destination_vout: "-2" }), /destination_vout is not/],
    [row({ txid: "xyz" }), /out of range/],
    [row({ failure_reason: "x".repeat(textMax + 1) }), /out of range/],
    ['"open\r\n', /quotes do not match/],
  ];
  const file = csv.header + wrong.map(([line]) => line + row({})).join("");
  const read = readAll(file);
  assert.equal(read.rows.length, wrong.length, "every good row is taken");
  assert.equal(read.faults.length, wrong.length);
  wrong.forEach(([, says], i) => {
    assert.match(read.faults[i]?.text ?? "", says);
    assert.equal(read.faults[i]?.line, 2 + 2 * i);
  });
});

test("history: csv: older files lack columns, newer ones have more", () => {
  const old = "timestamp,role,success,cj_amount,txid,destination_address\r\n"
    + "2025-06-01 12:00:00,taker,false,7,,bcrt1q\n";
  const read = readAll(old);
  assert.deepEqual(read.rows[0]?.entry, {
    ...blank(1_748_779_200_000_000), role: "taker", cjSat: 7n, destination: "bcrt1q",
  });
  const wide = readAll(`shoe_size,${csv.header}42,${row({})}`);
  assert.deepEqual([wide.ignored, wide.rows.length], [["shoe_size"], 1]);
});

test("history: csv: what is no such file at all is a fault of the file", () => {
  for (const [file, says] of [
    ["", /empty/], ["a,b\r\n", /no column timestamp, role/], ['"\r\n', /no column/],
    [`timestamp,${csv.header}`, /names a column twice/],
  ] as const) {
    const read = csv.read(file, utc);
    assert.ok(!read.ok);
    assert.match(read.fault.text, says);
  }
});

test("history: csv: hazard 5: hours that come twice or never are said", () => {
  const hourMs = 3_600_000;
  // 2025-10-26T01:00Z ends a summer, 2025-03-30T01:00Z begins it.
  const berlin: Zone = (ms) =>
    (ms >= 1_743_296_400_000 && ms < 1_761_440_400_000 ? 2 : 1) * hourMs;
  const twice = row({ timestamp: "2025-10-26T02:30:00" });
  const never = row({ timestamp: "2025-03-30T02:30:00", completed_at: "2025-03-30T03:30:00" });
  const named = row({ timestamp: "2025-10-26T02:30:00+01:00" });
  const read = readAll(csv.header + twice + never + named, berlin);
  assert.deepEqual(read.rows.map(({ entry }) => entry.addedUs / 1_000_000), [
    1_761_438_600, 1_743_298_200, 1_761_442_200,
  ]);
  const doubts = read.rows.map(({ doubts: texts }) => texts.join());
  assert.match(doubts[0] ?? "", /timestamp is in an hour that came twice/);
  assert.match(doubts[1] ?? "", /timestamp is in an hour that the clocks left out/);
  assert.equal(doubts[2], "", "a time that names its zone is taken at its word");
});

test("history: csv: a row is known again whatever became of it and whatever its zone", () => {
  fc.assert(fc.property(entries(text, item), fc.nat(), (entry, us) => {
    const join: Entry = { ...entry, role: "maker" };
    const later: Entry = {
      ...join, addedUs: us, isSuccess: true, txid: "cd".repeat(32), vout: 7, reason: "", peers: 4,
    };
    assert.equal(csv.identityOf(join), csv.identityOf(later));
    assert.notEqual(csv.identityOf(join), csv.identityOf({ ...join, destination: "elsewhere" }));
    const send: Entry = { ...entry, role: "send" };
    assert.notEqual(csv.identityOf(send), csv.identityOf({ ...send, txid: "ef".repeat(32) }));
  }), { numRuns: 50 });
});

test("history: csv: offsets are read as they are written, and nothing else", () => {
  assert.deepEqual(["Z", "+02:00", "-09:30", "+14:59"].map(csv.offsetOf),
    [0, 7_200_000, -34_200_000, 53_940_000]);
  for (const no of ["", "02:00", "+2:00", "+15:00", "+01:60", "UTC"]) {
    assert.equal(csv.offsetOf(no), undefined, no);
  }
});
