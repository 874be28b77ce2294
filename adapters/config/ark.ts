/**
 * The settings of the daemon of Ark wallets, and of each wallet.
 * @module
 */
import * as z from "zod";
import * as guardian from "../../core/ark/guardian.ts";
import { defaults as policy } from "../../core/ark/policy.ts";
import * as supervisor from "../../core/ark/supervisor.ts";
import { type Address, parseAddress } from "../address.ts";
import { secretForm } from "../secretfile.ts";
import {
  described, flag, list, meta, parsed, seconds, type Setting, tables, text, whole,
} from "./setting.ts";
import { addressForm } from "./values.ts";

const { expiry, refresh, shepherd } = guardian.defaults;
const { defaults: program } = supervisor;
const httpInitial = "127.0.0.1:9107";

const http: Setting<Address> = described(
  z.string().transform((value, context) => parsed(parseAddress(value), context))
    .prefault(httpInitial),
  meta({
    doc: "Where the status page, /status, /plan, /metrics and /readyz are. Keep it private.",
  }, addressForm, httpInitial),
);

const url = /^https?:\/\/[^\s/@]+(\/[^\s]*)?$/;
const secret = /^[^\0]{1,4096}$/;

/** What the file says of one wallet. */
export const wallet = {
  name: text(/^[A-Za-z0-9._-]{1,40}$/, "1 to 40 letters, digits, '.', '_' and '-'", "", {
    doc: "What it is called in notices, on the page and in the journal. Keep it for good.",
  }),
  url: text(url, "http://HOST:PORT", "", {
    doc: "Its barkd's REST address. On this machine, or reached through tor.socks.",
  }),
  token_file: text(secret, secretForm, "", {
    doc: "What holds barkd's bearer token; read again when it is refused.",
  }),
  server: text(/^(|https?:\/\/[^\s/@]+\/?)$/, '"" (unknown) or http://HOST:PORT', "", {
    doc: "The Ark server's gRPC address, for its round events. Wallets of one are spread.",
  }),
  runs_itself: flag(false, {
    doc: "This barkd runs a daemon of its own: it is watched and guarded, and not driven.",
  }),
  run: list(/^[^\0]{1,4096}$/, "a program by its path or name", 64, {
    doc: "Run by Dogwatch, with these arguments, and kept running; empty: somebody else does.",
  }),
  leave_running: flag(program.isLeft, {
    doc: "At the end that program is left running, and found again at the next start.",
  }),
  refresh: flag(refresh.isOn, { doc: "Have VTXOs refreshed before they expire." }),
  auto_exit: flag(shepherd.autoExit, {
    doc: "Begin exits of what cannot be refreshed in time. They cost fees and are for good.",
  }),
  claim_to: text(/^(|[A-Za-z0-9]{14,100})$/, '"" (nowhere) or a Bitcoin address', "", {
    doc: "Where exits are claimed to, without asking; none: they are claimed by hand.",
  }),
} as const;

export const ark = z.strictObject({
  http,
  http_remote: flag(false, {
    doc: "Lets http be reached from other machines. It has no access control.",
  }),
  look_sec: seconds(1, 300, guardian.defaults.lookMs, {
    doc: "How often each wallet's coins, exits and height are looked at.",
  }),
  refresh_blocks: whole(1, 100_000, "blocks", expiry.refreshBlocks, {
    doc: "Blocks before its expiry from which a VTXO's refresh is due.",
  }),
  failing_blocks: whole(1, 10_000, "blocks", expiry.failingBlocks, {
    doc: "A refresh that is due for so many blocks counts as failing.",
  }),
  margin_blocks: whole(0, 10_000, "blocks", expiry.marginBlocks, {
    doc: "An exit is begun so many blocks before it would have to be.",
  }),
  per_level_blocks: whole(1, 144, "blocks", expiry.perLevelBlocks, {
    doc: "What each transaction of an exit may take to confirm.",
  }),
  remind_blocks: whole(1, 10_000, "blocks", expiry.remindBlocks, {
    doc: "What needs somebody is told again after so many blocks.",
  }),
  fast_block_sec: seconds(0.1, 3_600, expiry.fastMs, {
    doc: "While the chain source is silent, a block is counted this often.",
  }),
  patience_sec: seconds(1, 86_400, refresh.patienceMs, {
    doc: "What the server took for refresh comes to something within this, or is asked anew.",
  }),
  exit_min_sat: whole(0, 2_100_000_000_000_000, "satoshis", Number(shepherd.exitMinSat), {
    doc: "What is worth less leaves by hand only.",
  }),
  stop_sec: seconds(0.1, 600, policy.stopping.stopMs, {
    doc: "At the end, calls that must not be cut are waited for so long.",
  }),
  term_sec: seconds(0.1, 600, program.termMs, {
    doc: "A program that is run here is killed so long after it was asked to end.",
  }),
  drain_sec: seconds(0.2, 660, 45_000, { doc: "From SIGTERM or SIGINT to the end." }),
  wallet: tables(wallet, "tables [[ark.wallet]], one for each wallet, up to 1000", 1_000, {
    doc: "The wallets that are looked after.",
  }),
});
