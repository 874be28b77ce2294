/**
 * Loading: layers and their precedence, problems and their places, and the settings that come out.
 * @module
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { load, type Loaded, originText, reloaded } from "../../adapters/config.ts";
import { connsMax, filesAdvice, filesNeeded } from "../../adapters/config/files.ts";
import { concerns, envName, keys } from "../../adapters/config/keys.ts";
import { defaults } from "../../core/directory/config.ts";

const folder = mkdtempSync(join(tmpdir(), "dogwatch-config-"));
after(() => rmSync(folder, { recursive: true }));

let files = 0;
function file(text: string | Uint8Array): string {
  files += 1;
  const path = join(folder, `${files}.toml`);
  writeFileSync(path, text);
  return path;
}

type Given = { file?: string; env?: Record<string, string>; flags?: [string, string, string][] };

function loaded({ file: path, env = {}, flags = [] }: Given): Loaded {
  return load({
    file: path, env, flags: flags.map(([key, flag, raw]) => ({ key, flag, raw })),
  });
}

function problems(given: Given): readonly string[] {
  const result = loaded(given);
  assert.ok(!result.ok, "expected problems");
  return result.problems;
}

function settings(given: Given): Extract<Loaded, { ok: true }>["settings"] {
  const result = loaded(given);
  assert.ok(result.ok, result.ok ? "" : result.problems.join("\n"));
  return result.settings;
}

test("config: nothing given: the core's defaults", () => {
  assert.deepEqual(settings({}).directory, defaults);
});

test("config: every value of the core has exactly one key, which sets it and nothing else", () => {
  const cores = keys.flatMap((key) => key.core ?? []);
  assert.equal(new Set(cores).size, cores.length);
  const paths = leaves(defaults, "");
  assert.deepEqual([...cores].sort(), paths.sort());
  for (const key of keys) {
    if (key.core === undefined) continue;
    const result = loaded({ env: { ...room, [envName(key.key)]: other(key.key, key.initial) } });
    assert.ok(result.ok, `${key.key}: ${result.ok ? "" : result.problems.join()}`);
    const base = settings({ env: room }).directory;
    assert.deepEqual(changed(base, result.settings.directory, ""), [key.core], key.key);
  }
});

/** Values far from every relation, so that any one key can move alone. */
const room: Record<string, string> = {
  DOGWATCH__DIRECTORY__HEARTBEAT__PONG_WAIT_SEC: "20",
  DOGWATCH__DIRECTORY__OUTBOX__BYTES_MAX: "1000000",
};

function other(key: string, initial: unknown): string {
  if (key === "network") return "signet";
  if (key === "log.level") return "debug";
  if (key === "directory.location") {
    return "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion:5222";
  }
  if (key === "directory.circuit_header") return "haproxy";
  if (typeof initial === "number") return String(initial > 100 ? initial - 1 : initial + 1);
  return typeof initial === "string" && initial.includes("/") ? "7/h burst 90000" : "other";
}

function leaves(value: object, path: string): string[] {
  return Object.entries(value).flatMap(([name, inner]: [string, unknown]) => {
    const at = path === "" ? name : `${path}.${name}`;
    const isTable = typeof inner === "object" && inner !== null && !("perMs" in inner);
    return isTable ? leaves(inner, at) : [at];
  });
}

function changed(a: object, b: object, path: string): string[] {
  return leaves(a, path).filter((at) => {
    const step = (value: unknown, name: string): unknown =>
      (value as Record<string, unknown>)[name];
    const read = (from: object): unknown => at.split(".").reduce<unknown>(step, from);
    return JSON.stringify(read(a)) !== JSON.stringify(read(b));
  });
}

test("config: precedence: file < environment < flag, key by key", () => {
  const text = fc.constantFrom("mainnet", "testnet", "signet", "regtest");
  const layers = fc.record({
    file: fc.option(text), env: fc.option(text), flag: fc.option(text), motd: fc.option(text),
  });
  fc.assert(fc.property(layers, (given) => {
    const path = given.file === null ? undefined : file(`network = "${given.file}"\n`);
    const env: Record<string, string> = {};
    if (given.env !== null) env["DOGWATCH__NETWORK"] = given.env;
    if (given.motd !== null) env["DOGWATCH__DIRECTORY__MOTD"] = given.motd;
    const flags: [string, string, string][] =
      given.flag === null ? [] : [["network", "--network", given.flag]];
    const result = loaded({ ...(path === undefined ? {} : { file: path }), env, flags });
    assert.ok(result.ok);
    assert.equal(result.settings.network, given.flag ?? given.env ?? given.file ?? "mainnet");
    assert.equal(result.settings.directory.motd, given.motd ?? defaults.motd);
    const origin = result.entries.find((entry) => entry.key.key === "network")?.origin;
    const from = given.flag !== null ? "flag" : given.env !== null ? "env" : undefined;
    assert.equal(origin?.from, from ?? (given.file !== null ? "file" : "default"));
  }), { numRuns: 40 });
});

