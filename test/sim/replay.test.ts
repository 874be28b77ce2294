import assert from "node:assert/strict";
import test from "node:test";
import type { ConnId } from "../../core/ids.ts";
import { step, TICK, type Kernel } from "../../core/kernel/kernel.ts";
import * as trace from "../../core/kernel/trace.ts";
import { secret } from "../../core/secret.ts";
import { mono } from "../../core/time.ts";
import { linesOf, replay, type Verdict } from "../../sim/replay.ts";
import { bytesOf, toyKernel, type Toy, type ToyEffect, type ToyEvent } from "../support/toy.ts";

const header: trace.Header = {
  kind: "toy", version: "0.1.0", node: "v20", config: { depth: 3 }, seed: new Uint8Array(4),
  startedAt: mono(100), startedUnixMs: 1_700_000_000_000,
};

const script: readonly (readonly [number, ToyEvent | typeof TICK])[] = [
  [100, { type: "clock.anchored", unixMs: 1_700_000_000_000 }],
  [101, { type: "conn.opened", conn: 1 as ConnId }],
  [101, { type: "conn.opened", conn: 3 as ConnId }],
  [105, { type: "conn.received", conn: 1 as ConnId, bytes: bytesOf("hello\r\n") }],
  [115, TICK],
  [120, { type: "conn.received", conn: 3 as ConnId, bytes: Uint8Array.of(0, 255, 7) }],
  [140, { type: "conn.closed", conn: 1 as ConnId, reason: "eof" }],
];

function make(read: trace.Header): Kernel<Toy, ToyEvent, ToyEffect> {
  return toyKernel(read.startedAt);
}

function recorded(events = script, footer = true): string {
  const kernel = make(header);
  const lines = [trace.headerText(header)];
  for (const [t, event] of events) lines.push(recordedStep(kernel, t, event));
  if (footer) lines.push(trace.footerText(kernel.steps, kernel.digest ?? trace.digest()));
  return lines.map((line) => `${line}\n`).join("");
}

function recordedStep(
  kernel: Kernel<Toy, ToyEvent, ToyEffect>,
  t: number,
  event: ToyEvent | typeof TICK,
): string {
  const i = kernel.steps;
  const digest = kernel.digest ?? trace.digest();
  try {
    return trace.stepText(i, mono(t), event, step(kernel, event, mono(t)), digest);
  } catch (error) {
    return trace.deathText(i, mono(t), event, (error as Error).message, undefined);
  }
}

function verdict(text: string): Verdict {
  return replay(linesOf(text), make);
}

test("sim: replay: a recorded run is the same when played again", () => {
  assert.deepEqual(verdict(recorded()), {
    ok: true, steps: script.length, torn: false, footer: true, died: undefined,
  });
  assert.deepEqual(verdict(recorded(script, false)), {
    ok: true, steps: script.length, torn: false, footer: false, died: undefined,
  });
});

test("sim: replay: each flipped byte of the file names the step it is in", () => {
  const text = recorded();
  const lineOf: number[] = [];
  for (const [index, line] of linesOf(text).entries()) {
    for (let i = 0; i < line.length; i += 1) lineOf.push(index);
  }
  for (let at = 0; at < text.length; at += 1) {
    for (const mask of [0x01, 0x02, 0x20, 0x80, 0xff]) {
      const flipped = String.fromCharCode(text.charCodeAt(at) ^ mask);
      const found = verdict(text.slice(0, at) + flipped + text.slice(at + 1));
      assert.ok(!found.ok, `byte ${at} ^ ${mask} went unnoticed`);
      const index = lineOf[at] ?? 0;
      assert.equal(found.step, Math.max(0, index - 1), `byte ${at} ^ ${mask}`);
      assert.equal(found.line, index + 1, `byte ${at} ^ ${mask}`);
      assert.equal(found.reason === "header", index === 0);
    }
  }
});

test("sim: replay: each cut of the file is a clean, shorter run", () => {
  const text = recorded();
  const headerEnd = text.indexOf("\n") + 1;
  for (let cut = headerEnd; cut < text.length; cut += 1) {
    const found = verdict(text.slice(0, cut));
    const whole = text.slice(headerEnd, cut).split("\n").length - 1;
    const torn = text[cut - 1] !== "\n";
    assert.deepEqual(found, { ok: true, steps: whole, torn, footer: false, died: undefined });
  }
  for (let cut = 0; cut < headerEnd; cut += 1) {
    const found = verdict(text.slice(0, cut));
    assert.equal(!found.ok && found.reason, "header");
  }
});

test("sim: replay: a dropped, doubled, swapped or added line is a difference", () => {
  const lines = linesOf(recorded());
  const at = (from: number, to: number): string[] => lines.slice(from, to);
  const changed = [
    [...at(0, 3), ...at(4, 9)], [...at(0, 4), ...at(3, 9)],
    [...at(0, 2), ...at(3, 4), ...at(2, 3), ...at(4, 9)],
    [...lines, lines[3] ?? ""], [...lines, "\n"], [...lines, "x"], at(1, 9),
  ];
  for (const lot of changed) assert.ok(!replay(lot, make).ok);
});

test("sim: replay: a core that behaves otherwise is named with its effects", () => {
  const text = recorded();
  const found = replay(linesOf(text), (read) => {
    const kernel = make(read);
    kernel.state.conns.add(9 as ConnId);
    return kernel;
  });
  assert.ok(!found.ok);
  assert.deepEqual([found.step, found.reason, found.secretSeen], [3, "digest", false]);
  assert.deepEqual(found.kinds, ["conn.send#3", "wake"]);
  assert.match(found.effects[0] ?? "", /"conn":9,"bytes":\{"a":"hello/);
  assert.notEqual(found.expected, found.actual);
});

test("sim: replay: a run that broke breaks again, in the same way", () => {
  const broken: ToyEvent = { type: "conn.received", conn: 1 as ConnId, bytes: bytesOf("!") };
  const text = recorded([...script.slice(0, 4), [110, broken]], false);
  assert.deepEqual(verdict(text), {
    ok: true, steps: 4, torn: false, footer: false, died: "told to break",
  });
  const other = verdict(text.replace("told to break", "told to bleak"));
  assert.deepEqual(!other.ok && [other.step, other.reason], [4, "threw"]);
  const healthy = verdict(text.replace(`"!"`, `"."`));
  assert.deepEqual(!healthy.ok && [healthy.step, healthy.reason], [4, "threw"]);
  const more = verdict(`${text}{"i":5}\n`);
  assert.deepEqual(!more.ok && more.reason, "parse");
  assert.ok(!verdict(`${text}{"i"`).ok);
});

test("sim: replay: a difference after a secret says that one was seen", () => {
  const kernel = make(header);
  const digest = kernel.digest ?? trace.digest();
  trace.keyWith(digest, bytesOf("secretly"));
  const held = { type: "clock.anchored", unixMs: 1, key: secret(bytesOf("k")) };
  const event = held as unknown as ToyEvent;
  const lines = [trace.headerText(header), recordedStep(kernel, 101, event)];
  const text = lines.map((line) => `${line}\n`).join("");
  assert.ok(verdict(text).ok);
  const found = verdict(`${text}{"i":7}\n`);
  assert.ok(!found.ok && found.secretSeen);
});
