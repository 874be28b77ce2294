import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { arrange, relevant } from "../../../sim/picture/lanes.ts";
import { layOut, type Layout } from "../../../sim/picture/layout.ts";
import { foldUs, withoutRepeats } from "../../../sim/picture/repeats.ts";
import { scaleOf, yOf, yOfStop } from "../../../sim/picture/scale.ts";
import { keyOf, slotsOf } from "../../../sim/picture/slots.ts";
import { stopsOf } from "../../../sim/picture/stops.ts";
import { around, focus, leftOut } from "../../../sim/picture/window.ts";
import type { Recording } from "../../../sim/recording.ts";
import * as make from "../../support/recording.ts";

const { recording } = make.lostWelcome();
const wide = { pitch: 180, left: 90, right: 170 };

function laidOut(r: Recording, max = 7, whole = false): Layout {
  const lanes = arrange(r, relevant(r, max));
  const stops = stopsOf(r, lanes, whole);
  return layOut(r, lanes, stops, { ...wide, from: 0, to: stops.list.length });
}

test("picture: lanes: who is found, faulted or named comes before the crowd", () => {
  const { recording: crowd } = make.original();
  const ids = relevant(crowd, 3).map((node) => crowd.scenario.nodes[node]?.id);
  assert.deepEqual(ids, ["maker1", "dir0", "maker2"]);
  const lanes = arrange(crowd, relevant(crowd, 3));
  assert.deepEqual(lanes.nodes.map((node) => crowd.scenario.nodes[node]?.id), [
    "maker1", "dir0", "maker2",
  ]);
  assert.equal(lanes.hidden.length, crowd.scenario.nodes.length - 3);
});

test("picture: lanes: a node of which nothing is known gets none", () => {
  const silent = { id: "maker9", kind: "maker", speaks: "new" } as const;
  const { scenario } = recording;
  const more = { ...recording, scenario: { ...scenario, nodes: [...scenario.nodes, silent] } };
  assert.equal(relevant(more, 9).includes(scenario.nodes.length), false);
});

test("picture: stops: steps keep their order and edges of faults come before their instant", () => {
  const lanes = arrange(recording, relevant(recording, 7));
  const { list, places } = stopsOf(recording, lanes, true);
  for (let i = 1; i < list.length; i += 1) {
    const [a, b] = [list[i - 1], list[i]];
    assert.ok(a !== undefined && b !== undefined && a.atUs <= b.atUs);
    if (a.step >= 0 && b.step >= 0) assert.ok(a.step < b.step);
  }
  assert.equal(list.filter((stop) => stop.step < 0).length, 6, "three faults, two edges each");
  list.forEach((stop, i) => {
    if (stop.step >= 0) assert.equal(places[stop.step], i);
  });
});

test("picture: repeats: hours of PING and PONG are told once, and counted", () => {
  const lanes = arrange(recording, relevant(recording, 7));
  const whole = stopsOf(recording, lanes, true).list;
  const { list } = stopsOf(recording, lanes);
  const repeats = list.filter((stop) => stop.repeats > 0).map((stop) => stop.repeats);
  assert.deepEqual(repeats, [2, 15]);
  assert.equal(whole.length - list.length, 4 * (2 + 15));
});

test("picture: repeats: a flag, or the edge of a fault, is like nothing else", () => {
  const lanes = arrange(recording, relevant(recording, 7));
  const whole = stopsOf(recording, lanes, true).list;
  assert.deepEqual(withoutRepeats(recording, whole, () => false), whole);
});

test("picture: scale: time goes down, long gaps are folded and say how long they are", () => {
  const { scale } = laidOut(recording, 7, true);
  for (let i = 1; i < scale.ys.length; i += 1) {
    assert.ok((scale.ys[i] as number) > (scale.ys[i - 1] as number));
  }
  const gaps = scale.stops.slice(1).map((stop, i) => stop.atUs - (scale.stops[i]?.atUs ?? 0));
  assert.deepEqual(scale.folds.map((fold) => fold.us), gaps.filter((us) => us >= foldUs));
  assert.ok(scale.height > (scale.ys[scale.ys.length - 1] as number));
});

test("picture: scale: an instant stands between its neighbours", () => {
  const stop = (atUs: number, step: number) => ({ atUs, step, repeats: 0 });
  const instants = fc.uniqueArray(fc.integer({ min: 0, max: 20_000_000 }), { minLength: 2 });
  fc.assert(fc.property(instants, fc.nat(20_000_000), (list, at) => {
    const stops = list.sort((a, b) => a - b).map(stop);
    const scale = scaleOf(stops, 0, stops.length, () => 0);
    const y = yOf(scale, at);
    assert.ok(Number.isSafeInteger(y));
    for (const [i, one] of stops.entries()) {
      const own = yOfStop(scale, i) as number;
      if (one.atUs < at) assert.ok(own <= y);
      if (one.atUs > at) assert.ok(own >= y);
      if (one.atUs === at) assert.equal(own, y);
    }
  }));
});

