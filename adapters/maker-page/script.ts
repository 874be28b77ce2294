/**
 * The script of the maker's status page: fills the document. `page/frame.ts` polls, and
 * `page/draw.ts` has what pages share.
 * @module
 */
import { draw } from "../page/draw.ts";

/** Inlined as it is: its hash stands in the page's policy. */
export const script = draw + String.raw`
const reasonsMax = 12;

// What each state is called, and what a person can do about it.
const known = {
  "starting": ["It starts", ""],
  "draining": ["It stops", ""],
  "journal-unread": ["The journal is not read yet", ""],
  "journal-broken": ["The journal cannot be read",
    "Run dogwatch history verify, mend or restore the file, then restart."],
  "disk-failing": ["Records are not safe", "Free some space or mend the disk."],
  "disk-slow": ["The disk is slow", "See what else keeps it busy."],
  "no-directory": ["No directory is up",
    "Run dogwatch doctor: it visits each and says what it sees."],
  "onion-down": ["The own onion is not served",
    "See that Tor runs and that its control port lets us in: dogwatch doctor tries it."],
  "onion-unreachable": ["The own onion is not reached from outside",
    "See Tor's own log, and the clock of this machine."],
  "no-backend": ["No wallet is watched", "Set bitcoind.url and maker.descriptors, then restart."],
  "backend-down": ["Bitcoin Core does not answer",
    "See that it runs. dogwatch doctor says what it sees of it."],
  "coins-aged": ["The coins were not seen for long",
    "See that Bitcoin Core is well. dogwatch doctor says what it sees of it."],
  "not-announcing": ["Nothing is offered", ""],
  "notices-failing": ["Notices do not arrive",
    "Check address and token of the target under [notify]."],
};

const shaking = ["greeting", "challenged", "signing", "proved"];

function standing(one) {
  if (one.isUp) return ["good", "up", "for " + span(one.sinceMs)];
  const tries = one.failures === 0 ? "" : ", " + number.format(one.failures) + " failures";
  const down = one.sinceMs === null ? "" : "down for " + span(one.sinceMs) + ", ";
  if (one.phase === "waiting") {
    return ["bad", "waiting", down + "next try in " + span(one.dueMs) + tries];
  }
  if (one.phase === "dialing") {
    return ["wait", "dialling", down + "given up in " + span(one.dueMs) + tries];
  }
  if (shaking.includes(one.phase)) return ["wait", "handshake", down + "nearly there" + tries];
  return ["wait", one.phase, down + "no try under way" + tries];
}

function directories(all) {
  // Who is down comes first: of many only those need looking at.
  const sorted = [...all.filter((one) => !one.isUp), ...all.filter((one) => one.isUp)];
  fill("directories", all.length === 0 ? [["li", {}, "None is configured."]] : sorted.map((one) => {
    const [kind, word, more] = standing(one);
    const bad = one.malformed === 0 ? "" : ", " + number.format(one.malformed) + " malformed lines";
    return ["li", { class: "row" }, ["span", { class: "mark " + kind }, word],
      ["span", {}, one.directory], ["span", { class: "soft" }, more + bad]];
  }));
}

const kinds = {
  sw0reloffer: "relative", sw0absoffer: "absolute",
  tr0reloffer: "relative, taproot", tr0absoffer: "absolute, taproot",
};

const part = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });

function feeOf(offer) {
  if (offer.kind.includes("abs")) return sat(offer.cjfee);
  return part.format(Number(offer.cjfee) * 100) + " %";
}

function offers(told) {
  const held = told.heldMs === null ? []
    : [["p", { class: "soft" }, "A change is announced within " + span(told.heldMs) + "."]];
  if (told.public.length === 0) {
    return fill("offers", [["p", {}, "Nothing is offered: " + told.why + "."], ...held]);
  }
  fill("offers", [...told.public.map((one) => ["div", { class: "offer" },
    ["p", {}, ["span", { class: "fee" }, feeOf(one)], " " + (kinds[one.kind] || one.kind)],
    ["p", { class: "soft" }, sat(one.minsizeSat) + " to " + sat(one.maxsizeSat) +
      (one.txfeeSat === "0" ? "" : ", " + sat(one.txfeeSat) + " towards the miners") +
      ", oid " + one.oid]]), ...held]);
}

const parts = ["spendable", "unconfirmed", "locked"];

function bar(balance, most) {
  const label = parts.map((part) => sat(balance[part + "Sat"]) + " " + part).join(", ");
  let at = 0;
  const rects = parts.flatMap((part) => {
    const width = Number(BigInt(balance[part + "Sat"]) * 10000n / most) / 100;
    const x = at;
    at += width;
    return width === 0 ? [] : [["rect", { class: part, x, y: 0, width, height: 10 }]];
  });
  return ["svg", { role: "img", "aria-label": label, viewBox: "0 0 100 10",
    preserveAspectRatio: "none" }, ["title", {}, label], ...rects];
}

function coins(wallet) {
  if (wallet.state === "none") return fill("coins", [["p", {}, "No wallet is configured."]]);
  if (wallet.viewAgeMs === null) return fill("coins", [["p", {}, "Not looked at yet."]]);
  const most = wallet.balances.reduce((max, { totalSat }) =>
    BigInt(totalSat) > max ? BigInt(totalSat) : max, 1n);
  const rows = wallet.balances.map((one) => ["tr", {},
    ["th", { scope: "row" }, String(one.mixdepth)], ["td", { class: "plot" }, bar(one, most)],
    ["td", {}, sat(one.totalSat)]]);
  const keys = parts.filter((part) => wallet.balances.some((one) => one[part + "Sat"] !== "0"))
    .flatMap((part) => [["span", { class: "key " + part }], ["span", {}, part]]);
  const sum = sat(wallet.spendableSat) + " spendable, " + show(wallet.coins) +
    (wallet.coins === 1 ? " coin" : " coins") + " in all";
  fill("coins", [["table", {}, ["tbody", {}, ...rows]], ["p", { class: "keys soft" }, ...keys],
    ["p", { class: "soft" }, sum + ", seen " + ago(wallet.viewAgeMs) +
      (wallet.isReliable ? "." : ": too old to offer on.")]]);
}

const looks = {
  idle: "idle", waiting: "waiting to look again", preparing: "preparing the wallet",
  searching: "searching old blocks", listing: "listing coins", watching: "a search is under way",
  closed: "not begun",
};

function node({ wallet, tip, rescan }) {
  const far = rescan.permille === null ? "" : ", " + Math.floor(rescan.permille / 10) + " %";
  cards("node", [
    ["state", wallet.state === "none" ? "not configured"
      : wallet.state + " for " + span(wallet.sinceMs)],
    ["block", tip.height], ["heard of it", ago(tip.heardMs)],
    ...(tip.stale === null ? [] : [["tip", tip.stale === "silent" ? "not heard of" : "old block"]]),
    ["wallet", (looks[rescan.phase] || rescan.phase) + far],
    ...(rescan.failures === 0 ? [] : [["failures in a row", rescan.failures]]),
  ]);
  put("node-why", wallet.trouble === null ? "" : "Trouble: " + wallet.trouble.why + ".");
}

function onion(told, isSomewhere) {
  if (told.state === "none") {
    put("onion-why", "");
    return cards("onion", [["state", isSomewhere ? "looked after elsewhere" : "not configured"]]);
  }
  const reach = told.isReachable === null ? "not tried yet"
    : told.isReachable ? "yes, " + ago(told.reachedMs) : "no, tried " + ago(told.visitedMs);
  cards("onion", [
    ["state", told.state + " for " + span(told.sinceMs)], ["reached by ourselves", reach],
    ["found by others since", told.uploadedMs === null ? "not yet" : span(told.uploadedMs)],
    ["visitors solve puzzles", told.isPow ? "yes" : "no"],
    ...(told.torVersion === null ? [] : [["Tor", told.torVersion]]),
    ...(told.torPercent === null || told.torPercent === 100 ? []
      : [["Tor starts", told.torPercent + " %"]]),
  ]);
  const why = told.why === null ? told.visitFailure : told.why;
  put("onion-why", why === null ? "" : "Trouble: " + why + ".");
}

function limits({ orderbook, direct, refusals }) {
  cards("limits", [
    ["banned by order book", orderbook.banned], ["banned connections", direct.banned],
    ["violations", orderbook.violations + direct.violations],
  ]);
  byReason("refusals", refusals, "Nothing was refused.");
}

function direct({ open, opened, identified, ended }) {
  cards("direct", [
    ["open", open], ["opened so far", opened], ["said who they are", identified],
  ]);
  byReason("ended", ended, "None has ended.");
}

/** The most frequent ones first. */
function byReason(id, counts, none) {
  const seen = Object.entries(counts).filter(([, count]) => count > 0);
  seen.sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  fill(id, seen.length === 0 ? [["tr", {}, ["td", { class: "none" }, none]]]
    : seen.slice(0, reasonsMax).map(([reason, count]) => ["tr", {},
      ["th", { scope: "row" }, reasons[reason] || reason], ["td", {}, show(count)]]));
}

const reasons = {
  early: "asked again too early", banned: "banned", directoryBudget: "too much by one directory",
  directBudget: "too much by direct connections", budget: "too much in all",
  lines: "too many lines", nickLines: "too many lines of one nick",
  "handshake-timeout": "said nothing in time", idle: "silent", flood: "too many lines",
  strikes: "too many bad lines", "not-a-handshake": "spoke before a handshake",
  "bad-handshake": "bad handshake", "line-too-long": "line too long",
  "second-identity": "a second nick", "nick-changed": "another nick than before",
  "outbox-full": "did not read", "slow-reader": "read too slowly", bye: "left",
  draining: "we are stopping", crowded: "too many connections",
  refused: "refused by limits", unread: "did not read our last words",
};

function badge(status, ready) {
  const count = status.degraded.length;
  const isStopping = status.phase === "draining" || status.phase === "stopped";
  if (isStopping) state("stopping", "wait");
  else if (ready.ready) state("ready", "good");
  else state(count === 1 ? "1 thing is wrong" : count + " things are wrong", "bad");
  document.title = (isStopping || ready.ready ? "" : "(" + count + ") ") + status.directories.up +
    "/" + status.directories.total + " \u2013 Dogwatch maker";
}

function draw(status, ready) {
  const isSomewhere = status.location !== "NOT-SERVING-ONION";
  const at = isSomewhere ? status.location : "no own address";
  put("who", status.nick + " on " + status.network + ", " + at + ", up " + span(status.uptimeMs));
  badge(status, ready);
  troubles(status.degraded.map((one) => trouble(one, "")));
  offers(status.offers);
  coins(status.wallet);
  put("h-directories", "Directories: " + status.directories.up + " of " +
    status.directories.total + " up");
  directories(status.directories.all);
  node(status);
  onion(status.onion, isSomewhere);
  cards("pending", [
    ["watched", status.pending.watched], ["given up, still watched", status.pending.givenUp],
    ["being asked about", status.pending.asking], ["not told yet", status.pending.untold],
  ]);
  const { journal, history } = status;
  cards("disk", [
    ["state", journal.failingMs === null ? journal.isReady ? "well" : journal.phase
      : "failing for " + span(journal.failingMs)],
    ["records", journal.records], ["size", bytes(journal.bytes)], ["history rows", history.rows],
    ...(journal.waiting === 0 ? [] : [["waiting to be written", journal.waiting]]),
  ]);
  put("disk-why", journal.why === null ? "" : "Trouble: " + journal.why + ".");
  notices(status.notices);
  const { counts, inbound } = status;
  cards("takers", [
    ["order book requests", counts.orderbooks], ["answered", counts.orderbooksAnswered],
    ["announcements", counts.announced], ["fill requests", counts.fills],
  ]);
  limits(status.guard);
  direct(inbound);
  answeredAt = Date.now();
  fresh(true);
}

function lost() {
  document.title = "(!) Dogwatch maker";
  fresh(false);
}
`;
