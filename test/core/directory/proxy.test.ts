import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ascii } from "../../../core/bytes.ts";
import * as proxy from "../../../core/directory/proxy.ts";

const source = "fc00:dead:beef:4dad::";
const parse = (line: string) => proxy.parse(ascii(`${line}\r\n`));
const lineOf = (from: string, sport: number | string = 1, vport: number | string = 5_222) =>
  `PROXY TCP6 ${from} ::1 ${sport} ${vport}`;

function circuitOf(line: string): number {
  const read = parse(line);
  assert.ok(read.ok, line);
  return read.value;
}

test("directory: proxy: the last 32 bits of the source name the circuit", () => {
  assert.equal(circuitOf(lineOf(`${source}1234:abcd`)), 0x1234_abcd);
  assert.equal(circuitOf(lineOf(`${source}0:1`)), 1);
  assert.equal(circuitOf(lineOf(`${source}1:0`)), 65_536);
  assert.equal(circuitOf(lineOf(`${source}7`)), 7);
  assert.equal(circuitOf(lineOf(`${source}00ff:000a`)), 0x00ff_000a);
  assert.equal(circuitOf(lineOf(`${source}ffff:ffff`, 0, 65_535)), 4_294_967_295);
});

test("directory: proxy: any circuit and any ports are read back", () => {
  const word = fc.nat(0xffff);
  fc.assert(fc.property(word, word, word, word, fc.boolean(), (high, low, from, to, padded) => {
    const group = (n: number) => n.toString(16).padStart(padded ? 4 : 1, "0");
    const line = lineOf(`${source}${group(high)}:${group(low)}`, from, to);
    assert.equal(circuitOf(line), high * 65_536 + low);
  }));
});

const malformed = [
  "", " ", "PROXY", "PROXY UNKNOWN", "GET / HTTP/1.1",
  '{"type": 793, "line": ""}',
  `proxy TCP6 ${source}1:1 ::1 1 2`,
  `PROXY TCP4 127.0.0.1 127.0.0.1 1 2`,
  `PROXY TCP6 ${source}1:1 ::1 1`,
  `PROXY TCP6 ${source}1:1 ::1 1 2 3`,
  `PROXY  TCP6 ${source}1:1 ::1 1 2`,
  ` PROXY TCP6 ${source}1:1 ::1 1 2`,
  `PROXY TCP6 ${source}1:1 ::1 1 2 `,
  `PROXY TCP6 ${source}1:1 ::2 1 2`,
  `PROXY\tTCP6\t${source}1:1\t::1\t1\t2`,
  lineOf("::1"), lineOf(source), lineOf(`${source}:`), lineOf(`${source}1:`), lineOf(`${source}:1`),
  lineOf(`${source}1:2:3`), lineOf(`${source}12345:1`), lineOf(`${source}g:1`),
  lineOf(`${source}-1:1`), lineOf(`${source}ABCD:1`), lineOf(`${source}0x1:1`),
  lineOf("fc00:dead:beef:4dae::1:1"), lineOf("FC00:DEAD:BEEF:4DAD::1:1"),
  lineOf("fc00:dead:beef:4dad:0:0:1:1"),
  lineOf(`${source}1:1`, 65_536), lineOf(`${source}1:1`, 1, 65_536), lineOf(`${source}1:1`, -1),
  lineOf(`${source}1:1`, 1, -1), lineOf(`${source}1:1`, "1.5"), lineOf(`${source}1:1`, "+1"),
  lineOf(`${source}1:1`, ""), lineOf(`${source}1:1`, 1, ""), lineOf(`${source}1:1`, "1e3"),
  lineOf(`${source}1:1`, "000001"), lineOf(`${source}1:1`, "x", "y"),
];

test("directory: proxy: anything else is a fault", () => {
  for (const line of malformed) {
    const read = parse(line);
    assert.equal(read.ok ? "ok" : read.fault.code, "proxy-header", JSON.stringify(line));
  }
});

test("directory: proxy: no more than 107 bytes, the terminator included", () => {
  const longest = lineOf(`${source}ffff:ffff`, 65_535, 65_535);
  assert.ok(longest.length + 2 <= proxy.proxyBytesMax);
  const padded = (size: number) => "x".repeat(size - 2);
  const [at, beyond] = [107, 108].map((size) => parse(padded(size)));
  assert.ok(at?.ok === false && beyond?.ok === false);
  assert.notEqual(at.fault.text, beyond.fault.text);
  assert.match(beyond.fault.text, /longer than 107/);
});

test("directory: proxy: no bytes make it throw, and no answer is out of range", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
    const read = proxy.parse(Uint8Array.of(...bytes, 13, 10));
    if (read.ok) assert.ok(read.value >= 0 && read.value <= 0xffff_ffff);
  }));
  const near = fc.tuple(
    fc.constant(lineOf(`${source}12:ab`)), fc.nat(60), fc.constantFrom("", ":", " ", "0", "z"),
  );
  fc.assert(fc.property(near, ([line, at, by]) => {
    const read = parse(line.slice(0, at) + by + line.slice(at + 1));
    if (read.ok) assert.ok(Number.isInteger(read.value) && read.value <= 0xffff_ffff);
  }));
});
