/**
 * `dogwatch ark`, whole: wallets' programs over real HTTP, an Ark server over real gRPC, a real
 * disk.
 * @module
 */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { getJson } from "../../adapters/http.ts";
import type { ArkDaemon } from "../../cli/run-ark.ts";
import { changeToken } from "../../sim/ark/acts.ts";
import type { Outage } from "../../sim/ark/faults.ts";
import { block } from "../../sim/ark/run.ts";
import { ever, minuteMs } from "../support/ark-world.ts";
import { arkWith, launch, settled, wallets } from "./ark-daemon.ts";
import { run, start } from "./capture.ts";
import { ambient, endAll, place, running, temp, textAt } from "./daemons.ts";
import { serverAt } from "./doctor/bench.ts";

after(endAll);

const troublesOf = (daemon: ArkDaemon, wallet: string): readonly string[] => (
  daemon.status().wallets.find(({ name }) => name === wallet)!.degraded.map(({ name }) => name)
);

test("run ark: what is due is refreshed over HTTP in a round, and written down first", async () => {
  const ark = await arkWith({ alice: 3_000, bob: 30 });
  const data = place();
  const ran = await launch(wallets(ark), data);
  const daemon = running(ran);
  await settled(ran, "alice", "bob");
  await ran.until(/"ark\.intent-opened".*"wallet":"bob".*"aim":"refresh"/);
  assert.match(readFileSync(join(data, "ark.journal"), "utf8"), /"ark-intent"/);
  while (ark.act((w) => w.server.participations.size) === 0) await textAt(daemon, "/livez");
  ark.skip(11 * minuteMs);
  await ran.until(/"ark\.round".*"kind":"finished"/);
  ark.act((w) => block(w));
  daemon.look();
  await ran.until(/"ark\.intent-success".*"wallet":"bob"/);
  const done = (): number | undefined => daemon.status().wallets[1]?.outcomes.success;
  while (done() === 0) await textAt(daemon, "/livez");
  const { wallets: [, plan] } = daemon.plans();
  assert.ok(plan!.rows.every(({ blocksLeft }) => (blocksLeft ?? 0) > 30));
  assert.match(await textAt(daemon, "/metrics"), /dw_ark_intents_total\{outcome="success"\} 1/);
  assert.match(await textAt(daemon, "/"), /Dogwatch Ark/);
  const asked = await getJson(daemon.http, "/plan", 5_000, ambient);
  assert.ok(asked.ok && asked.code === 200);
  assert.equal((asked.body as { wallets: unknown[] }).wallets.length, 2);
});

test("run ark: a program that stops is its wallet's trouble alone, and comes back", async () => {
  const ark = await arkWith({ alice: 3_000, bob: 3_000 });
  const ran = await launch(wallets(ark));
  const daemon = running(ran);
  await settled(ran, "alice", "bob");
  await ark.halt("bob");
  await ran.until(/"ark\.fact".*"wallet":"bob","of":"program".*"to":"down"/);
  assert.deepEqual(troublesOf(daemon, "bob").includes("program-down"), true);
  assert.deepEqual(troublesOf(daemon, "alice").filter((name) => name !== "unseen"), []);
  const ready = await getJson(daemon.http, "/readyz", 5_000, ambient);
  assert.ok(ready.ok && ready.code === 503);
  assert.match(JSON.stringify(ready.body), /bob: program-down: nobody answers at its address/);
  ark.act((w) => changeToken(w, "bob"));
  await ark.resume("bob");
  await ran.until(/"ark\.fact".*"wallet":"bob","of":"program","from":"down","to":"up"/);
  await ran.until(/"ark\.fact".*"wallet":"bob","of":"server".*"to":"up"/);
  assert.ok(!troublesOf(daemon, "bob").includes("program-down"));
});

test("run ark: an Ark server that is down is told of each wallet, and comes back", async () => {
  const ark = await arkWith({ alice: 3_000, bob: 3_000 });
  const ran = await launch(wallets(ark));
  const daemon = running(ran);
  await settled(ran, "alice", "bob");
  const down: Outage = { on: "server", fault: { kind: "down" }, ...ever };
  ark.suffer([down]);
  for (const name of ["alice", "bob"]) {
    await ran.until(new RegExp(`"ark\\.fact".*"wallet":"${name}","of":"server".*"to":"down"`));
    assert.ok(troublesOf(daemon, name).includes("server-down"));
  }
  ark.suffer([]);
  for (const name of ["alice", "bob"]) {
    const up = `"ark\\.fact".*"wallet":"${name}","of":"server","from":"down","to":"up"`;
    await ran.until(new RegExp(up));
  }
});