test("config: preset replaces defaults and loses to the file", () => {
  const preset = { "directory.peers_max": 5, "directory.drain_sec": 3 };
  const result = load({ file: file("[directory]\npeers_max = 6\n"), env: {}, flags: [], preset });
  assert.ok(result.ok);
  assert.equal(result.settings.directory.peersMax, 6);
  assert.equal(result.settings.directory.drainMs, 3_000);
});

test("config: fractions of seconds become whole milliseconds", () => {
  const env = { DOGWATCH__DIRECTORY__HEARTBEAT__PONG_WAIT_SEC: "0.2504" };
  assert.equal(settings({ env }).directory.heartbeat.pongMs, 250);
});

test("config: listen takes one address or several, from every layer", () => {
  const one = settings({ file: file('[directory]\nlisten = "[::1]:0"\n') }).listen;
  assert.deepEqual(one, [{ kind: "tcp", host: "::1", port: 0 }]);
  const env = { DOGWATCH__DIRECTORY__LISTEN: "127.0.0.1:1, unix:/run/a.sock" };
  assert.deepEqual(settings({ env }).listen, [
    { kind: "tcp", host: "127.0.0.1", port: 1 }, { kind: "unix", path: "/run/a.sock" },
  ]);
});

test("config: circuit_header is false or haproxy", () => {
  const on = '[directory]\ncircuit_header = "haproxy"\n';
  assert.equal(settings({ file: file(on) }).directory.circuits, true);
  const off = { DOGWATCH__DIRECTORY__CIRCUIT_HEADER: "false" };
  assert.equal(settings({ env: off }).directory.circuits, false);
  const [says] = problems({ env: { DOGWATCH__DIRECTORY__CIRCUIT_HEADER: "true" } });
  assert.match(says ?? "", /circuit_header = true: expected false or "haproxy"/);
});

test("config: unknown key: file, line and the nearest name", () => {
  const cases: [string, RegExp][] = [
    ["\nnetwrok = 'x'\n", /:2: netwrok: no such key; did you mean network\?/],
    ["[directory]\npeer_max = 3\n", /:2: directory\.peer_max: .*mean directory\.peers_max\?/],
    ["[directory]\nidle_treshold_sec = 3\n", /mean directory\.heartbeat\.idle_threshold_sec\?/],
    ["[direktory]\n", /:1: direktory: no such key; did you mean directory\?/],
    ["[directory.limits]\nqqqqqqqqqq = 1\n", /no such key; `dogwatch config init` lists all/],
    ["directory = 3\n", /:1: directory: this is a table; write \[directory\]/],
    ["__proto__ = 3\n", /__proto__: no such key/],
  ];
  for (const [text, expected] of cases) {
    const path = file(text);
    const [says = "", ...more] = problems({ file: path });
    assert.ok(says.startsWith(`${path}:`), says);
    assert.match(says, expected);
    assert.deepEqual(more, []);
  }
});

test("config: unknown environment variable: the nearest name", () => {
  const [says] = problems({ env: { DOGWATCH__DIRECTORY__PEER_MAX: "3", DOGWATCH_ELSE: "x" } });
  assert.match(says ?? "", /^environment DOGWATCH__DIRECTORY__PEER_MAX: .*DIRECTORY__PEERS_MAX\?$/);
});

test("config: wrong value: place, key, value and accepted range, all in one pass", () => {
  const path = file(
    "[directory]\npeers_max = 0\nhttp = 3\nmotd = 'é'\nlocation = 'x'\n" +
    "[directory.heartbeat]\nsweep_interval_sec = 'often'\n[directory.limits]\npublic = '10'\n",
  );
  const all = problems({ file: path, flags: [["directory.listen", "--listen", "nowhere"]] });
  const expected = [
    `${path}:2: directory.peers_max = 0: expected a whole number of peers, 1 to 1000000`,
    `${path}:3: directory.http = 3: expected HOST:PORT, [IPv6]:PORT or unix:PATH`,
    `${path}:4: directory.motd = "é": expected up to 1000 characters of printable ASCII`,
    `${path}:5: directory.location = "x": expected "" (unset) or a version 3 address`,
    `${path}:7: directory.heartbeat.sweep_interval_sec = "often": expected seconds, 0.05 to 3600`,
    `${path}:9: directory.limits.public = "10": expected "TOKENS/PERIOD burst SIZE"`,
    'flag --listen: directory.listen = "nowhere": expected HOST:PORT',
  ];
  for (const start of expected) {
    assert.ok(all.some((says) => says.startsWith(start)), `${start}\n in\n${all.join("\n")}`);
  }
  assert.equal(all.length, expected.length);
});

