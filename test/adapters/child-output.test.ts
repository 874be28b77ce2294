import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { defaults, discreet, read } from "../../adapters/child-output.ts";
import { mono } from "../../core/time.ts";

type Bench = { now: number; readonly lines: string[]; readonly left: number[] };

function bench(lineMax = defaults.lineMax): Bench & { readonly stream: PassThrough } {
  const b: Bench = { now: 0, lines: [], left: [] };
  const stream = new PassThrough();
  read([stream, null], { ...defaults, lineMax }, { now: () => mono(b.now) }, {
    line: (text) => b.lines.push(text), left: (count) => b.left.push(count),
  });
  return Object.assign(b, { stream });
}

const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

test("adapters: child output: lines as they end, without colours, and the last one", async () => {
  const b = bench();
  b.stream.write("one\ntw");
  b.stream.write(Buffer.from([0xc3]));
  const more = Buffer.from("o\n\n\u001b[31mred\u001b[0m");
  b.stream.write(Buffer.concat([Buffer.from([0xa4]), more]));
  await settled();
  assert.deepEqual(b.lines, ["one", "twäo"]);
  b.stream.end();
  await settled();
  assert.deepEqual(b.lines, ["one", "twäo", "red"]);
});

test("adapters: child output: a long line is cut, however it comes", async () => {
  const b = bench(1_000);
  for (let i = 0; i < 100; i += 1) b.stream.write("ab cd ".repeat(1_000));
  b.stream.write("\nshort\n");
  await settled();
  assert.deepEqual(b.lines.map(({ length }) => length), [800, 5]);
});

test("adapters: child output: of a flood the first lines are told, and how many not", async () => {
  const b = bench();
  for (let i = 0; i < 500; i += 1) b.stream.write(`line ${i}\n`);
  await settled();
  assert.equal(b.lines.length, defaults.linesMax);
  assert.deepEqual(b.left, []);
  b.now = 5_000;
  b.stream.write("later\n");
  await settled();
  assert.deepEqual([b.lines.at(-1), b.left], ["later", [450]]);
});

const token = "AAbcdefghijklmnopqrstuvwxyz0123456789_-ABCDEF0";
const words = "abandon ability able about above absent absorb abstract absurd abuse access acid";

test("adapters: child output: no secret is told, and the rest of its line is", () => {
  for (const [said, shown] of [
    [`auth token ${token} read`, "auth token […] read"],
    [`Authorization: Bearer abc`, "Authorization: Bearer […]"],
    [`connecting http://user:pass@127.0.0.1:18443/`, "connecting http://[…]@127.0.0.1:18443/"],
    [`password = hunter2;`, "password = […]"],
    [`"secret":"x1"`, `"secret":[…]`],
    [`seed words: ${words}.`, "seed words: […]."],
    [`vtxo ${"0af1".repeat(16)}:0 refreshed`, "vtxo […]:0 refreshed"],
    ["Starting barkd 0.6.0 on 127.0.0.1:3535", "Starting barkd 0.6.0 on 127.0.0.1:3535"],
  ] as const) assert.equal(discreet(said), shown);
});

test("adapters: child output: a secret at the cut is not told by half", async () => {
  const b = bench(1_000);
  const head = "word, ".repeat(162);
  b.stream.write(`${head}${token}${token}\n`);
  await settled();
  assert.ok(!b.lines[0]!.includes(token.slice(0, 8)));
});
