/**
 * The settings of a maker, of the node that it asks, of Tor, and of notices.
 * @module
 */
import * as z from "zod";
import * as bitcoinDefaults from "../../core/chain/bitcoind.ts";
import * as onion from "../../core/joinmarket/onion.ts";
import { defaults as d } from "../../core/maker/config.ts";
import { type Address, parseAddress } from "../address.ts";
import { primitives } from "../primitives.ts";
import { secretForm } from "../secretfile.ts";
import { described, flag, list, meta, oneOf, parsed, seconds, type Setting, text, whole }
  from "./setting.ts";
import { addressForm } from "./values.ts";

/** `host:port`: an onion, or this machine. */
const directoryForm = "HOST:PORT, a version 3 onion address or this machine";
const directoryPattern = /^([a-z2-7]{56}\.onion|localhost|127(\.[0-9]{1,3}){3}):[0-9]{1,5}$/;

/** What an offer looks like in the file. */
export const offerForm =
  '"relative FEE" or "absolute SATS" with options (docs/maker.md)';

const offerPattern = new RegExp("^(relative 0\\.[0-9]{1,20}|absolute [0-9]{1,9})" +
  "( minsize [0-9]{1,16}| txfee [0-9]{1,9}| spread [0-9]{1,3}| taproot)*$");
const secretPattern = /^[^\0]{0,4096}$/;

function address(initial: string, doc: string): Setting<Address> {
  const read = z.string().transform((value, context) => parsed(parseAddress(value), context));
  return described(read.prefault(initial), meta({ doc }, addressForm, initial));
}

function maybeAddress(doc: string): Setting<Address | undefined> {
  const read = z.string().transform((value, context) =>
    value === "" ? undefined : parsed(parseAddress(value), context));
  return described(read.prefault(""), meta({ doc }, `"" (unset) or ${addressForm}`, ""));
}

const location: Setting<string> = described(
  z.string().refine((value) => value === "" ||
    (onion.isLocation(value) && onion.parse(value, primitives.sha3).ok)).prefault(""),
  meta(
    { doc: "Own onion address, where takers reach this maker directly." },
    '"" (unset) or a version 3 address, <56 characters>.onion:PORT in lower case', "",
  ),
);

const link = d.pool.link;

export const maker = z.strictObject({
  http: address("127.0.0.1:9106",
    "Where the status page, /status, /metrics, /livez and /readyz are. Keep it private."),
  http_remote: flag(false, {
    doc: "Lets http be reached from other machines. It has no access control.",
  }),
  directories: list(directoryPattern, directoryForm, d.pool.directoriesMax, {
    doc: "Directory nodes to keep a connection to.", reload: true,
  }),
  directory_auth: oneOf(["prefer", "require", "disabled"] as const, "prefer", {
    doc: "Prove the nick's key to directories that ask: if they can, always, or never.",
  }),
  location,
  onion: flag(false, {
    doc: "Run an onion service for direct connections over tor.control; its key is kept.",
  }),
  listen: maybeAddress("Where direct connections of takers arrive; torrc's HiddenServicePort."),
  descriptors: list(/^[ -~]{1,400}$/, "an account descriptor without private keys", 40, {
    doc: "Accounts to watch, mixdepth by mixdepth: wpkh([fp/84h/0h/0h]xpub.../<0;1>/*).",
  }),
  birth_height: whole(0, 10_000_000, "blocks", 0, {
    doc: "Blocks below this height hold no coin of this wallet.",
  }),
  offers: list(offerPattern, offerForm, 16, {
    doc: "What is offered; none: relative 0.00002.", reload: true,
  }),
  offer_on_mainnet: flag(false, {
    doc: "Announce on mainnet although this version serves no coinjoins: for developers only.",
  }),
  reannounce_delay_sec: seconds(0, 86_400, d.offers.announceDelayMaxMs, {
    doc: "A change of balance is announced after a random wait up to this.", reload: true,
  }),
  backend_grace_sec: seconds(0, 86_400, d.offers.backendGraceMs, {
    doc: "How long the node may be down before offers are withdrawn.", reload: true,
  }),
  confirmations_min: whole(1, 1_000, "confirmations", d.coins.confirmationsMin, {
    doc: "A coin with fewer is not offered.",
  }),
  merge_mixdepth_zero: flag(d.coins.isZeroMerged, {
    doc: "Offer all coins of mixdepth 0 together, though deposits of different origin lie there.",
  }),
  rescan_interval_sec: seconds(60, 86_400, d.rescan.intervalMs, {
    doc: "How often the wallet is looked at when nothing happens.",
  }),
  pending_timeout_min: whole(10, 1_440, "minutes", d.pending.timeoutMs / 60_000, {
    doc: "A transaction that is absent for so long is given up, and still watched.",
  }),
  startup_timeout_sec: seconds(10, 3_600, d.pool.startupMs, {
    doc: "While no directory was reached, so long is waited before that is said.",
  }),
  dial_timeout_sec: seconds(1, 600, link.dialMs, {
    doc: "A connection to a directory that does not open within this is given up.",
  }),
  handshake_timeout_sec: seconds(1, 600, link.handshakeMs, {
    doc: "From the open connection to being let in.",
  }),
  idle_sec: seconds(1, 3_600, link.idleMs, {
    doc: "Silence after which a directory that knows PING is asked.",
  }),
  pong_sec: seconds(1, 600, link.pongMs, { doc: "How long its answer may take." }),
  reconnect_max_sec: seconds(5, 86_400, link.retry.maxMs, {
    doc: "The longest wait between two tries to reach a directory; waits double up to it.",
  }),
  retries_max: whole(0, 1_000_000, "tries", link.retriesMax, {
    doc: "After so many failures in a row a directory is tried hourly; 0: no limit.",
  }),
  summary_hours: whole(0, 168, "hours", d.reports.summaryHours, {
    doc: "A summary is sent this often; 0: never.", reload: true,
  }),
  drain_sec: seconds(0.1, 600, d.drainMs, { doc: "From SIGTERM or SIGINT to the end." }),
});

