/**
 * Who of a healed core is not where it should be, and why: the questions behind L1 to L3
 * (`liveness.ts` asks them when they are due), the bounds, and L9, the closed list of excuses.
 *
 * Rule 1: a reason is one line in words: "maker3@dir1: shaking hands since 2,131 s".
 * Rule 2: what a peer believes comes from its state, where it is registered from the directory's,
 * and that the two mean one connection from the network.
 * @module
 */
import type { Directory } from "../../core/directory/node.ts";
import type { ConnId } from "../../core/ids.ts";
import * as links from "../actors/link.ts";
import * as peers from "../actors/peer.ts";
import * as clocks from "../clocks.ts";
import type { PeerSpec } from "../scenario.ts";
import type { Law } from "./state.ts";
import type { OracleNode, OracleWorld } from "./world.ts";

/** What hosts, links and roundings may add. */
export const slackMs = 10_000;

/** Something that is not as it should be: `key` without what changes while one waits. */
export type Pending = { readonly key: string; readonly node: OracleNode; readonly says: string };

/** Why a peer may stay out for ever. */
export const excuses = Object.freeze({
  "no-directory": "there is no directory in the core",
  "not-its-own": "no directory that the peer knows is in the core",
  full: "the directory has all the peers that it may have",
  squatted: "a hostile peer that goes on holds the nick, and the peer cannot prove it",
});

/** A peer that knows PING is in by then, if its directory asks incumbents for `contestMs`. */
export function soonMs(contestMs: number): number {
  return links.pingMsMax + links.pongMs + links.backoffMsMax + links.dialMs + links.greetMs
    + contestMs + slackMs;
}

/** An old peer notices silence late; its ghost stays until the directory evicts or contests it. */
export function lateMs(hardMs: number, sweepMs: number, contestMs: number): number {
  const ghostMs = hardMs + sweepMs;
  const deafMs = links.silentMs > ghostMs ? links.silentMs : ghostMs;
  return (deafMs > contestMs ? deafMs : contestMs)
    + links.backoffMsMax + links.greetMs + slackMs;
}

export function coreDirectories(w: OracleWorld): readonly OracleNode[] {
  return w.nodes.filter((node) => node.kind === "directory" && w.core.has(node.index));
}

export function corePeers(w: OracleWorld): readonly OracleNode[] {
  return w.nodes.filter((node) => node.kind === "peer" && w.core.has(node.index));
}

export function coreMakers(w: OracleWorld): readonly OracleNode[] {
  return corePeers(w).filter((node) => node.spec.kind === "maker");
}

export function knows(peer: OracleNode, directory: OracleNode): boolean {
  const { directories } = peer.spec as PeerSpec;
  return directories === undefined || directories.includes(directory.id);
}

/**
 * Does it come back late? Old peers do, and those whose nick a squatter may have taken: its ghost
 * is gone no earlier than one that cannot be pinged.
 */
export function isLate(w: OracleWorld, peer: OracleNode): boolean {
  return !isNew(peer) || (hasThieves(w) && !coreDirectories(w).every((directory) =>
    !knows(peer, directory) || isProven(peer, directory)));
}

/** Can the peer prove its nick there? A directory without an address does not ask for it. */
function isProven(peer: OracleNode, { config }: OracleNode): boolean {
  return (peer.spec as PeerSpec).auth === true && config?.location !== undefined;
}

function isNew(peer: OracleNode): boolean {
  return (peer.spec as PeerSpec).speaks === "new";
}

/** Is there anybody who takes nicks of others? */
export function hasThieves(w: OracleWorld): boolean {
  return (w.oracles.liveness.hasThieves ??= w.nodes.some(({ spec }) =>
    spec.kind === "squatter" || spec.kind === "forger"));
}

/** A half-open link may bring bytes for so long after the heal; then the other system gives up. */
const echoMs = 1_000_000;

/** From when on the two have had no reason to be apart, in true time. */
export function sinceUs(w: OracleWorld, peer: OracleNode, directory: OracleNode): number {
  const { healedUs, bootedUs, awayUs } = w.oracles.liveness;
  let atUs = healedUs;
  atUs = later(atUs, bootedUs.get(directory.index));
  atUs = later(atUs, bootedUs.get(peer.index));
  atUs = later(atUs, awayUs.get(peer.index));
  atUs = later(atUs, ((peer.spec as PeerSpec).joinsAt ?? 0) * 1_000);
  const link = peerOf(peer)?.links.find((one) => one.to.id === directory.id);
  if (link?.phase !== "up" || !isLate(w, peer)) return atUs;
  const heardUs = w.nowUs - (clocks.now(peer.clock, w.nowUs) - link.heardAt) * 1_000;
  const echoUs = healedUs + echoMs * 1_000;
  return later(atUs, heardUs < echoUs ? heardUs : echoUs);
}

