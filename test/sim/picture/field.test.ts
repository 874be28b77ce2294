import assert from "node:assert/strict";
import test from "node:test";
import type { DirectoryEvent } from "../../../core/directory/events.ts";
import * as kernel from "../../../core/kernel/kernel.ts";
import * as trace from "../../../core/kernel/trace.ts";
import { fieldOf, type Field, type FieldOptions } from "../../../sim/picture/field.ts";
import { svgOf } from "../../../sim/picture/drawing.ts";
import { written } from "../../../sim/picture/source.ts";
import { changesOf } from "../../../sim/picture/tree.ts";
import { linesOf } from "../../../sim/replay.ts";
import { frame, nick, types } from "../../support/directory.ts";
import { header, make, recorded, script } from "../../support/field.ts";
import { parse } from "../../support/markup.ts";

const text = recorded(script);

function read(from = text, options: FieldOptions = {}): Extract<Field, { ok: true }> {
  const field = fieldOf(() => linesOf(from), make, options);
  assert.ok(field.ok, JSON.stringify(field));
  return field;
}

test("picture: field: a lane for each nick and each stranger, connections by generation", () => {
  const { recording: r } = read();
  assert.deepEqual(r.scenario.nodes.map(({ id, kind }) => [id, kind]), [
    ["directory", "directory"], [nick(1), "maker"], [nick(2), "taker"], ["connection 7", "watcher"],
  ]);
  assert.deepEqual(r.lives.map(({ from, generation }) => [from, generation]), [
    [1, 1], [2, 1], [1, 2], [3, 1],
  ]);
  const [first] = r.lives;
  assert.deepEqual([first?.toOpenUs, first?.toEndUs], [100_000, 60_000_000]);
});

test("picture: field: every step is there, in words, with what it received and sent", () => {
  const { recording: r } = read();
  const lines = text.split("\n").filter((line) => line.startsWith(`{"i":`));
  assert.equal(r.steps.length, lines.length);
  assert.equal(r.outcome.verdict, "pass");
  const says = r.steps.map((step) => step.says);
  const { length } = frame(types.PUBMSG, `${nick(1)}!PUBLIC!hello`);
  assert.ok(says.includes(`PUBMSG from ${nick(1)}, ${length} B`));
  assert.ok(says.includes(`connection 1 of ${nick(1)} is over: reset`));
  const public2 = r.messages.find((m) => m.from === 0 && m.to === 2 && m.says.includes("PUBMSG"));
  assert.ok(public2 !== undefined && public2.gotStep === public2.sentStep);
  const marks = r.flags.map((flag) => flag.says);
  assert.ok(marks.includes(`${nick(1)} is registered`), marks.join());
  assert.ok(marks.some((one) => one.startsWith("connection 7 is sent away: ")), marks.join());
});

test("picture: field: states are those of the directory at each step", () => {
  const { recording: r, states } = read();
  const source = written(r, states);
  const at = r.steps.findIndex((step) => step.says.startsWith(`HANDSHAKE from ${nick(1)}`));
  const pair = source.states(at, 0);
  const paths = changesOf(pair?.before, pair?.after).map((change) => change.path.join("."));
  assert.ok(paths.some((path) => path.includes("registry.byNick")), paths.join(" "));
  const end = source.states(r.steps.length - 1, 0)?.after;
  const k = make(header);
  for (const line of linesOf(text)) {
    const step = trace.parseStep(line.slice(0, -1));
    if (step.ok) kernel.step(k, step.value.event as DirectoryEvent, step.value.t);
  }
  assert.match(JSON.stringify(end), new RegExp(nick(1)));
  assert.equal(k.steps, r.steps.length);
});

test("picture: field: of a long trace a part is kept, with the lanes of that part", () => {
  const { recording: r, states } = read(text, { stepsMax: 4 });
  assert.equal(r.steps.length, 4);
  const whole = read().recording;
  const saysOf = (one: { readonly says: string }) => one.says;
  assert.deepEqual(r.steps.map(saysOf), whole.steps.slice(-4).map(saysOf));
  assert.ok(states.firsts[0] !== undefined);
  const early = read(text, { stepsMax: 4, lastStep: 5 }).recording;
  const when = (one: { readonly atUs: number; readonly event: string }) => [one.atUs, one.event];
  assert.deepEqual(early.steps.map(when), whole.steps.slice(2, 6).map(when));
});

test("picture: field: it can be drawn", () => {
  parse(svgOf(read().recording));
});

test("picture: field: a step that is not as recorded is found, and is the last", () => {
  const changed = text.replace("hello", "hallo");
  const { recording: r } = read(changed);
  assert.equal(r.outcome.verdict, "crash");
  assert.equal(r.outcome.finding?.step, r.steps.length - 1);
  assert.match(r.outcome.finding?.says ?? "", /not as recorded/);
  assert.equal(r.flags[r.flags.length - 1]?.kind, "violation");
});

test("picture: field: a killed run ends in the middle of a line, and that is no fault", () => {
  const whole = read().recording.steps.length;
  const lines = text.split("\n");
  const last = (lines[lines.length - 3] as string).slice(0, 40);
  const torn = `${lines.slice(0, -3).join("\n")}\n${last}`;
  const { recording: r } = read(torn);
  assert.equal(r.outcome.verdict, "pass");
  assert.equal(r.steps.length, whole - 1);
});

test("picture: field: what is no trace is refused in words", () => {
  assert.deepEqual(fieldOf(() => [], make), { ok: false, says: "the file is empty" });
  const field = fieldOf(() => ["{}\n"], make);
  assert.ok(!field.ok && field.says !== "");
});
