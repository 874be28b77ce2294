import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import * as envelope from "../../../core/joinmarket/envelope.ts";
import type { Fault } from "../../../core/fault.ts";
import * as model from "../../support/wire-model.ts";

type Row = { name: string; frame: string; type: number; line: string };
const rows = JSON.parse(fs.readFileSync("test/vectors/joinmarket/lines.json", "utf8")) as Row[];

function bytesOf(s: string): Uint8Array {
  return new Uint8Array(Buffer.from(s));
}

type Read = { type: number; line: string; exact: boolean };

function read(frame: Uint8Array): Read | Fault {
  const e = envelope.create();
  const fault = envelope.scan(frame, e);
  return fault ?? { type: e.type, line: envelope.content(frame, e), exact: e.exact };
}

function refused(text: string | Uint8Array, code: string): void {
  const frame = typeof text === "string" ? bytesOf(text) : text;
  const found = read(frame);
  const shown = Buffer.from(frame).toString("latin1");
  assert.ok("code" in found, `accepted: ${shown}`);
  assert.equal(found.code, code, shown);
}

for (const row of rows) {
  test(`joinmarket: envelope: ${row.name}: read, and written as deployed peers write it`, () => {
    const frame = bytesOf(`${row.frame}\r\n`);
    assert.deepEqual(read(frame), { type: row.type, line: row.line, exact: true });
    assert.deepEqual(envelope.encode(row.type, row.line), frame);
    const compact = bytesOf(JSON.stringify({ type: row.type, line: row.line }));
    assert.deepEqual(read(compact), { type: row.type, line: row.line, exact: true });
  });
}

test("joinmarket: envelope: spelling, order and white space do not matter", () => {
  const want = { type: 687, line: "a!b", exact: true };
  const same = [
    "{\"line\":\"a!b\",\"type\":687}", " { \"line\" : \"a!b\" , \"type\" : 687 } \r\r\n",
    "{\t\"type\":687,\"line\": \"a!b\"}", "{\"\\u0074ype\":687,\"\\u006Cin\\u0065\":\"a!\\u0062\"}",
    "{\"type\": 687, \"line\": \"a!b\" }", "{\"type\": 687, \"line\": \"a!b\"}\r\n",
  ];
  for (const text of same) assert.deepEqual(read(bytesOf(text)), want, text);
});

test("joinmarket: envelope: extra keys are allowed and not exact", () => {
  const extra = "[{\"type\": \"no\"}, -1.5e+3, null, true, false]";
  const text = `{"type": 687, "x": ${extra}, "line": "a"}`;
  assert.deepEqual(read(bytesOf(text)), { type: 687, line: "a", exact: false });
});

test("joinmarket: envelope: row 1.2/not-utf8: every broken sequence is refused, anywhere", () => {
  const broken = [
    "80", "bf", "c0af", "c1bf", "c3", "c3c3", "e08080", "e09fbf", "e282", "eda080", "edbfbf",
    "f08080a0", "f08fbfbf", "f09f90", "f4908080", "f5808080", "ff", "fe",
  ];
  for (const sequence of broken) {
    const bad = Buffer.from(sequence, "hex");
    const places = [
      ["{\"type\": 687, \"line\": \"", "\"}"], ["{\"type\":1,\"line\":\"\",\"", "\":1}"],
    ];
    for (const [head, tail] of places) {
      refused(new Uint8Array(Buffer.concat([Buffer.from(head!), bad, Buffer.from(tail!)])), "utf8");
    }
  }
  const whole = "\u007f\u0080߿ࠀ퟿\ue000\uffff\u{10000}\u{10ffff}";
  const found = read(bytesOf(JSON.stringify({ type: 1, line: whole })));
  assert.deepEqual(found, { type: 1, line: whole, exact: true });
});