test("config: a line that deployed clients disconnect on cannot be allowed", () => {
  const [says] = problems({ env: { DOGWATCH__DIRECTORY__LINE_BYTES_MAX: "40001" } });
  assert.match(says ?? "", /line_bytes_max = 40001: expected .* 1024 to 40000$/);
});

test("config: byte rates: a burst that holds no whole line is a broken relation", () => {
  for (const key of ["PUBLIC_BYTES", "PRIVATE_BYTES"]) {
    const name = `DOGWATCH__DIRECTORY__LIMITS__${key}`;
    const [says] = problems({ env: { [name]: "1/s burst 40001" } });
    assert.match(says ?? "", new RegExp(`limits.${key.toLowerCase()} = .*must hold the longest`));
    assert.ok(loaded({ env: { [name]: "1/s burst 40002" } }).ok);
  }
});

test("config: location with a wrong checksum is refused", () => {
  const wrong = `${"a".repeat(56)}.onion:5222`;
  assert.equal(problems({ env: { DOGWATCH__DIRECTORY__LOCATION: wrong } }).length, 1);
});

test("config: broken relation: both keys under their names in the file", () => {
  const path = file("[directory.heartbeat]\nidle_threshold_sec = 20\n");
  assert.deepEqual(problems({ file: path }), [
    "directory.heartbeat.pong_wait_sec = 30 (default), " +
    `directory.heartbeat.idle_threshold_sec = 20 (${path}:2): ` +
    "the pong wait must be shorter than the idle threshold",
  ]);
});

