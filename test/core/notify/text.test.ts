import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { kinds, type Notice } from "../../../core/notify/notice.ts";
import { bodyMax, compose, defaults, titleMax, type Privacy } from "../../../core/notify/text.ts";
import { nick, samples, summary, txid } from "../../support/notices.ts";

const open: Privacy = { amounts: "exact", nicks: true, txids: true, txUrl: "" };
const shut: Privacy = { amounts: "off", nicks: false, txids: false, txUrl: "" };
const whole = (n: Notice, p: Privacy): string => {
  const { title, body } = compose(n, p);
  return `${title}\n${body}`;
};

test("notify: text: every kind has a title of its own, and a body", () => {
  const titles = kinds.map((k) => compose(samples[k], open).title);
  assert.equal(new Set(titles).size, titles.length);
  for (const k of kinds) assert.notEqual(compose(samples[k], open).body, "", k);
});

test("notify: text: with everything off no amount, nick or transaction is told", () => {
  const numbers = kinds.flatMap((k) => [...JSON.stringify(samples[k], (_, v: unknown) =>
    typeof v === "bigint" ? `sat${v}` : v).matchAll(/"sat(\d+)"/g)].map((m) => m[1] ?? ""));
  assert.ok(numbers.length > 8);
  for (const k of kinds) {
    const text = whole(samples[k], shut).replaceAll(",", "");
    for (const n of numbers) assert.ok(!text.includes(n), `${k} tells ${n}`);
    assert.ok(!text.includes(nick), k);
    assert.ok(!text.includes(txid.slice(0, 8)), k);
    assert.doesNotMatch(text, /BTC|\bsats?\b/, k);
  }
});

test("notify: text: exact amounts, nicks and transactions are told when they may be", () => {
  assert.match(whole(samples["tx-confirmed"], open), /5,432,100 sats/);
  assert.match(whole(samples["tx-confirmed"], open), new RegExp(`Transaction: ${txid}`));
  assert.match(whole(samples.started, open), new RegExp(`Nick: ${nick}`));
  const explorer = { ...open, txUrl: "http://explorer/tx/" };
  assert.match(whole(samples["tx-seen"], explorer), new RegExp(`http://explorer/tx/${txid}`));
});

test("notify: text: by default amounts are rounded and transactions are withheld", () => {
  const text = whole(samples["tx-confirmed"], defaults);
  assert.match(text, /about 5,400,000 sats/);
  assert.match(text, /Transaction: \(withheld\)/);
  assert.ok(!text.includes("5,432,100"));
});

test("notify: text: a summary tells rates, volumes, and what is optional if it is there", () => {
  assert.equal(compose(samples.summary, open).body, [
    "CoinJoins: 4, of which 3 succeeded and 1 failed (75 %)", "Earned: 1,234 sats",
    "Volume: 1.23456789 BTC of 9.87654321 BTC", "Coins shown to takers: 9",
    "Balance: 55,555,555 sats", "Coins: 12", "Directories: 7 of 8", "Update available: 1.3.0",
  ].join("\n"));
  const bare = { ...summary, requests: 0, balanceSat: undefined, coins: undefined };
  const quiet = compose({ ...samples.summary, summary: bare, update: undefined }, open);
  assert.equal(quiet.body, "No CoinJoin in this period.\nDirectories: 7 of 8");
  assert.equal(quiet.title, "Daily summary");
});

test("notify: text: the rate of success is rounded half up", () => {
  const rate = (successful: number, requests: number) => {
    const s = { ...summary, requests, successful };
    return /\((\d+) %\)/.exec(compose({ ...samples.summary, summary: s }, open).body)?.[1];
  };
  assert.deepEqual([rate(1, 3), rate(2, 3), rate(1, 8), rate(0, 5), rate(5, 5)],
    ["33", "67", "13", "0", "100"]);
});

test("notify: text: withdrawn offers say why", () => {
  const none = { ...samples["offers-changed"], offers: 0, minSat: 0n, maxSat: 0n } as const;
  const gone = compose({ ...none, why: "backend-down" }, open);
  assert.equal(gone.title, "No offers");
  assert.match(gone.body, /backend down/);
  assert.match(compose(samples["offers-changed"], open).body, /27,300 sats to 44,444,444 sats/);
});

test("notify: text: each reason of giving up has its words", () => {
  const bodies = (["not-broadcast", "not-found", "conflicted"] as const)
    .map((why) => compose({ ...samples["tx-given-up"], why }, open).body);
  assert.equal(new Set(bodies).size, 3);
  assert.match(whole(samples["tx-warned"], open), /Transaction: not known yet/);
});

test("notify: text: a peer without a nick has none", () => {
  const unnamed = { ...samples["peer-banned"], nick: undefined } as const;
  assert.match(whole(unnamed, shut), /A peer without a nick/);
});

test("notify: text: whatever the facts hold, texts are bounded and printable", () => {
  const hostile = fc.string({ unit: "binary", maxLength: 3_000 });
  fc.assert(fc.property(hostile, hostile, (a, b) => {
    const notices: Notice[] = [
      { kind: "started", nick: a, version: b, network: a },
      { ...samples["directory-lost"], directory: a } as Notice,
      { kind: "degraded-entered", state: a, why: b },
      { ...samples["peer-banned"], nick: b },
      { kind: "backend-down", backend: a, why: b },
      { ...samples.summary, label: a, update: b },
    ];
    for (const n of notices) {
      const { title, body } = compose(n, open);
      assert.ok(title.length <= titleMax);
      assert.ok(body.length <= bodyMax);
      assert.doesNotMatch(title, /[\p{Cc}\p{Cs}]/u);
      assert.doesNotMatch(body.replaceAll("\n", ""), /[\p{Cc}\p{Cs}]/u);
      assert.ok(body.split("\n").length <= 9, "no fact brings a line of its own");
    }
  }), { numRuns: 60 });
});
