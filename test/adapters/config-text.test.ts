/**
 * The schema as text, and the readable forms of values: what is written parses back.
 * @module
 */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { parse } from "smol-toml";
import { load } from "../../adapters/config.ts";
import { envName, isEnvName, keyOfCore, keyOfEnv, keys } from "../../adapters/config/keys.ts";
import { lineFinder } from "../../adapters/config/lines.ts";
import { nearest } from "../../adapters/config/nearest.ts";
import type { Raw } from "../../adapters/config/schema.ts";
import { effective, effectiveJson, markdown, template } from "../../adapters/config/text.ts";
import { parseRate, rateText } from "../../adapters/config/values.ts";
import { defaults } from "../../core/directory/config.ts";
import * as limiter from "../../core/limiter.ts";

const folder = mkdtempSync(join(tmpdir(), "dogwatch-text-"));
after(() => rmSync(folder, { recursive: true }));

function loaded(text: string): Extract<ReturnType<typeof load>, { ok: true }> {
  const path = join(folder, "x.toml");
  writeFileSync(path, text);
  const result = load({ file: path, env: {}, flags: [] });
  assert.ok(result.ok, result.ok ? "" : result.problems.join("\n"));
  return result;
}

test("config: template: parses to the defaults, as it is and with every line set", () => {
  const text = template(new Map());
  const empty = '{"log":{},"directory":{"onion":{},"heartbeat":{},"limits":{},"outbox":{}},' +
    '"maker":{},"ark":{},"bitcoind":{},"esplora":{},"tor":{},"notify":{}}';
  assert.equal(JSON.stringify(parse(text)), empty);
  assert.deepEqual(loaded(text).settings.directory, defaults);
  const set = loaded(text.replace(/^#(?! )/gm, ""));
  assert.deepEqual(set.settings.directory, defaults);
  assert.ok(set.entries.every((entry) => entry.origin.from === "file"));
});

test("config: template: every key with its documentation; chosen ones are set", () => {
  const text = template(new Map<string, Raw>([["network", "signet"], ["directory.peers_max", 9]]));
  for (const key of keys) {
    assert.ok(text.includes(`# ${key.doc}`), key.key);
    assert.ok(text.includes(`# Accepts ${key.accepts}.`), key.key);
    assert.match(text, new RegExp(`^#?${key.name} = `, "m"));
  }
  const { settings } = loaded(text);
  assert.equal(settings.network, "signet");
  assert.equal(settings.directory.peersMax, 9);
});

test("config: template: no line is wider than a terminal likes", () => {
  for (const line of template(new Map()).split("\n")) assert.ok(line.length <= 100, line);
});

test("config: show: the effective file parses back to the same settings", () => {
  const motd = 'motd = "a\\n\\"b\\""';
  const first = loaded(`[directory]\nlisten = ["127.0.0.1:1", "unix:/a b"]\n${motd}\n`);
  for (const origins of [false, true]) {
    assert.deepEqual(loaded(effective(first.entries, origins)).settings, first.settings);
  }
  assert.match(effective(first.entries, true), /^peers_max = 10000 +# default$/m);
});

test("config: show: JSON holds every key, and its origin when asked", () => {
  const { entries } = loaded("network = 'signet'\n");
  const plain = JSON.parse(effectiveJson(entries, false)) as { settings: Record<string, unknown> };
  assert.deepEqual(Object.keys(plain.settings), keys.map((key) => key.key));
  assert.equal(plain.settings["network"], "signet");
  const told = JSON.parse(effectiveJson(entries, true)) as { settings: Record<string, unknown> };
  assert.deepEqual(told.settings["network"], {
    value: "signet", origin: `${join(folder, "x.toml")}:1`,
  });
});

test("config: documentation: docs/configuration.md is what the schema says", () => {
  // REWRITE=1 writes it.
  const path = "docs/configuration.md";
  if (process.env["REWRITE"] === "1") writeFileSync(path, markdown());
  assert.equal(readFileSync(path, "utf8"), markdown());
});

test("config: keys: names are their own environment names and back", () => {
  assert.equal(new Set(keys.map((key) => key.key)).size, keys.length);
  for (const { key } of keys) {
    assert.ok(isEnvName(envName(key)));
    assert.equal(keyOfEnv(envName(key)), key);
  }
  assert.equal(keyOfCore("heartbeat.pongMs"), "directory.heartbeat.pong_wait_sec");
  assert.equal(keyOfCore("notYet"), "directory.notYet");
});

test("config: rates: readable forms", () => {
  const cases: [string, [number, number, number] | undefined][] = [
    ["10/s burst 200", [10, 1_000, 200]],
    ["1/10s burst 3", [1, 10_000, 3]],
    ["3/min burst 3", [3, 60_000, 3]],
    [" 5 / 250ms ", [5, 250, 5]],
    ["1/h burst 1", [1, 3_600_000, 1]],
    ["100000000/s burst 100000000", [100_000_000, 1_000, 100_000_000]],
    ["20000/s burst 262144", [20_000, 1_000, 262_144]],
    ["100000001/s", undefined], ["1/s burst 100000001", undefined],
    ["0/s", undefined], ["1/0s", undefined], ["1/s burst 0", undefined],
    ["1/25h", undefined], ["-1/s", undefined], ["1.5/s", undefined], ["1/s bursts 3", undefined],
    ["", undefined], ["10", undefined],
    // In lowest terms more than a limiter can count exactly.
    ["100001/ms", undefined], ["999983/s", undefined], ["1/h burst 100000000", undefined],
  ];
  for (const [text, expected] of cases) {
    const rate = parseRate(text);
    assert.deepEqual(rate && [rate.tokens, rate.perMs, rate.burst], expected, text);
  }
});

test("config: rates: what is written parses back", () => {
  const within = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max });
  const rate = fc.record({
    tokens: within(100_000_000), perMs: within(99_999), burst: within(100_000_000),
  });
  fc.assert(fc.property(rate, (one) => {
    const expected = limiter.accepts(one) ? { ...one } : undefined;
    assert.deepEqual(parseRate(rateText(one)), expected);
  }));
  assert.equal(rateText({ tokens: 3, perMs: 60_000, burst: 3 }), "3/min burst 3");
});

test("config: nearest: slips are found, other words are not", () => {
  const names = ["directory", "demo", "status", "healthcheck"];
  assert.equal(nearest("direcotry", names), "directory");
  assert.equal(nearest("Status", names), "status");
  assert.equal(nearest("heathcheck", names), "healthcheck");
  assert.equal(nearest("xyz", names), undefined);
  fc.assert(fc.property(fc.string(), fc.array(fc.string()), (word, others) => {
    const found = nearest(word, others);
    assert.ok(found === undefined || others.includes(found));
    // Ties go to the earlier one, so a word that is there is found up to its case.
    if (others.includes(word)) assert.equal(found?.toLowerCase(), word.toLowerCase());
  }), { numRuns: 60 });
});

test("config: tables: each member is documented, and what is shown parses back", () => {
  const wallets = "[[ark.wallet]]\nname = 'a'\nurl = 'http://127.0.0.1:1'\ntoken_file = '/t'\n" +
    "[[ark.wallet]]\nname = 'b'\nurl = 'http://127.0.0.1:2'\ntoken_file = '/u'\nrefresh = false\n";
  const first = loaded(wallets);
  const shown = effective(first.entries, false);
  assert.match(shown, /^wallet = \[\{ name = "a", .*\}, \{ name = "b", .*refresh = false \}\]$/m);
  assert.deepEqual(loaded(shown).settings, first.settings);
  assert.equal(first.settings.parsed.ark.wallet[1]?.refresh, false);
  const json = { name: "c", url: "http://127.0.0.1:3", token_file: "/v" };
  const env = { [envName("ark.wallet")]: JSON.stringify([json]) };
  const read = load({ file: undefined, env, flags: [] });
  assert.equal(read.ok && read.settings.parsed.ark.wallet[0]?.name, "c");
  const text = template(new Map());
  for (const name of ["token_file", "auto_exit"]) {
    assert.match(text, new RegExp(`^# ${name} = `, "m"));
    assert.match(markdown(), new RegExp(`\\| \`${name}\` \\|`));
  }
});

test("config: tables: what is wrong is told with its table, its member and its line", () => {
  const path = join(folder, "tables.toml");
  writeFileSync(path, [
    "[[ark.wallet]]", "name = 'a'", "url = 'http://127.0.0.1:1'", "token_file = '/t'",
    "[[ark.wallet]]", "name = 'b c'", "tokn_file = '/u'", "refresh = 1",
  ].join("\n"));
  const read = load({ file: path, env: {}, flags: [] });
  assert.deepEqual(read.ok ? [] : read.problems.map((one) => one.replace(`${path}:`, "")), [
    "6: ark.wallet[1].name = \"b c\": expected 1 to 40 letters, digits, '.', '_' and '-'",
    "5: ark.wallet[1].url is not set: expected http://HOST:PORT",
    "5: ark.wallet[1].token_file is not set: expected a path, fd:N (a descriptor) or " +
      "credential:NAME (of systemd)",
    "8: ark.wallet[1].refresh = 1: expected true or false",
    "7: ark.wallet[1].\"tokn_file\": no such key; did you mean token_file?",
  ]);
  const problems = (raw: string): readonly string[] => {
    const env = { [envName("ark.wallet")]: raw };
    const found = load({ file: undefined, env, flags: [] });
    return found.ok ? [] : found.problems;
  };
  assert.match(problems("[1]").join(), /ark\.wallet\[0\] = 1: expected a table/);
  assert.match(problems("none").join(), /ark\.wallet = "none": expected tables/);
});

test("config: lines: keys and tables are found where they stand", () => {
  const text = "a = 1\n[x.y]\n# b = 0\nb = 2\n[ z ]\nc.d = 3\n[[w]]\ne = 1\n[[w]]\ne = 2\n";
  const lineOf = lineFinder(text);
  assert.equal(lineOf("a"), 1);
  assert.equal(lineOf("x.y"), 2);
  assert.equal(lineOf("x.y.b"), 4);
  assert.equal(lineOf("z.c.d"), 6);
  assert.equal(lineOf("z.c"), 6);
  assert.deepEqual(["w", "w.0", "w.0.e", "w.1", "w.1.e"].map(lineOf), [7, 7, 8, 9, 10]);
  assert.equal(lineOf("x.y.q"), undefined);
});