function later(a: number, b: number | undefined): number {
  return b !== undefined && b > a ? b : a;
}

/** L1 at this directory. */
export function boundMs(directory: OracleNode, late: boolean): number {
  const { config } = directory;
  if (config === undefined) return 0;
  const { hardMs, sweepMs } = config.heartbeat;
  return late ? lateMs(hardMs, sweepMs, config.contestMakerMs) : soonMs(config.contestPingMs);
}

/** L3 at this directory, for peers that can be pinged or not. */
export function goneMs(directory: OracleNode, ping: boolean): number {
  const { config } = directory;
  if (config === undefined) return 0;
  const { idleMs, sweepMs, pongMs, hardMs } = config.heartbeat;
  return ping ? idleMs + sweepMs + pongMs : hardMs + sweepMs;
}

/** The peer as it is, if its process runs. */
function peerOf(node: OracleNode): peers.Peer | undefined {
  return node.kernel?.state as peers.Peer | undefined;
}

export function directoryOf(node: OracleNode): Directory | undefined {
  return node.kernel?.state as Directory | undefined;
}

/** L1 of one pair. */
export function registered(
  w: OracleWorld, peer: OracleNode, directory: OracleNode, out: Pending[],
): void {
  const says = outside(w, peer, directory);
  if (says === undefined || excuseOf(w, peer, directory) !== undefined) return;
  out.push({ key: `${peer.id}@${directory.id}`, node: peer, says });
}

/** Why the peer is not in, if it is not. */
export function outside(
  w: OracleWorld, peer: OracleNode, directory: OracleNode,
): string | undefined {
  const name = `${peer.id}@${directory.id}`;
  const state = peerOf(peer);
  const node = directoryOf(directory);
  if (node === undefined) return `${name}: ${directory.id} does not run`;
  if (state === undefined) return `${name}: does not run`;
  const link = peers.links(state).find((one) => one.directory === directory.id);
  if (link === undefined) return `${name}: knows no such directory`;
  const sinceS = Math.floor((clocks.now(peer.clock, w.nowUs) - link.since) / 1_000);
  if (link.phase !== "up") return `${name}: ${words[link.phase]} since ${sinceS} s`;
  const far = link.conn === undefined ? undefined : peer.sockets.get(link.conn)?.peer;
  const owner = node.registry.byNick.get(peer.identity.nick)?.conn;
  if (far !== undefined && far.node === directory.index && far.conn === owner) return undefined;
  return `${name}: believes itself registered since ${sinceS} s, on a connection that is not`;
}

const words = {
  waiting: "waiting to dial", dialing: "dialling", shaking: "shaking hands",
} as const;

export function isUp(w: OracleWorld, peer: OracleNode, directory: string): boolean {
  const node = w.byId.get(directory);
  return node !== undefined && w.core.has(node.index) && outside(w, peer, node) === undefined;
}

/** L9: why the peer may stay out. */
function excuseOf(
  w: OracleWorld, peer: OracleNode, directory: OracleNode,
): keyof typeof excuses | undefined {
  if (coreDirectories(w).length === 0) return "no-directory";
  if (!knows(peer, directory)) return "not-its-own";
  const node = directoryOf(directory);
  if (node === undefined) return undefined;
  if (node.registry.byNick.size >= node.config.peersMax) return "full";
  const owner = node.registry.byNick.get(peer.identity.nick)?.conn;
  const holder = owner === undefined ? undefined : holderOf(w, directory, owner);
  const isHostile = holder?.kind === "hostile" && isFree(w, holder);
  if (isHostile && !isProven(peer, directory)) return "squatted";
  return undefined;
}

/** The node at the other end of a directory's connection. */
function holderOf(w: OracleWorld, directory: OracleNode, conn: ConnId): OracleNode | undefined {
  const socket = directory.sockets.get(conn);
  return socket === undefined ? undefined : w.nodes[socket.peer.node];
}