const b = bitcoinDefaults.defaults;

export const bitcoind = z.strictObject({
  url: text(/^(|https?:\/\/[^\s/@]+(\/[^\s]*)?)$/, '"" (none) or http://HOST:PORT', "", {
    doc: "Bitcoin Core's RPC. On this machine, or reached through tor.socks.",
  }),
  auth: text(secretPattern, `"" (none) or ${secretForm}`, "", {
    doc: "What holds user:password, such as the .cookie file; read again when it is refused.",
  }),
  wallet: text(/^[A-Za-z0-9._-]{1,64}$/, "letters, digits, '.', '_' and '-'", "dogwatch", {
    doc: "The watch-only wallet in the node; made if it is not there.",
  }),
  index_max: whole(0, 1_000_000, "addresses", b.indexMax, {
    doc: "The last address that is watched, of each branch of each account.",
  }),
  peers_min: whole(0, 100, "peers", b.peersMin, {
    doc: "With fewer peers the node is not believed about what it has not seen.",
  }),
});

export const esplora = z.strictObject({
  url: text(/^(|https?:\/\/[^\s@]+)$/, '"" (none) or http://HOST:PORT', "", {
    doc: "An Esplora server, asked instead of a node. It learns all addresses of the wallet.",
  }),
});

export const tor = z.strictObject({
  socks: maybeAddress("Tor's SocksPort. Everything that leaves this machine goes through it."),
  control: maybeAddress("Tor's ControlPort, for maker.onion and directory.onion."),
  control_password: text(secretPattern, `"" (a cookie is used) or ${secretForm}`, "", {
    doc: "What holds the control port's password.",
  }),
  control_cookie: text(secretPattern, '"" (where Tor says) or a path', "", {
    doc: "Where the control port's cookie is, if Tor lives in another file system.",
  }),
});

const url = /^(|https?:\/\/[^\s@]+)$/;
const urlForm = '"" (none) or an address beginning with http:// or https://';

export const notify = z.strictObject({
  updates: text(url, urlForm, "", {
    doc: "Where a GitHub API tells the latest release; asked once a day through Tor.",
  }),
  label: text(/^[^\n\r]{1,40}$/, "up to 40 characters", d.notify.label, {
    doc: "What titles begin with.",
  }),
  amounts: oneOf(["exact", "rounded", "off"] as const, d.notify.privacy.amounts, {
    doc: "How notices show amounts.", reload: true,
  }),
  nicks: flag(d.notify.privacy.nicks, { doc: "Show nicks in notices.", reload: true }),
  txids: flag(d.notify.privacy.txids, {
    doc: "Show transaction ids: they name our coins to whoever reads them.", reload: true,
  }),
  webhook: text(url, urlForm, "", { doc: "Notices are sent there as JSON." }),
  webhook_auth: text(secretPattern, `"" or ${secretForm}`, "", { doc: "Its bearer token." }),
  ntfy: text(url, urlForm, "", { doc: "An ntfy server." }),
  ntfy_topic: text(secretPattern, `"" or ${secretForm}`, "", {
    doc: "What holds the topic, which is a secret.",
  }),
  gotify: text(url, urlForm, "", { doc: "A Gotify server." }),
  gotify_token: text(secretPattern, `"" or ${secretForm}`, "", { doc: "Its application token." }),
  telegram_chat: text(/^(|-?[0-9]{1,20}|@[A-Za-z0-9_]{1,64})$/, '"" or a chat id', "", {
    doc: "The chat that a Telegram bot writes to.",
  }),
  telegram_token: text(secretPattern, `"" or ${secretForm}`, "", { doc: "The bot's token." }),
  exec: list(/^[^\0]{1,4096}$/, "a program and its arguments", 64, {
    doc: "A command that is run for each notice, such as apprise.",
  }),
});