test("joinmarket: envelope: row 1.2/not-json: text that is not JSON is refused", () => {
  const texts = [
    "hello", "{", "{\"type\": 687, \"line\": \"a\"", "{\"type\": 687, \"line\": \"a}", "{type: 1}",
    "{\"type\": 687, \"line\": \"a\"}}", "{\"type\": 687, \"line\": \"a\"} x",
    "{\"type\": 687 \"line\": \"\"}",
    "{\"type\": 687, \"line\": \"a\",}", "{,}", "{\"type\" 687}", "{'type': 687}",
    "\ufeff{\"type\":1,\"line\":\"\"}",
    "{\"type\": 1, \"line\": \"\\x\"}", "{\"type\": 1, \"line\": \"\\u12g4\"}",
    "{\"type\": 1, \"line\": \"\\u12\"}",
    "{\"type\": 1, \"line\": \"\\", "{\"type\": 1, \"line\": \"\t\"}",
    "{\"type\": 1, \"line\": \"\u0000\"}",
    "{\"type\": 1, \"line\": \"\", \"x\": tru}", "{\"type\": 1, \"line\": \"\", \"x\": [1,]}",
    "{\"type\": 1, \"line\": \"\", \"x\": 01}", "{\"type\": 1, \"line\": \"\", \"x\": 1.}",
    "{\"type\": 1, \"line\": \"\", \"x\": 1e}", "{\"type\": 1, \"line\": \"\", \"x\": -}",
    "{\"type\": 1, \"line\": \"\", \"x\": [1 2]}", "{\"type\": 1, \"line\": \"\", \"x\": {1:2}}",
    "{\"type\": 1, \"line\": \"\", \"x\": {\"a\" 2}}",
    "{\"type\": 1, \"line\": \"\", \"x\": {\"a\":", "NaN",
    "{\"type\": 1, \"line\": \"\", \"x\": NaN}", "{\"type\": 1,\n\"line\": \"\"}",
    "{\"type\": 1, \"line\": \"\"}\n",
    "{\"type\": 1, \"line\": \"\", \"x\": {\"a}", "{\"type\": 1, \"line\": \"\", \"x\": [",
    "{\"type\":1,\"line\":\"\",\"x\":",
  ];
  for (const text of texts) refused(text, "json");
});

test("joinmarket: envelope: row 1.2/empty-line: nothing is no envelope", () => {
  for (const text of ["", "\r\n", " \r\n", "\r"]) refused(text, "json");
});

test("joinmarket: envelope: row 1.2/missing-key: both keys must be there", () => {
  for (const text of ["{}", "{\"type\": 1}", "{\"line\": \"\"}", "{\"Type\": 1, \"line\": \"\"}"]) {
    refused(text, "missing");
  }
});

test("joinmarket: envelope: row 1.2/wrong-type: a frame is an object and its line a string", () => {
  for (const text of ["[]", "687", "\"line\"", "null", " [1, {}] "]) refused(text, "object");
  for (const value of ["null", "1", "[]", "{\"a\":1}", "true"]) {
    refused(`{"type": 687, "line": ${value}}`, "line");
  }
});

test("joinmarket: envelope: row 1.2/deep-nesting: ten levels, not eleven", () => {
  const frame = (n: number): string =>
    `{"type": 1, "line": "", "x": ${"[".repeat(n)}${"]".repeat(n)}}`;
  assert.ok("type" in read(bytesOf(frame(10))));
  refused(frame(11), "depth");
  refused(`{"x": ${"[".repeat(39_000)}`, "depth");
  refused("{\"x\":".repeat(8_000), "depth");
  refused("[".repeat(39_000), "json");
});

test("joinmarket: envelope: row 1.2/type-coercion: a type is plain digits and 32 bits", () => {
  const wrong = [
    "\"793\"", "793.0", "true", "-1", "-0", "1e2", "0687", "4294967296", "99999999999", "null",
    "[1]", "1E0", "00",
  ];
  const forms = [
    "{\"type\": #, \"line\": \"\"}", "{\"type\":#,\"line\":\"\"}", "{\"line\":\"\",\"type\":#}",
  ];
  for (const spacing of forms) {
    for (const type of wrong) {
      const fault = read(bytesOf(spacing.replace("#", type)));
      assert.ok("code" in fault && (fault.code === "type" || fault.code === "json"), type);
    }
    for (const type of ["0", "687", "4294967295"]) {
      const found = read(bytesOf(spacing.replace("#", type)));
      assert.deepEqual(found, { type: Number(type), line: "", exact: true });
    }
  }
});

