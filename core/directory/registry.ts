/**
 * Who is here: one nick, one owner.
 *
 * Rule 1: a nick names the connection generation that owns it now; everything else is keyed by that
 * generation.
 * Rule 2: makers are kept in order of registration, so that a peerlist can be written in parts
 * while peers come and go: a cursor is a registration number, never an index.
 * Rule 3: it does not decide who may own a nick.
 * @module
 */
import { assert } from "../assert.ts";
import { ascii, text } from "../bytes.ts";
import type { ConnId } from "../ids.ts";

export type Peer = {
  readonly conn: ConnId;
  readonly nick: string;
  readonly nickBytes: Uint8Array;
  /** `<56>.onion:port` or `NOT-SERVING-ONION`. */
  readonly location: string;
  readonly maker: boolean;
  /** Sorted names of the features that the peer declared true; one array per distinct list. */
  readonly features: readonly string[];
  readonly ping: boolean;
  readonly wantsFeatures: boolean;
  /** The key that proved this nick (66 hex), if the peer was asked for the proof. */
  readonly pubkey: string | undefined;
  /** Makers: the registration number. */
  readonly seq: number;
  /** Has anybody been told of it: by a line of its own, a hint, or a list? */
  shown: boolean;
  /** Encoded hints about this maker, made when first sent. */
  hintPlain: Uint8Array | undefined;
  hintFeatures: Uint8Array | undefined;
  /** Peerlist entries of this maker, made when first listed. */
  entryPlain: string | undefined;
  entryFeatures: string | undefined;
};

/** What a newcomer brings; the registry adds the rest. */
export type Newcomer = Pick<
  Peer,
  "conn" | "nick" | "nickBytes" | "location" | "maker" | "features" | "pubkey"
>;

export type Registry = {
  readonly byNick: Map<string, Peer>;
  /**
   * Makers by registration number; a hole is a maker that left. Both arrays grow and shrink
   * together.
   */
  makers: (Peer | undefined)[];
  seqs: number[];
  nextSeq: number;
  /** Changes whenever the makers do: what was written of them before may be wrong. */
  version: number;
  makerCount: number;
  pingCount: number;
  verifiedCount: number;
  /** Feature lists in use: ten thousand peers share a handful. Never more than there are peers. */
  readonly featureLists: Map<string, FeatureList>;
};

type FeatureList = { readonly names: readonly string[]; uses: number };

export function create(): Registry {
  return {
    byNick: new Map(), makers: [], seqs: [], nextSeq: 1, version: 0,
    makerCount: 0, pingCount: 0, verifiedCount: 0, featureLists: new Map(),
  };
}

/** The current owner of a nick. */
export function find(r: Registry, nick: string): Peer | undefined {
  return r.byNick.get(nick);
}

export function size(r: Registry): number {
  return r.byNick.size;
}

/** Registers a newcomer whose nick is free: the caller has ended any earlier owner. */
export function add(r: Registry, n: Newcomer): Peer {
  assert(!r.byNick.has(n.nick), "registry: the nick has an owner");
  const features = intern(r, n.features);
  const peer: Peer = {
    conn: n.conn, nick: text(n.nickBytes), nickBytes: n.nickBytes, location: own(n.location),
    maker: n.maker, shown: false,
    features, ping: features.includes("ping"),
    wantsFeatures: features.includes("peerlist_features"),
    pubkey: n.pubkey === undefined ? undefined : own(n.pubkey), seq: n.maker ? r.nextSeq : 0,
    hintPlain: undefined, hintFeatures: undefined,
    entryPlain: undefined, entryFeatures: undefined,
  };
  r.byNick.set(peer.nick, peer);
  if (peer.maker) {
    r.makers.push(peer);
    r.seqs.push(peer.seq);
    r.nextSeq += 1;
    r.version += 1;
    r.makerCount += 1;
    compact(r);
  }
  if (peer.ping) r.pingCount += 1;
  if (peer.pubkey !== undefined) r.verifiedCount += 1;
  return peer;
}

/** Forgets a registered peer; a nick that has a newer owner is an error of ours. */
export function remove(r: Registry, peer: Peer): void {
  assert(r.byNick.get(peer.nick) === peer, "registry: the nick has another owner");
  r.byNick.delete(peer.nick);
  if (peer.ping) r.pingCount -= 1;
  if (peer.pubkey !== undefined) r.verifiedCount -= 1;
  unused(r, peer.features);
  if (!peer.maker) return;
  const at = indexAfter(r.seqs, peer.seq - 1);
  assert(r.makers[at] === peer, "registry: a maker is not at its number");
  r.makers[at] = undefined;
  r.version += 1;
  r.makerCount -= 1;
  compact(r);
}

/**
 * The first maker registered after `seq` (0: the first of all), or `undefined`. Costs O(log n) and
 * the holes.
 */
export function nextMaker(r: Registry, seq: number): Peer | undefined {
  for (let at = indexAfter(r.seqs, seq); at < r.makers.length; at += 1) {
    const peer = r.makers[at];
    if (peer !== undefined) return peer;
  }
  return undefined;
}

/** Small tables keep their holes; in others at least every second place is taken. */
function compact(r: Registry): void {
  if (r.makers.length <= 64 || r.makerCount * 2 >= r.makers.length) return;
  r.makers = r.makers.filter((peer) => peer !== undefined);
  r.seqs = r.makers.map((peer) => (peer as Peer).seq);
}

/** Index of the first number greater than `seq`. */
function indexAfter(seqs: readonly number[], seq: number): number {
  let low = 0;
  let high = seqs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((seqs[middle] as number) > seq) high = middle;
    else low = middle + 1;
  }
  return low;
}

function intern(r: Registry, features: readonly string[]): readonly string[] {
  const key = features.join("+");
  const known = r.featureLists.get(key);
  if (known !== undefined) {
    known.uses += 1;
    return known.names;
  }
  const names = features.map(own);
  r.featureLists.set(own(key), { names, uses: 1 });
  return names;
}

function unused(r: Registry, features: readonly string[]): void {
  const key = features.join("+");
  const list = r.featureLists.get(key) as FeatureList;
  list.uses -= 1;
  if (list.uses === 0) r.featureLists.delete(key);
}

/** The same text in memory of its own: a part of a handshake would keep the whole of it alive. */
function own(part: string): string {
  return text(ascii(part));
}
