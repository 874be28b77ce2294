/**
 * What people read of a maker: a sentence for every code, made of fields that are there.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { LogLevel } from "../../core/kernel/io.ts";
import { defaults } from "../../core/maker/config.ts";
import { sentences as common } from "../../cli/sentences.ts";
import { sentences } from "../../cli/sentences-maker.ts";
import * as chains from "../support/maker-chain.ts";
import * as rig from "../support/maker.ts";
import { withRow } from "../support/maker-rows.ts";
import * as takers from "../support/maker-taker.ts";
import { sources, text } from "../tidy/files.ts";

const root = process.cwd();

/** Codes as they stand where something is said; a code is never put together. */
const said: readonly (readonly [folders: readonly string[], code: RegExp])[] = [
  [
    ["core/maker", "core/notify", "core/tor", "core/history", "core/chain"],
    /"((?:maker|onion)\.[a-z-]+)"/g,
  ],
  [["adapters"], /(?:report|log)\((?:"\w+", )?"([a-z]+\.[a-z-]+)"/g],
  [["cli"], /log\("\w+", "([a-z]+\.[a-z-]+)"/g],
];
const ofOthers = new Set([
  "adapters/round-events.ts", "cli/ark-journal.ts", "cli/ark.ts", "cli/directory.ts",
  "cli/run-ark.ts", "cli/run.ts",
]);

function codes(): ReadonlySet<string> {
  const found = said.flatMap(([folders, code]) => (
    sources(root, [...folders]).filter((file) => !ofOthers.has(file))
      .flatMap((file) => [...text(root, file).matchAll(code)].map(([, one = ""]) => one))
  ));
  return new Set(found);
}

test("maker: sentences: every code that is said has one, and none stands for nothing", () => {
  const all = [...codes()];
  assert.ok(all.length > 80, `only ${all.length} codes were found`);
  assert.deepEqual(all.filter((code) => sentences[code] === undefined), []);
  const own = Object.keys(sentences).filter((code) => !(code in common));
  assert.deepEqual(own.filter((code) => !all.includes(code)), []);
  const composed = sources(root, ["core/maker", "core/notify", "core/tor"])
    .filter((file) => /code: `(?:maker|onion)\./.test(text(root, file)));
  assert.deepEqual(composed, [], "a code that nobody can search for");
});

const one = rig.nameOf(0);
const two = rig.nameOf(1);

/** A maker to which much happens. */
function eventful(): rig.Rig {
  const r = withRow({ directories: 2 });
  r.notifies = 503;
  rig.pass(r, 60_000);
  const t = takers.taker(1);
  takers.join(r, t, one);
  for (let i = 0; i < 150; i += 1) takers.forge(r, one, `${t.nick}!PUBLIC!orderbook`);
  for (let i = 0; i < 160; i += 1) takers.whisper(r, t, one, takers.line(t, "fill", `${i} 1 2 3`));
  for (const to of [one, two]) rig.cut(r, to);
  r.chain.mode = "refused";
  rig.pass(r, 3_600_000);
  r.chain.mode = "up";
  r.notifies = 200;
  for (const to of [one, two]) rig.heal(r, to);
  r.chain.branch = 1;
  r.chain.coins = [];
  chains.mine(r.chain);
  rig.pass(r, 7_200_000);
  r.chain.txs.set(chains.txid(7), 1);
  r.disk.fault = "full";
  rig.push(r, { type: "operator.rescan", fromHeight: 100 });
  rig.pass(r, 3_600_000);
  r.disk.fault = "none";
  rig.pass(r, 86_400_000);
  const { directories, offers, guard, notify, reports, logLevel } = r.config;
  const settings = { directories, offers, guard, notify, reports, logLevel };
  rig.push(r, { type: "operator.reload", settings });
  const wrong = { ...settings, offers: { ...defaults.offers, network: "signet" as const } };
  rig.push(r, { type: "operator.reload", settings: wrong });
  rig.push(r, { type: "operator.stop" });
  rig.pass(r, 20_000);
  return r;
}

test("maker: sentences: what is said has all that its sentence tells", () => {
  const { logs } = eventful();
  const seen = new Set(logs.map(({ code }) => code));
  assert.ok(seen.size >= 30, [...seen].join());
  const levels: readonly LogLevel[] = ["error", "warn", "info", "debug"];
  for (const { level, code, fields } of logs) {
    assert.ok(levels.includes(level));
    const sentence = sentences[code]!(fields);
    assert.doesNotMatch(sentence, /undefined|NaN|null|\[object/, `${code}: ${sentence}`);
  }
});