test("run ark: an end between intent and round: the next run settles it, asked once", async () => {
  const ark = await arkWith({ bob: 30 });
  const data = place();
  const first = await launch(wallets(ark), data);
  await first.until(/"ark\.intent-opened".*"wallet":"bob"/);
  const daemon = running(first);
  await first.until(/"ark\.fact".*"of":"chain".*"to":"up"/);
  while (ark.act((w) => w.server.participations.size) === 0) await textAt(daemon, "/livez");
  daemon.stop("test");
  assert.equal(await daemon.ended, 0);
  const second = await launch(wallets(ark), data);
  running(second);
  await second.until(/"ark\.journal-ready"/);
  await settled(second, "bob");
  ark.skip(11 * minuteMs);
  ark.act((w) => block(w));
  await second.until(/"ark\.intent-success".*"wallet":"bob"/);
  assert.equal(ark.act((w) => w.server.participations.size), 1);
});

test("run ark: where no record can be written it watches, and asks for nothing", async () => {
  const ark = await arkWith({ bob: 30 });
  const data = place();
  mkdirSync(join(data, "ark.journal"));
  const ran = await launch(wallets(ark), data);
  const daemon = running(ran);
  await ran.until(/"ark\.disk-failing"/);
  await settled(ran, "bob");
  await ran.until(/"ark\.expiry-/);
  assert.ok(daemon.status().degraded.some(({ name }) => name === "disk-failing"));
  assert.equal(ark.act((w) => w.server.participations.size), 0);
});

test("run ark: what is taken ends the start, with advice, and nothing stays open", async () => {
  const ark = await arkWith({ alice: 3_000 });
  const data = place();
  const keys = wallets(ark);
  running(await launch(keys, data));
  const second = await launch(keys, data);
  assert.ok(!second.started.ok);
  assert.match(second.started.says, /uses .*; nothing was started; give each its own --data-dir/);
  const taken = await serverAt(() => {});
  const third = await launch({ ...keys, "ark.http": `127.0.0.1:${taken.port}` });
  assert.ok(!third.started.ok);
  assert.match(third.started.says, /choose another ark\.http/);
  taken.close();
  writeFileSync(join(data, "file"), "");
  const nowhere = await launch(keys, join(data, "file", "below"));
  assert.ok(!nowhere.started.ok);
  assert.match(nowhere.started.says, /cannot be used/);
});

test("ark: process: one line on stdout; signals; status, plan and doctor of it", async () => {
  const ark = await arkWith({ alice: 3_000 });
  const config = join(place(), "dogwatch.toml");
  const write = (more: string): void => writeFileSync(config, [
    "network = 'regtest'", ...more.split(";"), "[ark]", "http = '127.0.0.1:0'", "look_sec = 1",
    "[[ark.wallet]]", "name = 'alice'", `url = '${ark.url("alice")}'`,
    `token_file = '${ark.tokenFile("alice")}'`, "",
  ].join("\n"));
  write("[log];level = 'debug'");
  const data = place();
  const at = ["--config", config, "--data-dir", data];
  const child = start(["ark", ...at, "--json"], temp.path);
  await child.until("out", /\n/);
  const line = JSON.parse(child.out()) as { event: string; wallets: number; http: string };
  assert.deepEqual([line.event, line.wallets], ["ark.ready", 1]);
  await child.until("err", /"of":"chain"[^\n]*"to":"up"/);
  write("");
  child.process.kill("SIGHUP");
  await child.until("err", /"reload\.applied"[^\n]*log\.level/);
  child.process.kill("SIGUSR2");
  const status = await run(["status", "--data-dir", data]);
  assert.match(status.out, /^ark {10}1 wallet, /);
  // That its chain answers is known from the first call that needs it; the height, from a look.
  let plan = await run(["ark", "plan", ...at]);
  for (let i = 0; i < 200 && /no height is known/.test(plan.out); i += 1) {
    plan = await run(["ark", "plan", ...at]);
  }
  assert.match(plan.out, /^Wallet alice: height /);
  const json = await run(["ark", "plan", "alice", "--data-dir", data, "--json"]);
  assert.equal((JSON.parse(json.out) as { schema: number }).schema, 1);
  const nobody = await run(["ark", "plan", "carol", "--data-dir", data]);
  assert.deepEqual([nobody.code, nobody.err], [2, "dogwatch: no wallet carol; there is alice\n"]);
  const doctor = await run(["doctor", ...at]);
  assert.equal(doctor.code, 0, doctor.out);
  assert.match(doctor.out, /^ok +alice: Ark server +it answers; /m);
  child.process.kill("SIGTERM");
  assert.equal(await child.ended, 0);
  assert.equal(child.out().split("\n").length, 2);
  for (const one of child.err().trim().split("\n")) JSON.parse(one);
  const gone = await run(["ark", "plan", ...at]);
  assert.deepEqual([gone.code, gone.out], [3, ""]);
  const wrong = await run(["ark", "--data-dir", data]);
  assert.deepEqual([wrong.code, wrong.out], [2, ""]);
  assert.match(wrong.err, /ark\.wallet = \[\] \(default\): nobody to look after/);
});
