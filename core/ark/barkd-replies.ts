/**
 * What barkd's good replies say; `undefined` for one that is not what the call answers.
 *
 * Rule 1: every field that is used is checked, satoshis and heights to the last digit, and a list
 * with one bad entry is no list. Fields that nobody needs are not looked at: newer versions have
 * more of them.
 * Rule 2: a state that is not known here is `unknown`; that is not a bad reply.
 * Rule 3: what a reply leaves out is not made up, with one exception that is told in `Config`.
 * @module
 */
import { unreachable } from "../assert.ts";
import { wholeSatFrom } from "../chain/amount.ts";
import { allOf, countOf, field, flagOf, listOf, textOf } from "../chain/fields.ts";
import { isFields, isNumeral, type Json } from "../joinmarket/json.ts";
import type { Config } from "./barkd-config.ts";
import {
  heightOf, idOf, instantOf, isInstant, keyOf, secondsOf, shortOf,
} from "./barkd-fields.ts";
import type { Done, Exit, ExitState, News, Op, Vtxo, VtxoState } from "./wallet.ts";

/** What barkd answers with JSON. */
export type Told = Extract<Op, {
  op: "identity" | "probe" | "ark-info" | "tip" | "vtxos" | "balance" | "exits" | "pending"
    | "exit-fee" | "notifications" | "sync-mailbox" | "progress-exits" | "refresh" | "exit"
    | "claim";
}>;

/** What the good reply `j` to `op` says. */
export function doneOf(config: Config, op: Told, j: Json): Done | undefined {
  switch (op.op) {
    case "identity": return identity(j);
    case "probe": return probe(j);
    case "ark-info": return arkInfo(j);
    case "tip": return tip(j);
    case "vtxos": return vtxos(config, j);
    case "balance": return balance(j);
    case "exits": return exits(config, j);
    case "pending": return pending(config, j);
    case "exit-fee": return fee(j);
    case "notifications": return notifications(config, j);
    case "sync-mailbox": return mailbox(j);
    case "progress-exits": return progressed(config, j);
    case "refresh": return refreshed(op.vtxos, j);
    case "exit": case "claim":
      return textOf(only(j, "message")) === undefined ? undefined : { op: op.op };
    default: return unreachable(op); /* c8 ignore next */
  }
}

/** As `field`, of an object that says nothing twice. */
function only(j: Json | undefined, key: string): Json | undefined {
  return isFields(j) && j.duplicates ? undefined : field(j, key);
}

/** Nothing said, or `null`: what may be left out was. */
function isLeftOut(j: Json | undefined): j is null | undefined {
  return (j ?? null) === null;
}

function identity(j: Json): Done | undefined {
  if (!isFields(j) || j.duplicates) return undefined;
  const found = j.fields.get("fingerprint");
  if (isLeftOut(found)) return { op: "identity", fingerprint: undefined };
  const fingerprint = textOf(found);
  if (fingerprint === undefined || !/^[0-9a-f]{8,64}$/.test(fingerprint)) return undefined;
  return { op: "identity", fingerprint };
}

function probe(j: Json): Done | undefined {
  const nextRoundUnixMs = instantOf(only(j, "start_time"));
  return nextRoundUnixMs === undefined ? undefined : { op: "probe", nextRoundUnixMs };
}

function arkInfo(j: Json): Done | undefined {
  const network = textOf(only(j, "network"));
  const serverPubkey = keyOf(field(j, "server_pubkey"));
  const mailboxPubkey = keyOf(field(j, "mailbox_pubkey"));
  const roundIntervalS = secondsOf(field(j, "round_interval"));
  const exitDeltaBlocks = shortOf(field(j, "vtxo_exit_delta"));
  // Renamed on the way; the old name is to go.
  const expiryDeltaBlocks = shortOf(field(j, "vtxo_lifetime") ?? field(j, "vtxo_expiry_delta"));
  const maxExitDepth = shortOf(field(j, "max_vtxo_exit_depth"));
  if (network === undefined || !/^[a-z0-9]{1,20}$/.test(network)) return undefined;
  if (serverPubkey === undefined || mailboxPubkey === undefined) return undefined;
  if (roundIntervalS === undefined || exitDeltaBlocks === undefined) return undefined;
  if (expiryDeltaBlocks === undefined || maxExitDepth === undefined) return undefined;
  return {
    op: "ark-info",
    info: {
      network, serverPubkey, mailboxPubkey, roundIntervalS, exitDeltaBlocks, expiryDeltaBlocks,
      maxExitDepth,
    },
  };
}

