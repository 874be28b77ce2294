/**
 * The model knows who said what, and nothing of how it went.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConnId } from "../../core/ids.ts";
import type { Told } from "../../sim/actors/told.ts";
import type { Violation } from "../../sim/invariants/violation.ts";
import * as liveness from "../../sim/liveness.ts";
import * as model from "../../sim/model.ts";
import type { OracleNode, OracleWorld } from "../../sim/oracles/world.ts";

const nicks = ["J5maker0", "J5maker1", "J5taker0"];
const conn = (n: number): ConnId => n as ConnId;

type Play = {
  readonly w: OracleWorld;
  readonly drops: { "rate-public": number; "rate-orderbook": number };
  tell(node: number, what: Told): readonly string[];
};

/** Two makers and a taker, and whoever else; only what the model looks at. */
function play(others: readonly { kind: string; nick: string }[] = []): Play {
  const honest = nicks.map((nick, index) => ({
    index, kind: "peer", spec: { kind: nick.slice(2, -1) }, identity: { nick },
  }));
  const more = others.map(({ kind, nick }, i) => ({
    index: 3 + i, kind: kind === "maker" ? "peer" : "hostile", spec: { kind }, identity: { nick },
  }));
  const drops = { "rate-public": 0, "rate-orderbook": 0 };
  const w = {
    nodes: [...honest, ...more], oracles: { model: model.create(), liveness: liveness.create() },
    byId: new Map([["dir0", { kernel: { state: { counts: { drops } } } }]]),
  } as unknown as OracleWorld;
  const tell = (node: number, what: Told): readonly string[] => {
    const out: Violation[] = [];
    model.told(w, w.nodes[node] as OracleNode, what, out);
    return out.map((v) => `${v.id}: ${v.says}`);
  };
  return { w, drops, tell };
}

const said = (tag: number, on = 2): Told =>
  ({ fact: "said", directory: "dir0", conn: conn(on), tag });
const heard = (tag: number, on = 8, from = nicks[0] as string): Told =>
  ({ fact: "heard", directory: "dir0", conn: conn(on), from, tag });

test("sim: model: lines come in order, once, to whoever is there", () => {
  const p = play();
  for (const tag of [1, 2, 3, 4]) assert.deepEqual(p.tell(0, said(tag)), []);
  for (const tag of [1, 2, 3]) assert.deepEqual(p.tell(2, heard(tag)), []);
  assert.deepEqual(p.tell(1, heard(3)), [], "who comes later begins later");
  assert.deepEqual(p.tell(1, heard(4)), []);
  assert.match(p.tell(2, heard(2))[0] ?? "", /^D11: .*twice or after a later one/);
  assert.match(p.tell(2, heard(9))[0] ?? "", /^D11: .*nobody published/);
  assert.deepEqual(p.tell(2, heard(1, 10)), [], "another connection begins anew");
});

test("sim: model: a gap counts within one pair of connections, if nothing was over budget", () => {
  const lost = (p: Play): readonly string[] => {
    for (const tag of [1, 2, 3]) p.tell(0, said(tag));
    p.tell(2, heard(1));
    return p.tell(2, heard(3));
  };
  assert.match(lost(play())[0] ?? "", /^D11: public lines are missing/);
  const over = play();
  over.drops["rate-public"] = 1;
  assert.deepEqual(lost(over), []);
  const anew = play();
  anew.tell(0, said(1));
  anew.tell(0, said(2));
  anew.tell(0, said(3, 4));
  anew.tell(2, heard(1));
  assert.deepEqual(anew.tell(2, heard(3)), [], "the sender's next connection");
});

test("sim: model: announcements are public lines like others", () => {
  const p = play();
  for (const [tag, on] of [[1, 2], [2, 2], [3, 4], [4, 4]] as const) {
    const what = { fact: "announced", directory: "dir0", conn: conn(on), tag, offers: 7 } as const;
    assert.deepEqual(p.tell(0, what), []);
  }
  for (const tag of [1, 3, 4]) assert.deepEqual(p.tell(2, heard(tag)), [], "lost with its sender");
  assert.equal(p.tell(2, heard(2)).length, 1);
});

test("sim: model: nicks that others may take prove nothing", () => {
  const shared = play([{ kind: "maker", nick: "J5maker0" }]);
  assert.deepEqual(shared.tell(2, heard(5)), []);
  assert.equal(shared.tell(2, heard(5, 8, "J5maker1")).length, 1);
  const forged = play([{ kind: "forger", nick: "J5forger" }]);
  assert.deepEqual(forged.tell(2, heard(5, 8, "J5maker1")), []);
  assert.deepEqual(play().tell(2, heard(-1)), [], "no tag");
  assert.deepEqual(play().tell(2, heard(7, 8, "J5nobody")), [], "a directory, or one hostile");
});

test("sim: model: answers were asked for and given, offers were made", () => {
  const p = play();
  const [to, me] = [nicks[0] as string, nicks[2] as string];
  const asked: Told = { fact: "asked", directory: "dir0", conn: conn(8), to, tag: 5 };
  const given: Told = { fact: "answering", directory: "dir0", conn: conn(2), to: me, tag: 5 };
  const answered: Told = { fact: "answered", directory: "dir0", conn: conn(8), from: to, tag: 5 };
  assert.match(p.tell(2, answered)[0] ?? "", /^D10: an answer to nothing/);
  p.tell(2, asked);
  assert.match(p.tell(2, answered)[0] ?? "", /^D10: an answer that nobody gave/);
  p.tell(0, given);
  assert.deepEqual(p.tell(2, answered), []);
  const held = (tag: number, size: number): Told =>
    ({ fact: "held", directory: "dir0", maker: to, tag, size });
  assert.deepEqual(p.tell(2, held(6, 1)), [], "nothing is known of it yet");
  p.tell(0, { fact: "offers", tag: 6, size: 2 });
  assert.deepEqual(p.tell(2, held(6, 2)), []);
  assert.match(p.tell(2, held(6, 3))[0] ?? "", /^D14/);
  const odd: Told = { fact: "odd", directory: "dir0", conn: conn(8), what: "misdirected" };
  assert.match(p.tell(2, odd)[0] ?? "", /^D10: a peer got a private line of another/);
});

test("sim: model: what it remembers is bounded, and goes with the process", () => {
  const p = play();
  for (let tag = 1; tag <= 10_000; tag += 1) p.tell(0, said(tag));
  assert.ok((p.w.oracles.model.voices.get(`dir0 ${nicks[0]}`)?.items.length ?? 0) <= 2_048);
  assert.deepEqual(p.tell(2, heard(5)), [], "forgotten, so not judged");
  assert.deepEqual(p.tell(2, heard(10_000)), []);
  assert.equal(p.w.oracles.model.ears.size, 1);
  model.died(p.w, p.w.nodes[2] as OracleNode);
  assert.equal(p.w.oracles.model.ears.size, 0);
});