test("joinmarket: envelope: row 1.2/duplicate-keys: refused however spelled", () => {
  refused("{\"type\": 1, \"line\": \"a\", \"line\": \"a\"}", "duplicate");
  refused("{\"type\": 1, \"type\": 1, \"line\": \"a\"}", "duplicate");
  refused("{\"type\": 1, \"line\": \"a\", \"l\\u0069ne\": \"b\"}", "duplicate");
  assert.ok("type" in read(bytesOf("{\"type\": 1, \"line\": \"a\", \"x\": 1, \"x\": 2}")));
});

test("joinmarket: envelope: row 1.2/unknown-type: any number is an envelope", () => {
  assert.deepEqual(
    read(bytesOf("{\"type\": 12345, \"line\": \"x\"}")), { type: 12_345, line: "x", exact: true },
  );
});

test("joinmarket: envelope: row issue/lone-surrogates: refused in every spelling and place", () => {
  const lone = [
    "\\ud800", "\\uDFFF", "\\ud800x", "\\ud800\\u0041", "\\ud800\\ud800", "\\ud800\\n",
    "\\ud83d\\ude0",
  ];
  for (const text of lone) {
    refused(`{"type": 1, "line": "${text}"}`, "json");
    refused(`{"type": 1, "line": "", "x": ["${text}"]}`, "json");
  }
  const paired = read(bytesOf("{\"type\": 1, \"line\": \"\\uD83D\\uDe00\"}"));
  assert.deepEqual(paired, { type: 1, line: "😀", exact: true });
});

test("joinmarket: envelope: row issue/proto-key: __proto__ is an extra key", () => {
  const found = read(bytesOf("{\"__proto__\": {\"type\": 2}, \"type\": 1, \"line\": \"\"}"));
  assert.deepEqual(found, { type: 1, line: "", exact: false });
});

test("joinmarket: envelope: row 1.2/outbound-limit: 40,000 bytes can be sent and no more", () => {
  const overhead = envelope.encode(687, "").length;
  const longest = "x".repeat(40_002 - overhead);
  assert.equal(envelope.encode(687, longest).length, 40_002);
  assert.throws(() => envelope.encode(687, `${longest}x`), { name: "InvariantError" });
  assert.throws(() => envelope.encode(687, "é".repeat(10_000)), { name: "InvariantError" });
});

test("joinmarket: envelope: what cannot be sent is our mistake", () => {
  assert.throws(() => envelope.encode(-1, ""), { name: "InvariantError" });
  assert.throws(() => envelope.encode(1.5, ""), { name: "InvariantError" });
  assert.throws(() => envelope.encode(4_294_967_296, ""), { name: "InvariantError" });
  assert.throws(() => envelope.encode(1, "\ud800"), { name: "InvariantError" });
});

function relay(frame: Uint8Array): Uint8Array {
  const e = envelope.create();
  assert.equal(envelope.scan(frame, e), undefined);
  return envelope.relayed(frame, e);
}

test("joinmarket: envelope: row 1.2/growth: a frame is relayed as the very bytes that came", () => {
  const frame = bytesOf(
    `{"type": 687, "line": "J5Ckon1LuuapPSBM!PUBLIC!${"水".repeat(13_000)}"}\r\n`,
  );
  assert.equal(relay(frame), frame);
});

test("joinmarket: envelope: row 10/T12-oversized-to-legacy: a rewrap never grows", () => {
  const extra = fc.constantFrom("\"\":0", "\"x\": [1, 2]", "\"ab\":\"\\u0000\"");
  const line = fc.string({ unit: "binary", maxLength: 40 });
  fc.assert(fc.property(fc.nat(), line, extra, fc.boolean(), (type, text, member, first) => {
    const own = `"type":${type},"line":${JSON.stringify(text)}`;
    const frame = bytesOf(`{${first ? `${member},${own}` : `${own},${member}`}}\r\n`);
    const out = relay(frame);
    assert.ok(out.length <= frame.length);
    assert.deepEqual(read(out), { type, line: text, exact: true });
    assert.equal(Buffer.from(out).toString().endsWith("\"}\r\n"), true);
  }));
});