function tip(j: Json): Done | undefined {
  const height = heightOf(only(j, "tip_height"));
  return height === undefined ? undefined : { op: "tip", height };
}

function vtxos(config: Config, j: Json): Done | undefined {
  const found = listed(config, j, (item) => vtxo(config, item), (one) => one.id);
  return found === undefined ? undefined : { op: "vtxos", vtxos: found };
}

/** A list in which no coin comes twice. */
function listed<T>(
  config: Config, j: Json | undefined, read: (item: Json) => T | undefined,
  idOfItem: (item: T) => string,
): readonly T[] | undefined {
  if ((listOf(j)?.length ?? 0) > config.listMax) return undefined;
  const found = allOf(j, read);
  if (found === undefined) return undefined;
  return new Set(found.map(idOfItem)).size === found.length ? found : undefined;
}

function vtxo(config: Config, j: Json): Vtxo | undefined {
  const id = idOf(only(j, "id"));
  const amountSat = wholeSatFrom(field(j, "amount_sat"));
  const expiryHeight = heightOf(field(j, "expiry_height"));
  const exitDeltaBlocks = shortOf(field(j, "exit_delta"));
  const depth = field(j, "exit_depth");
  const exitDepth = isLeftOut(depth) ? config.exitDepthUnknown : shortOf(depth);
  const state = textOf(only(field(j, "state"), "type"));
  if (id === undefined || amountSat === undefined || expiryHeight === undefined) return undefined;
  if (exitDeltaBlocks === undefined || exitDepth === undefined) return undefined;
  if (state === undefined) return undefined;
  const known = vtxoStates.get(state) ?? "unknown";
  return { id, amountSat, expiryHeight, exitDeltaBlocks, exitDepth, state: known };
}

const vtxoStates: ReadonlyMap<string, VtxoState> = new Map([
  ["spendable", "spendable"], ["locked", "locked"], ["exited", "exited"], ["spent", "spent"],
]);

function balance(j: Json): Done | undefined {
  const spendableSat = wholeSatFrom(only(j, "spendable_sat"));
  const inRoundSat = wholeSatFrom(field(j, "pending_in_round_sat"));
  const lightningSendSat = wholeSatFrom(field(j, "pending_lightning_send_sat"));
  const lightningReceiveSat = wholeSatFrom(field(j, "claimable_lightning_receive_sat"));
  const boardSat = wholeSatFrom(field(j, "pending_board_sat"));
  const exiting = field(j, "pending_exit_sat");
  const exitSat = isLeftOut(exiting) ? undefined : wholeSatFrom(exiting);
  if (spendableSat === undefined || inRoundSat === undefined) return undefined;
  if (lightningSendSat === undefined || lightningReceiveSat === undefined) return undefined;
  if (boardSat === undefined) return undefined;
  if (exitSat === undefined && !isLeftOut(exiting)) return undefined;
  return {
    op: "balance",
    balance: { spendableSat, inRoundSat, lightningSendSat, lightningReceiveSat, boardSat, exitSat },
  };
}

function exits(config: Config, j: Json): Done | undefined {
  const found = listed(config, j, exit, (one) => one.vtxo);
  return found === undefined ? undefined : { op: "exits", exits: found };
}

function exit(j: Json): Exit | undefined {
  const id = idOf(only(j, "vtxo_id"));
  const state = field(j, "state");
  const kind = textOf(only(state, "type"));
  if (id === undefined || kind === undefined) return undefined;
  const known = exitStates.get(kind) ?? "unknown";
  const at = claimableAt(known, state);
  return at === undefined ? undefined : { vtxo: id, state: known, claimableHeight: at.height };
}

const exitStates: ReadonlyMap<string, ExitState> = new Map([
  ["start", "start"], ["processing", "processing"], ["awaiting-delta", "awaiting-delta"],
  ["claimable", "claimable"], ["claim-in-progress", "claim-in-progress"], ["claimed", "claimed"],
  ["vtxo-already-spent", "already-spent"], ["canceled", "canceled"],
]);

