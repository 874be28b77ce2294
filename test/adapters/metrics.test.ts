/**
 * The scrape of a real node's snapshot.
 * @module
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as metrics from "../../adapters/metrics.ts";
import { defaults } from "../../core/directory/config.ts";
import { closeReasons, dropReasons, handshakeResults } from "../../core/directory/counts.ts";
import * as directory from "../../core/directory/directory.ts";
import { status, type Status } from "../../core/directory/status.ts";
import { mono } from "../../core/time.ts";

const node = directory.create(defaults, mono(1_000));

function snapshot(): Status {
  return status(node, mono(3_500));
}

function values(text: string): Map<string, number> {
  const samples = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(samples.map((line) => {
    const at = line.lastIndexOf(" ");
    return [line.slice(0, at), Number(line.slice(at + 1))];
  }));
}

test("metrics: every figure of the snapshot, under names that dashboards know", async () => {
  const found = values(await metrics.create("1.2.3").text({
    ...snapshot(),
    totals: { ...snapshot().totals, publicRelayed: 7, heartbeatEvictions: 2, hints: 3 },
    drops: { "rate-public": 5 },
  }));
  const expected: [string, number][] = [
    ['jm_peers_active{role="maker"}', 0], ['jm_peers_active{role="taker"}', 0],
    ['jm_connections{state="handshaking"}', 0], ["jm_peers_max", 10_000],
    ["jm_messages_broadcast_total", 7], ["jm_heartbeat_evictions_total", 2],
    ["jm_heartbeat_pings_total", 0], ["jm_hints_total", 3], ["jm_uptime_seconds", 2.5],
    ['jm_dropped_total{reason="rate-public"}', 5], ["jm_draining", 0],
    [`jm_build_info{version="1.2.3",node="${process.versions.node}"}`, 1],
  ];
  for (const [name, value] of expected) assert.equal(found.get(name), value, name);
  assert.ok([...found.keys()].some((name) => name.startsWith("process_")));
});

test("metrics: the own onion service and what is wrong; not a number without one", async () => {
  const registry = metrics.create("1");
  const none = values(await registry.text(snapshot()));
  for (const name of ["jm_onion_up", "jm_onion_reachable", "jm_onion_reached_age_seconds"]) {
    assert.ok(Number.isNaN(none.get(name)), name);
  }
  assert.equal(none.get('jm_degraded{state="onion-down"}'), 0);
  const { onion } = snapshot();
  const up = values(await registry.text({
    ...snapshot(), onion: { ...onion, state: "up", isReachable: true, reachedMs: 61_000 },
  }));
  assert.deepEqual([
    up.get("jm_onion_up"), up.get("jm_onion_reachable"), up.get("jm_onion_reached_age_seconds"),
  ], [1, 1, 61]);
  const down = values(await registry.text({
    ...snapshot(), onion: { ...onion, state: "down" },
    degraded: [{ name: "onion-down", why: "no Tor", does: "it waits", sinceMs: 1 }],
  }));
  assert.equal(down.get("jm_onion_up"), 0);
  assert.equal(down.get('jm_degraded{state="onion-down"}'), 1);
  assert.equal(down.get('jm_degraded{state="onion-unreachable"}'), 0);
});

test("metrics: every reason exists from the start, and no other label does", async () => {
  const found = values(await metrics.create("1").text(snapshot()));
  const labels = (name: string): string[] =>
    [...found.keys()].filter((key) => key.startsWith(`${name}{`))
      .map((key) => key.slice(key.indexOf('"') + 1, -2)).sort();
  assert.deepEqual(labels("jm_dropped_total"), [...dropReasons].sort());
  assert.deepEqual(labels("jm_connections_closed_total"), [...closeReasons].sort());
  assert.deepEqual(labels("jm_handshakes_total"), [...handshakeResults].sort());
});

test("metrics: a second scrape shows the new totals, not their sum", async () => {
  const registry = metrics.create("1");
  const at = (linesReceived: number): Status =>
    ({ ...snapshot(), totals: { ...snapshot().totals, linesReceived } });
  await registry.text(at(10));
  assert.equal(values(await registry.text(at(12))).get("jm_lines_received_total"), 12);
});

test("metrics: connections that never reached the node are counted too", async () => {
  const registry = metrics.create("1");
  const scrape = async (refused: number): Promise<Map<string, number>> =>
    values(await registry.text(snapshot(), { refused, acceptErrors: 2 }));
  await scrape(3);
  const found = await scrape(5);
  assert.equal(found.get("jm_connections_refused_total"), 5);
  assert.equal(found.get("jm_accept_errors_total"), 2);
  assert.equal(values(await registry.text(snapshot())).get("jm_connections_refused_total"), 0);
});

test("metrics: counters end in _total, each metric has help, no nick is ever shown", async () => {
  const text = await metrics.create("1").text({
    ...snapshot(), nick: "J5SECRETNICK",
    recent: [{ agoMs: 1, code: "peer.evicted", nick: "J5SECRETNICK" }],
  });
  assert.ok(!text.includes("J5SECRETNICK"));
  const counters = [...text.matchAll(/^# TYPE (jm_\S+) counter$/gm)].map((match) => match[1]);
  assert.ok(counters.length > 10);
  for (const name of counters) {
    assert.match(name ?? "", /_total$/);
    assert.match(text, new RegExp(`^# HELP ${name} \\S`, "m"));
  }
});