test("joinmarket: envelope: a frame without its terminator gets one when relayed", () => {
  const out = relay(bytesOf("{\"type\":687,\"line\":\"a\"}"));
  assert.equal(Buffer.from(out).toString(), "{\"type\": 687, \"line\": \"a\"}\r\n");
});

test("joinmarket: envelope: row 10/T14-local-control-types: the numbers", () => {
  const { LOCAL_CONNECT, LOCAL_DISCONNECT, LOCAL_CONNECT_IN } = envelope.types;
  assert.deepEqual([LOCAL_CONNECT, LOCAL_DISCONNECT, LOCAL_CONNECT_IN], [785, 787, 797]);
  assert.ok(Object.isFrozen(envelope.types));
});

test("joinmarket: envelope: encode and scan are inverse", () => {
  const line = fc.string({ unit: "binary", maxLength: 200 });
  fc.assert(fc.property(fc.nat(4_294_967_295), line, (type, text) => {
    const frame = envelope.encode(type, text);
    assert.deepEqual(read(frame), { type, line: text, exact: true });
    assert.match(Buffer.from(frame).toString("latin1"), /^[ -~]+\r\n$/);
  }));
});

const mark = "{}[]:,\"\\ 0159-.etunlb\r".split("").concat(
  "\\u0041", "\\ud800", "\\udc00", "é", "\"line\":", "null",
);

/** A valid frame with a few places changed. */
const nearly = fc.tuple(
  fc.constantFrom(
    ...rows.map((row) => row.frame.slice(0, 160)), "{\"type\":1,\"line\":\"\",\"x\":[{}]}",
  ),
  fc.array(fc.tuple(fc.nat(170), fc.nat(2), fc.constantFrom(...mark)), { maxLength: 3 }),
).map(([text, edits]) => {
  let out = text;
  for (const [at, drop, put] of edits) out = out.slice(0, at) + put + out.slice(at + drop);
  return out;
});

test("joinmarket: envelope: nearly valid frames are judged as the model judges them", () => {
  fc.assert(fc.property(nearly, (text) => {
    if (model.differs(text)) return;
    const want = model.envelope(bytesOf(text));
    const found = read(bytesOf(text));
    assert.deepEqual("code" in found ? undefined : found, want, text);
  }), { numRuns: 1_000 });
});

test("joinmarket: envelope: any bytes are judged without a throw", () => {
  const near = fc.tuple(nearly, fc.array(fc.tuple(fc.nat(170), fc.nat(255)), { maxLength: 3 }))
    .map(([text, edits]) => {
      const b = bytesOf(text);
      for (const [at, byte] of edits) if (at < b.length) b[at] = byte;
      return b;
    });
  fc.assert(fc.property(fc.oneof(near, fc.uint8Array({ maxLength: 80 })), (b) => {
    const found = read(b);
    if (model.differs(Buffer.from(b).toString())) return;
    assert.deepEqual("code" in found ? undefined : found, model.envelope(b));
  }), { numRuns: 800 });
});

test("joinmarket: envelope: the text is written as Python writes it, plain or escaped", () => {
  const plain = fc.constantFrom("a", ";", " ", "~", "/", "'");
  const escaped = fc.constantFrom("\"", "\\", "\n", "\0", "\x1f", "\x7f", "é", "\u{1f600}");
  const unit = fc.oneof({ weight: 8, arbitrary: plain }, { weight: 1, arbitrary: escaped });
  fc.assert(fc.property(fc.array(unit, { maxLength: 30 }), (units) => {
    const line = units.join("");
    const quoted = JSON.stringify(line).replace(/[\x7f-\uffff]/g, (c) => {
      return `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`;
    });
    assert.deepEqual(envelope.encode(789, line), bytesOf(`{"type": 789, "line": ${quoted}}\r\n`));
  }));
});
