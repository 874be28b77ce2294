/**
 * The end-to-end reference model: what honest peers published, asked and answered, held against
 * what others received. It never looks at a line, only at what peers tell (`sim/actors/told.ts`).
 *
 * | what a peer tells | must hold                                                                |
 * |-------------------|--------------------------------------------------------------------------|
 * | a public line     | its sender published it there; in the sender's order, once, without a    |
 * |                   | gap within a pair of connections (D11)                                   |
 * | offers of a maker | the maker made them (D14)                                                |
 * | an answer         | it was asked for, and the one who was asked gave it (D10)                |
 * | something odd     | it is none of what a directory must not send (`odds`)                    |
 * | it is let in      | not with what a directory must refuse (`refusals`; told by hostile ones) |
 *
 * Rule 1: nicks that hostile peers or twins may take prove nothing; what is said in such a nick is
 * not judged. Nor is a gap in lines of a directory that has dropped some for their budget.
 * Rule 2: bounded: the last `keptMax` lines of each nick at each directory, and as many requests.
 * @module
 */
import type { Directory } from "../core/directory/node.ts";
import type { ConnId } from "../core/ids.ts";
import type { Odd, Told, Wrong } from "./actors/told.ts";
import { violation, type InvariantId, type Violation } from "./invariants/violation.ts";
import { hasThieves } from "./oracles/core.ts";
import type { Ear, Model, Said, Voice } from "./oracles/state.ts";
import type { OracleNode, OracleWorld } from "./oracles/world.ts";
import type { NodeId } from "./scenario.ts";

/** Lines of one nick at one directory that are remembered, and requests and offers. */
const keptMax = 1_024;

/** Knows nothing yet. */
export function create(): Model {
  return {
    voices: new Map(), ears: new Map(), offers: new Map(), asked: new Map(), given: new Set(),
    honest: undefined,
  };
}

/** Nicks whose lines prove something: of one honest peer each, where nobody takes another's. */
function isHonest(w: OracleWorld, m: Model, nick: string): boolean {
  m.honest ??= honest(w);
  return m.honest.has(nick);
}

function honest(w: OracleWorld): ReadonlySet<string> {
  const known = new Set<string>();
  const shared = new Set<string>();
  if (hasThieves(w)) return known;
  for (const { kind, identity: { nick } } of w.nodes) {
    if (kind !== "peer") continue;
    if (known.has(nick)) shared.add(nick);
    known.add(nick);
  }
  for (const nick of shared) known.delete(nick);
  return known;
}

/** One fact of an honest peer. */
export function told(w: OracleWorld, node: OracleNode, what: Told, out: Violation[]): void {
  const m = w.oracles.model;
  switch (what.fact) {
    case "said": case "announced":
      return said(m, node, what.directory, { tag: what.tag, node: node.index, conn: what.conn });
    case "heard": return heard(w, m, node, what, out);
    case "offers": return offered(m, node.identity.nick, what.tag, what.size);
    case "held": return held(w, m, what, out);
    case "asked":
      remember(m.asked, `${node.index}:${what.tag}`, what.to);
      return;
    case "answering":
      m.given.add(`${node.identity.nick}>${what.to}:${what.tag}`);
      if (m.given.size > keptMax) m.given.delete(m.given.values().next().value ?? "");
      return;
    case "answered": return answered(w, m, node, what, out);
    case "odd": return odd(what, out);
    case "admitted": return admitted(what, out);
    case "down":
      m.ears.delete(earsOf(node, what.conn));
      return;
    case "up": case "unasked": case "unanswered": case "dropped": return;
    default: what satisfies never;
  }
}

/** What a directory must not send; the rest is what hostile peers may do. */
const odds: { readonly [what in Odd]?: readonly [InvariantId, string] } = {
  misdirected: ["D10", "a peer got a private line of another"],
  malformed: ["wire", "a peer got what is no envelope"],
  keys: ["wire", "a peer got more than a type and a line"],
  head: ["D10", "a peer got a line without its head"],
  echo: ["D11", "a peer got a public line in its own nick"],
  impostor: ["D1", "a line in the directory's own nick that it did not write"],
  stolen: ["D10", "a line in a nick that somebody else wrote"],
  entry: ["D14", "a peer got a malformed entry of a peerlist"],
  twice: ["D14", "one line of a peerlist names somebody twice"],
  unasked: ["D14", "a peer got a peerlist that it did not ask for"],
  early: ["D16", "a peer got a line before it was registered"],
};

function odd(what: Told & { fact: "odd" }, out: Violation[]): void {
  const known = odds[what.what];
  if (known === undefined) return;
  const at = what.from === undefined ? { conn: what.conn } : { conn: what.conn, nick: what.from };
  out.push(violation(known[0], known[1], at));
}

/** What a directory must refuse. */
const refusals: { readonly [wrong in Wrong]: readonly [InvariantId, string] } = {
  nick: ["D1", "let in with a nick that is none"],
  onion: ["D14", "let in with an onion address that is none"],
  network: ["D10", "let in from another network"],
  hello: ["D16", "let in with a handshake that is none"],
  "directory-nick": ["D1", "let in under the directory's own nick"],
  proof: ["D3", "verified with a proof that proves nothing"],
};

