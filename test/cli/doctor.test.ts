/**
 * `dogwatch doctor`: from flags to table, JSON and exit code.
 * @module
 */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { addressText } from "../../adapters/address.ts";
import { doctor, examine } from "../../cli/doctor.ts";
import { fail, ok, skipped, warn } from "../../cli/doctor/finding.ts";
import { table } from "../../cli/doctor/table.ts";
import type { Flags } from "../../cli/flags.ts";
import { folder, type Ran } from "./capture.ts";
import { ambient, closedPort, directoryAt, serverAt, settingsOf } from "./doctor/bench.ts";

const temp = folder();
after(temp.remove);

async function run(flags: Flags): Promise<Ran> {
  let [out, err] = ["", ""];
  const env = { XDG_CONFIG_HOME: "/nonexistent", XDG_STATE_HOME: "/nonexistent" };
  const code = await doctor(flags, {
    out: (text) => void (out += text), err: (text) => void (err += text), env,
  });
  return { code, out, err };
}

function configWith(name: string, text: string): string {
  const path = join(temp.path, name);
  writeFileSync(path, `network = "regtest"\n${text}`);
  return path;
}

test("doctor: a wrong configuration: every problem, nothing looked at, exit 2", async () => {
  const wrong = configWith("wrong.toml", "[maker]\ndirectories = ['x']\n");
  const { code, out, err } = await run({ config: wrong });
  assert.deepEqual([code, out], [2, ""]);
  assert.match(err, /maker\.directories/);
  const none = await run({ config: configWith("none.toml", "") });
  assert.equal(none.code, 2);
  assert.match(none.err, /a maker needs a directory/);
});

test("doctor: a world that is well: table on stdout, progress on stderr, exit 0", async () => {
  const daemon = await directoryAt({}, temp.path);
  const at = addressText(daemon.listen[0]!);
  const dataDir = join(temp.path, "state");
  mkdirSync(join(dataDir, "maker"), { recursive: true, mode: 0o700 });
  const config = configWith("good.toml", `[maker]\ndirectories = ['${at}']\n`);
  const { code, out, err } = await run({ config, dataDir });
  assert.equal(code, 0, out);
  assert.match(out, new RegExp(`^ok +directory ${at} +dialled in`, "m"));
  assert.match(out, /^skipped +Tor SOCKS +tor\.socks is not set/m);
  assert.match(out, /^warn +bitcoind +no wallet is configured[^\n]*\n +-> set bitcoind\.url/m);
  assert.match(out, /\d+ ok, 1 to look at, \d skipped\n$/);
  assert.match(err, /^(dogwatch: \d+ of \d+: [^\n]+\n)+$/);
  const json = JSON.parse((await run({ config, dataDir, json: true })).out) as {
    ok: boolean; findings: { what: string; state: string; seen: string; fix: string | null }[];
  };
  assert.equal(json.ok, true);
  assert.ok(json.findings.every((one) => (one.fix === null) === /^(ok|skipped)$/.test(one.state)));
  daemon.stop("test");
  await daemon.ended;
});

test("doctor: something failed: exit 1, and what to do about it", async () => {
  const to = `127.0.0.1:${await closedPort()}`;
  const config = configWith("bad.toml", `[maker]\ndirectories = ['${to}']\n`);
  const { code, out } = await run({ config, dataDir: join(temp.path, "nowhere") });
  assert.equal(code, 1);
  assert.match(out, /^fail +directory 127\S+ +nobody listens there\n +-> start it/m);
});

test("doctor: servers that never answer: all looks end together, each at its limit", async () => {
  const silent = await serverAt(() => {});
  const to = `127.0.0.1:${silent.port}`;
  const settings = settingsOf({ "maker.directories": [to], "tor.socks": to });
  const address = settings.socks!;
  const patient = {
    settings, folder: join(temp.path, "nowhere"), secrets: [],
    control: { address, cookiePath: undefined, password: undefined },
  };
  const beganAt = ambient.now();
  const findings = await examine(patient, ambient, { localMs: 300, viaTorMs: 300 }, () => {});
  assert.ok(ambient.now() - beganAt < 3_000);
  const late = findings.filter(({ seen }) => seen === "no result within 0.3 s");
  assert.deepEqual(late.map(({ what }) => what), ["Tor SOCKS", "Tor control", `directory ${to}`]);
  silent.close();
});

test("doctor: table: columns, long names, texts of others made safe", () => {
  const long = "x".repeat(40);
  assert.equal(table([
    ok("disk", "well"), warn("clock", "late", "wind it"), skipped("tor", "none"),
    fail(long, "\u001b[31mred", "do\nthis"),
  ]), [
    "ok       disk   well", "warn     clock  late", "                -> wind it",
    "skipped  tor    none", `fail     ${long}`, "                \\u{1b}[31mred",
    "                -> do\\u{a}this", "1 ok, 1 to look at, 1 failed, 1 skipped", "",
  ].join("\n"));
});