/** The states that have such a height must tell it. */
function claimableAt(
  known: ExitState, state: Json | undefined,
): { readonly height: number | undefined } | undefined {
  switch (known) {
    case "awaiting-delta": return told(heightOf(field(state, "claimable_height")));
    case "claimable": case "claim-in-progress":
      return told(heightOf(field(field(state, "claimable_since"), "height")));
    case "start": case "processing": case "claimed": case "already-spent": case "canceled":
    case "unknown":
      return { height: undefined };
    default: return unreachable(known); /* c8 ignore next */
  }
}

function told(height: number | undefined): { readonly height: number } | undefined {
  return height === undefined ? undefined : { height };
}

function fee(j: Json): Done | undefined {
  const isFundable = flagOf(only(j, "fundable"));
  const feeSat = wholeSatFrom(field(j, "total_fee_sat"));
  const txs = countOf(field(j, "txs_to_broadcast"));
  if (isFundable === undefined || feeSat === undefined || txs === undefined) return undefined;
  return { op: "exit-fee", isFundable, feeSat, txs };
}

function notifications(config: Config, j: Json): Done | undefined {
  const items = only(j, "notifications");
  if ((listOf(items)?.length ?? 0) > config.newsMax) return undefined;
  const news = allOf(items, oneOfNews);
  const said = field(j, "last_pushed_at");
  const last = isLeftOut(said) ? undefined : textOf(said);
  if (news === undefined) return undefined;
  if (last === undefined ? !isLeftOut(said) : !isInstant(last)) return undefined;
  return { op: "notifications", news, last };
}

function oneOfNews(j: Json): News | undefined {
  const type = textOf(only(j, "type"));
  switch (type) {
    case undefined: return undefined;
    case "movement-created": case "movement-updated": return { kind: "movement" };
    case "channel-lagging": return { kind: "lagging" };
    default: return { kind: "unknown" };
  }
}

/** Movements that are over take nothing any more; of a state that is not known nobody can tell. */
function pending(config: Config, j: Json): Done | undefined {
  if ((listOf(j)?.length ?? 0) > config.newsMax) return undefined;
  const found = allOf(j, inputsHeld);
  return found === undefined ? undefined : { op: "pending", vtxos: found.flat() };
}

function inputsHeld(j: Json): readonly string[] | undefined {
  const status = textOf(only(j, "status"));
  if (status === undefined) return undefined;
  const isOver = status === "successful" || status === "failed" || status === "canceled";
  return isOver ? [] : allOf(field(j, "input_vtxos"), idOf);
}

function mailbox(j: Json): Done | undefined {
  const found = only(j, "checkpoint");
  const checkpoint = countOf(found);
  if (checkpoint !== undefined) return { op: "sync-mailbox", checkpoint };
  // A whole number, but not one that can be held exactly: better none than another.
  if (!isNumeral(found) || !/^[1-9][0-9]{15,19}$/.test(found.numeral)) return undefined;
  return { op: "sync-mailbox", checkpoint: undefined };
}

function progressed(config: Config, j: Json): Done | undefined {
  const isDone = flagOf(only(j, "done"));
  const said = field(j, "claimable_height");
  const claimableHeight = isLeftOut(said) ? undefined : heightOf(said);
  const found = listed(config, field(j, "exits"), exit, (one) => one.vtxo);
  if (isDone === undefined || found === undefined) return undefined;
  if (claimableHeight === undefined && !isLeftOut(said)) return undefined;
  return { op: "progress-exits", isDone, claimableHeight, exits: found };
}

/** A round for other coins than were named is not the one that was asked for. */
function refreshed(asked: readonly string[], j: Json): Done | undefined {
  const roundId = countOf(only(j, "id"));
  const inputs = allOf(only(field(j, "participation"), "inputs"), idOf);
  const status = textOf(only(field(j, "status"), "status"));
  if (roundId === undefined || inputs === undefined || status === undefined) return undefined;
  const taken = new Set(inputs);
  if (taken.size !== asked.length || !asked.every((id) => taken.has(id))) return undefined;
  return { op: "refresh", roundId, isConfirmed: status === "confirmed" };
}