function admitted(what: Told & { fact: "admitted" }, out: Violation[]): void {
  const [id, says] = refusals[what.wrong];
  out.push(violation(id, says, { conn: what.conn }));
}

function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > keptMax) map.delete(map.keys().next().value ?? "");
}

function earsOf(node: OracleNode, conn: ConnId): string {
  return `${node.index}:${conn}`;
}

function said(m: Model, node: OracleNode, directory: NodeId, line: Said): void {
  const key = `${directory} ${node.identity.nick}`;
  let voice = m.voices.get(key);
  if (voice === undefined) {
    voice = { items: [], from: 0 };
    m.voices.set(key, voice);
  }
  voice.items.push(line);
  if (voice.items.length < 2 * keptMax) return;
  voice.items.splice(0, keptMax);
  voice.from += keptMax;
}

function heard(
  w: OracleWorld, m: Model, node: OracleNode, what: Told & { fact: "heard" }, out: Violation[],
): void {
  // A line without a tag is none of an honest peer's.
  if (what.tag < 0 || !isHonest(w, m, what.from)) return;
  const at = { conn: what.conn, nick: what.from };
  const voice = m.voices.get(`${what.directory} ${what.from}`);
  const ear = earOf(m, node, what.conn, what.from);
  const found = voice === undefined ? -1 : next(voice, ear.at, what.tag);
  if (voice === undefined || found < 0) {
    const says = voice !== undefined && next(voice, -1, what.tag) >= 0
      ? "a public line came twice or after a later one" : "a public line that nobody published";
    if ((voice?.from ?? 0) === 0) out.push(violation("D11", says, at));
    return;
  }
  if (ear.at >= 0 && isGap(voice, ear.at, found) && !drops(w, what.directory)) {
    out.push(violation("D11", "public lines are missing between two of one sender", at));
  }
  ear.at = found;
}

function earOf(m: Model, node: OracleNode, conn: ConnId, from: string): Ear {
  const key = earsOf(node, conn);
  let ears = m.ears.get(key);
  if (ears === undefined) {
    ears = new Map();
    m.ears.set(key, ears);
  }
  let ear = ears.get(from);
  if (ear === undefined) {
    ear = { at: -1 };
    ears.set(from, ear);
  }
  return ear;
}

/** The line with this tag after number `after`; tags are given out once. */
function next(voice: Voice, after: number, tag: number): number {
  const first = after + 1 - voice.from;
  for (let i = first < 0 ? 0 : first; i < voice.items.length; i += 1) {
    if (voice.items[i]?.tag === tag) return voice.from + i;
  }
  return -1;
}

/** Was something said between the two, on the connection of both? */
function isGap(voice: Voice, before: number, now: number): boolean {
  const first = voice.items[before - voice.from];
  const last = voice.items[now - voice.from];
  if (first === undefined || last === undefined || now === before + 1) return false;
  return first.node === last.node && first.conn === last.conn;
}

/** Has the directory's process dropped public lines because somebody spent its budget? */
function drops(w: OracleWorld, directory: NodeId): boolean {
  const state = w.byId.get(directory)?.kernel?.state as Directory | undefined;
  if (state === undefined) return true;
  const counted = state.counts.drops;
  return counted["rate-public"] + counted["rate-orderbook"] > 0;
}

function offered(m: Model, nick: string, tag: number, size: number): void {
  let known = m.offers.get(nick);
  if (known === undefined) {
    known = new Map();
    m.offers.set(nick, known);
  }
  known.set(tag, size);
  if (known.size > keptMax) known.delete(known.keys().next().value ?? 0);
}

function held(
  w: OracleWorld, m: Model, what: Told & { fact: "held" }, out: Violation[],
): void {
  if (!isHonest(w, m, what.maker)) return;
  const made = m.offers.get(what.maker);
  if (made === undefined || made.size >= keptMax) return;
  if (made.get(what.tag) === what.size) return;
  out.push(violation("D14", "offers are held that their maker did not make", { nick: what.maker }));
}

function answered(
  w: OracleWorld, m: Model, node: OracleNode, what: Told & { fact: "answered" }, out: Violation[],
): void {
  const at = { conn: what.conn, nick: what.from };
  const to = m.asked.get(`${node.index}:${what.tag}`);
  if (to === undefined && m.asked.size < keptMax) {
    out.push(violation("D10", "an answer to nothing that was asked", at));
  }
  if (!isHonest(w, m, what.from) || m.given.size >= keptMax) return;
  if (m.given.has(`${what.from}>${node.identity.nick}:${what.tag}`)) return;
  out.push(violation("D10", "an answer that nobody gave", at));
}

/** The node's process is gone, and with it all that it heard. */
export function died(w: OracleWorld, node: OracleNode): void {
  const { ears } = w.oracles.model;
  const own = `${node.index}:`;
  for (const key of ears.keys()) if (key.startsWith(own)) ears.delete(key);
}