/** Does a node outside the core go on as it is? */
export function isFree(w: OracleWorld, node: OracleNode): boolean {
  const { fates } = w.scenario.phases;
  return fates.some((one) => one.node === node.id && one.fate === "free");
}

/** L2 of one that collects offers: those of the core, current, and of nobody who is cut off. */
export function collected(
  w: OracleWorld, law: Law, peer: OracleNode, directory: OracleNode, out: Pending[],
): void {
  const state = peerOf(peer);
  const node = directoryOf(directory);
  if (state === undefined || node === undefined) return;
  if (outside(w, peer, directory) !== undefined) return;
  const held = peers.offersAt(state, directory.id);
  if (held === undefined) return;
  const name = `${peer.id}@${directory.id}`;
  for (const maker of coreMakers(w)) {
    const own = peerOf(maker);
    if (own === undefined || (isLate(w, peer) || isLate(w, maker)) !== law.isLate) continue;
    if (outside(w, maker, directory) !== undefined) continue;
    const current = peers.ownOffers(own);
    const known = held.get(maker.identity.nick);
    if (known !== undefined && known.tag === current.tag && known.size === current.size) continue;
    // An answer to one who was behind may be dropped; old peers do not look for what is missing.
    if (!isNew(peer) && node.counts.drops["target-behind"] > 0) continue;
    const what = known === undefined ? "holds no offers of" : "holds old offers of";
    out.push({ key: `${name} ${maker.id}`, node: peer, says: `${name}: ${what} ${maker.id}` });
  }
  if (hasThieves(w)) return;
  for (const maker of w.nodes) {
    if (maker.spec.kind !== "maker" || w.core.has(maker.index)) continue;
    const { nick } = maker.identity;
    if (!held.has(nick) || node.registry.byNick.has(nick) || isOfCore(w, nick)) continue;
    const says = `${name}: holds offers of ${maker.id}, which is gone`;
    out.push({ key: `${name} ${maker.id}`, node: peer, says });
  }
}

/** Twins share a nick, and one of them may be well. */
function isOfCore(w: OracleWorld, nick: string): boolean {
  return corePeers(w).some((one) => one.identity.nick === nick);
}

/** L3: who is cut off and still registered. */
export function ghosts(w: OracleWorld, directory: OracleNode, ping: boolean, out: Pending[]): void {
  const node = directoryOf(directory);
  const l = w.oracles.liveness;
  const bootedUs = l.bootedUs.get(directory.index) ?? 0;
  const fromUs = bootedUs > l.healedUs ? bootedUs : l.healedUs;
  if (node === undefined || w.nowUs < fromUs + goneMs(directory, ping) * 1_000) return;
  for (const one of node.registry.byNick.values()) {
    const holder = holderOf(w, directory, one.conn);
    if (one.ping !== ping || holder === undefined) continue;
    if (w.core.has(holder.index) || isFree(w, holder)) continue;
    if (isHeard(w, directory, one.conn, ping)) continue;
    const says = `${holder.id}@${directory.id}: cut off and still registered`;
    out.push({ key: `${holder.id}@${directory.id}`, node: directory, says });
  }
}

/**
 * Was the connection heard so lately that its directory may keep it? What a narrow link still held
 * at the heal comes for as long as that lasts, and no longer: who is cut off says nothing new.
 */
function isHeard(w: OracleWorld, directory: OracleNode, conn: ConnId, ping: boolean): boolean {
  if (w.nowUs > w.oracles.liveness.healedUs + lingersUs(w)) return false;
  const at = w.oracles.watched[directory.index]?.observer?.conns.get(conn)?.lineAt;
  if (at === undefined) return false;
  return clocks.now(directory.clock, w.nowUs) - at <= goneMs(directory, ping) + slackMs;
}

/** How long full buffers take at the least rate that any link had, and ten minutes. */
function lingersUs({ scenario: { net, faults, triggers } }: OracleWorld): number {
  let bytesPerSec = Infinity;
  for (const harm of [...faults, ...triggers.map(({ do: one }) => one)]) {
    if (harm.kind === "narrow") bytesPerSec = Math.min(bytesPerSec, harm.bytesPerSec);
  }
  const bytes = net.sendBufferBytes + net.receiveBufferBytes;
  return Math.ceil(bytes * 1_000_000 / bytesPerSec) + 600_000_000;
}