test("picture: slots: two connections of a pair that overlap stand side by side", () => {
  const lanes = arrange(recording, relevant(recording, 7));
  const lives = [0, 1].map((i) => ({
    from: 1, to: 0, dialedUs: 0, fromOpenUs: i, fromEndUs: i === 0 ? 5 : -1, toOpenUs: i,
    toEndUs: -1, generation: i + 1,
  }));
  const doubled = { ...recording, lives };
  const { offsets } = slotsOf(doubled, lanes, 0, 100);
  assert.notEqual(offsets.get(keyOf(lives, 0, 0)), offsets.get(keyOf(lives, 1, 0)));
  const apart = lives.map((life) => ({ ...life, toEndUs: life.generation === 1 ? 1 : -1 }));
  const after = slotsOf({ ...recording, lives: apart }, lanes, 0, 100).offsets;
  assert.equal(after.get(keyOf(apart, 0, 0)), after.get(keyOf(apart, 1, 0)));
});

test("picture: layout: a message slopes, a lost one is cut on its way", () => {
  const layout = laidOut(recording);
  const lost = layout.arrows.filter((arrow) => arrow.fate === "lost");
  assert.deepEqual(lost.map((arrow) => arrow.message.says), ["PING", "DN_HANDSHAKE"]);
  const lane = (node: number): number => layout.lanes.find((one) => one.node === node)?.x ?? 0;
  for (const { x1, x2, message } of lost) {
    assert.ok(Math.abs(x2 - x1) < Math.abs(lane(message.to) - lane(message.from)) * 3 / 4);
  }
  for (const arrow of layout.arrows) assert.ok(arrow.y2 > arrow.y1 || arrow.fate === "enters");
});

test("picture: layout: what was sent just before the end is under way, not lost", () => {
  const [last] = recording.messages.slice(-1);
  assert.ok(last !== undefined);
  const endMs = Math.ceil(last.sentUs / 1_000) + 1_000;
  const outcome = { ...recording.outcome, virtualMs: endMs };
  const messages = recording.messages.map((message) => {
    return message === last ? { ...message, gotUs: -1, gotStep: -1 } : message;
  });
  const fateOf = (lives: Recording["lives"]): string | undefined => {
    const { arrows } = laidOut({ ...recording, outcome, messages, lives }, 7, true);
    return arrows.find((arrow) => arrow.message.sentStep === last.sentStep)?.fate;
  };
  assert.equal(fateOf(recording.lives), "under way");
  const ended = recording.lives.map((life) => ({ ...life, fromEndUs: 1, toEndUs: 1 }));
  assert.equal(fateOf(ended), "lost");
});

test("picture: layout: everything stands on whole pixels within the picture", () => {
  for (const r of [recording, make.original().recording, make.smallTalk(80, 5).recording]) {
    const layout = laidOut(r);
    for (const { x1, y1, x2, y2 } of layout.arrows) {
      for (const x of [x1, x2]) assert.ok(Number.isSafeInteger(x) && x >= 0 && x <= layout.width);
      for (const y of [y1, y2]) assert.ok(Number.isSafeInteger(y) && y >= 0 && y <= layout.height);
    }
    for (const box of layout.bands) assert.ok(box.width > 0 && box.height > 0);
  }
});

test("picture: layout: bands of one link that overlap do not hide each other", () => {
  const boxes = laidOut(recording).bands.filter((box) => box.band.isLink);
  assert.deepEqual(boxes.map((box) => box.band.id), [1, 2, 3]);
  assert.notEqual(boxes[1]?.x, boxes[2]?.x);
  assert.deepEqual(boxes.map((box) => box.family), ["loss", "delay", "loss"]);
});

test("picture: layout: a message of which one end is not drawn still leaves or enters", () => {
  const lanes = arrange(recording, relevant(recording, 7));
  const stops = stopsOf(recording, lanes);
  const sent = stops.list.findIndex((stop) => stops.sent.get(stop.step)?.[0]?.says === "HANDSHAKE");
  const before = layOut(recording, lanes, stops, { ...wide, from: 0, to: sent + 1 });
  assert.equal(before.arrows[before.arrows.length - 1]?.fate, "leaves");
  const after = layOut(recording, lanes, stops, { ...wide, from: sent + 1, to: stops.list.length });
  assert.equal(after.arrows[0]?.fate, "enters");
});

test("picture: window: the violation is in it, and what is left out is told", () => {
  const { recording: r } = make.original();
  const lanes = arrange(r, relevant(r, 3));
  const stops = stopsOf(r, lanes);
  const at = focus(r, stops);
  const window = around(stops, at, 10);
  assert.ok(window.from <= at && at < window.to && window.to - window.from === 10);
  const says = leftOut(r, lanes, stops, window);
  assert.match(says, /^Left out: [0-9]+ earlier events; 2 later events; 12 nodes \(/);
  assert.equal(around(stops, 0, 10_000).from, 0);
});