test("config: file that cannot be read: what happened and what to do", () => {
  assert.match(problems({ file: "/nowhere/x.toml" })[0] ?? "", /no such file; `dogwatch config/);
  assert.match(problems({ file: folder })[0] ?? "", /it is a directory/);
  assert.match(problems({ file: file(Uint8Array.of(0x61, 0xff)) })[0] ?? "", /not UTF-8/);
  const broken = file("[directory]\npeers_max = \n");
  assert.ok(problems({ file: broken })[0]?.startsWith(`${broken}:2:`));
});

test("config: file: a pipe, an endless device and a huge file are refused at once", () => {
  const pipe = join(folder, "pipe");
  assert.equal(spawnSync("mkfifo", [pipe]).status, 0);
  assert.match(problems({ file: pipe })[0] ?? "", /it is not a regular file/);
  assert.match(problems({ file: "/dev/zero" })[0] ?? "", /it is not a regular file/);
  const full = `# ${"x".repeat(1_048_576 - 3)}\n`;
  assert.ok(loaded({ file: file(full) }).ok);
  assert.match(problems({ file: file(`${full}#`) })[0] ?? "", /longer than 1048576 bytes/);
});

test("config: unknown keys: the first twenty in full, the rest as a count", () => {
  const path = file(Array.from({ length: 5_000 }, (_, at) => `key${at} = 1\n`).join(""));
  const all = problems({ file: path });
  assert.equal(all.length, 21);
  assert.match(all[19] ?? "", /:20: key19: no such key/);
  assert.equal(all[20], `${path}: 4980 more keys that do not exist`);
  const painted = problems({ file: file('"\\u001b[31mred" = 1\n') });
  assert.match(painted[0] ?? "", /: \\u\{1b\}\[31mred: no such key/);
});

test("config: wrong value: shown as TOML writes it, cut, and without control characters", () => {
  const says = (value: string): string =>
    problems({ file: file(`[directory]\npeers_max = ${value}\n`) })[0] ?? "";
  assert.match(says("nan"), /peers_max = nan: expected/);
  assert.match(says("-inf"), /peers_max = -inf: expected/);
  assert.match(says("[inf, 1]"), /peers_max = \["inf",1\]: expected/);
  assert.match(says('"\\u009b31m\\u202e"'), /peers_max = "\\u\{9b\}31m\\u\{202e\}": expected/);
  assert.ok(says(`"${"x".repeat(5_000)}"`).length < 500);
});

test("config: a path that is too long for a Unix socket has its own sentence", () => {
  const fits = `unix:/${"x".repeat(106)}`;
  for (const key of ["LISTEN", "HTTP"]) {
    const name = `DOGWATCH__DIRECTORY__${key}`;
    assert.ok(loaded({ env: { [name]: fits } }).ok);
    const [says] = problems({ env: { [name]: `${fits}x` } });
    assert.match(says ?? "", /takes 107 bytes for the path of a Unix socket, and this has 108/);
  }
  const [says] = problems({ env: { DOGWATCH__DIRECTORY__LISTEN: `127.0.0.1:1,${fits}x` } });
  assert.match(says ?? "", /and this has 108/);
});

test("config: http on an address that others reach needs http_remote", () => {
  const path = file('[directory]\nhttp = "0.0.0.0:9"\n');
  const [says] = problems({ file: path });
  assert.ok(says?.startsWith(
    `directory.http = "0.0.0.0:9" (${path}:2), directory.http_remote = false (default): `,
  ), says);
  assert.ok(loaded({ file: path, env: { DOGWATCH__DIRECTORY__HTTP_REMOTE: "true" } }).ok);
});

test("config: data directory: named, from XDG_STATE_HOME, or below the home", () => {
  const env = { XDG_STATE_HOME: "/state" };
  assert.equal(settings({ env }).dataDir, "/state/dogwatch");
  assert.ok(settings({ env: { XDG_STATE_HOME: "rel" } }).dataDir.endsWith(".local/state/dogwatch"));
  assert.equal(settings({ env: { ...env, DOGWATCH__DATA_DIR: "/d" } }).dataDir, "/d");
});

test("config: anything at all in the file: settings or problems, never a throw", () => {
  const value = fc.oneof(fc.jsonValue(), fc.constantFrom("nan", "inf", "1979-05-27", "[[1]]"));
  const key = fc.constantFrom(...keys.map((one) => one.key), "directory", "a.b", "__proto__.x");
  const pair = fc.array(fc.tuple(key, value), { maxLength: 4 });
  fc.assert(fc.property(pair, fc.string(), (pairs, tail) => {
    const text = pairs.map(([name, raw]) => `${name} = ${toml(raw)}\n`).join("");
    const result = loaded({ file: file(text + tail) });
    assert.ok(result.ok || result.problems.length > 0);
  }), { numRuns: 60 });
});

function toml(raw: unknown): string {
  return typeof raw === "string" && /^(nan|inf|19|\[)/.test(raw) ? raw : JSON.stringify(raw);
}

test("config: files: bounds that do not fit the limit name the limit and the way out", () => {
  const bounds = { peersMax: 1_000, handshakingMax: 200 };
  const needed = filesNeeded(bounds);
  assert.equal(filesAdvice(bounds, needed), undefined);
  assert.equal(filesAdvice(bounds, undefined), undefined);
  assert.match(filesAdvice(bounds, needed - 1) ?? "", new RegExp(`ulimit -n ${needed}`));
});

test("config: files: connections leave room for files of our own, and fit what is allowed", () => {
  assert.equal(connsMax(256), 128);
  assert.equal(connsMax(100), 0);
  assert.equal(connsMax(undefined), Number.MAX_SAFE_INTEGER);
  const bounds = { peersMax: 170, handshakingMax: 22 };
  assert.equal(connsMax(filesNeeded(bounds)), 192);
});

test("config: origin: each kind in words", () => {
  assert.equal(originText({ from: "default" }), "default");
  assert.equal(originText({ from: "preset" }), "demo default");
  assert.equal(originText({ from: "file", file: "a", line: undefined }), "a");
  assert.equal(originText({ from: "file", file: "a", line: 3 }), "a:3");
  assert.equal(originText({ from: "env", name: "X" }), "environment X");
  assert.equal(originText({ from: "flag", name: "--x" }), "flag --x");
});

test("config: reload: what needs a restart keeps its value, and the whole is checked", () => {
  const read = (text: string): Extract<Loaded, { ok: true }> => {
    const found = loaded({ file: file(`[directory]\n${text}`) });
    assert.ok(found.ok);
    return found;
  };
  const old = read("peers_max = 50\nhandshaking_max = 40");
  const next = reloaded(read("peers_max = 60\nhandshaking_max = 9").entries, old.entries, {});
  assert.ok(next.ok);
  const { peersMax, handshakingMax } = next.settings.directory;
  assert.deepEqual([peersMax, handshakingMax], [60, 40]);
  assert.deepEqual(reloaded(old.entries, old.entries, {}), old);
});

test("config: reload: a daemon is told of its own keys", () => {
  const names = ["network", "log.level", "directory.motd", "maker.offers", "tor.socks"];
  const told = (daemon: "directory" | "maker"): string[] =>
    names.filter((name) => concerns(daemon, name));
  assert.deepEqual(told("directory"), ["network", "log.level", "directory.motd"]);
  assert.deepEqual(told("maker"), ["network", "log.level", "maker.offers", "tor.socks"]);
});
