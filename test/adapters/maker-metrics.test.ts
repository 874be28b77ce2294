/**
 * The scrape of real makers' snapshots.
 * @module
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as metrics from "../../adapters/maker-metrics.ts";
import { names } from "../../core/maker/degraded.ts";
import { endings } from "../../core/maker/guests.ts";
import type { Status } from "../../core/maker/status.ts";
import { poor, well } from "../support/maker-status.ts";

const good = well();
const bad = poor();

async function scrape(status: Status, registry = metrics.create("1.2.3")) {
  const text = await registry.text(status);
  const samples = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return {
    text,
    found: new Map(samples.map((line) => {
      const at = line.lastIndexOf(" ");
      return [line.slice(0, at), Number(line.slice(at + 1).replace("Nan", "NaN"))];
    })),
  };
}

test("maker metrics: a maker that is well", async () => {
  const { found } = await scrape(good);
  const expected: [string, number][] = [
    ['dw_maker_directories{state="up"}', 7], ['dw_maker_directories{state="down"}', 1],
    ["dw_maker_offers_public", 1], ["dw_maker_backend_up", 1], ["dw_maker_tip_height", 130],
    ["dw_maker_journal_ready", 1], ['dw_maker_degraded{state="no-directory"}', 0],
    ["dw_maker_announced_total", good.counts.announced], ["dw_maker_orderbooks_answered_total", 0],
    ["dw_maker_notices_sent_total", good.notices.counts.sent], ["dw_maker_guests_opened_total", 0],
    ["dw_maker_uptime_seconds", good.uptimeMs / 1_000], ["dw_maker_tip_stale", 0],
    [`dw_maker_build_info{version="1.2.3",node="${process.versions.node}"}`, 1],
  ];
  for (const [name, value] of expected) assert.equal(found.get(name), value, name);
  assert.ok([...found.keys()].some((name) => name.startsWith("process_")));
});

test("maker metrics: a maker about which nearly everything is wrong", async () => {
  const { found } = await scrape(bad);
  for (const { name } of bad.degraded) {
    assert.equal(found.get(`dw_maker_degraded{state="${name}"}`), 1, name);
  }
  const expected: [string, number][] = [
    ["dw_maker_backend_up", 0], ["dw_maker_journal_ready", 0], ["dw_maker_tip_stale", 1],
    ["dw_maker_notice_targets_failing", 1], ["dw_maker_offers_public", 0],
    [`dw_maker_offers_blocked{cause="${bad.offers.block}"}`, 1],
    ["dw_maker_notices_waiting", bad.notices.targets[0]?.waiting ?? -1],
  ];
  for (const [name, value] of expected) assert.equal(found.get(name), value, name);
});

test("maker metrics: what is not known is not a number", async () => {
  const { found } = await scrape({
    ...good, wallet: { ...good.wallet, viewAgeMs: null }, tip: { ...good.tip, height: null },
  });
  for (const name of ["dw_maker_coins_age_seconds", "dw_maker_tip_height"]) {
    assert.ok(Number.isNaN(found.get(name)), name);
  }
});

test("maker metrics: the own onion: no number without one", async () => {
  const none = await scrape(good);
  const levels = [
    "dw_maker_onion_up", "dw_maker_onion_reachable", "dw_maker_onion_reached_age_seconds",
  ];
  for (const name of levels) assert.ok(Number.isNaN(none.found.get(name)), name);
  const { found } = await scrape({
    ...good, onion: { ...good.onion, state: "up", isReachable: false, reachedMs: 3_000 },
  });
  assert.deepEqual(levels.map((name) => found.get(name)), [1, 0, 3]);
});

test("maker metrics: every label exists from the start, and is of a closed list", async () => {
  const { found } = await scrape(good);
  const labels = (name: string): string[] =>
    [...found.keys()].filter((key) => key.startsWith(`${name}{`))
      .map((key) => key.slice(key.indexOf('"') + 1, -2)).sort();
  assert.deepEqual(labels("dw_maker_degraded"), [...names].sort());
  assert.deepEqual(labels("dw_maker_guests_ended_total"), [...endings].sort());
  assert.deepEqual(labels("dw_maker_offers_blocked"),
    ["backend", "coins", "journal", "mainnet", "stopped"]);
});

test("maker metrics: no nick, directory or amount is ever shown", async () => {
  const { text } = await scrape(good);
  for (const secret of [good.nick, good.pubkey, ".onion", "50000000", "62345678"]) {
    assert.ok(!text.includes(secret), secret);
  }
});

test("maker metrics: a second scrape shows the new state, not a sum or the old one", async () => {
  const registry = metrics.create("1");
  await scrape(bad, registry);
  const { found } = await scrape({ ...good, counts: { ...good.counts, announced: 12 } }, registry);
  assert.equal(found.get("dw_maker_announced_total"), 12);
  assert.equal(found.get('dw_maker_degraded{state="no-directory"}'), 0);
});

test("maker metrics: counters end in _total, each metric has help", async () => {
  const { text } = await scrape(good);
  const counters = [...text.matchAll(/^# TYPE (dw_\S+) counter$/gm)].map((match) => match[1]);
  assert.ok(counters.length > 15);
  for (const name of counters) {
    assert.match(name ?? "", /_total$/);
    assert.match(text, new RegExp(`^# HELP ${name} \\S`, "m"));
  }
});
