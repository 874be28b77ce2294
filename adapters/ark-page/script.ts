/**
 * The script of the status page of Ark wallets: fills the document. `page/frame.ts` polls, and
 * `page/draw.ts` has what pages share.
 * @module
 */
import { draw } from "../page/draw.ts";

/** Inlined as it is: its hash stands in the page's policy. */
export const script = draw + String.raw`
// Of wallets with the same trouble so many are named.
const namesMax = 6;

// The plan is asked for so often, and not at all where it would be large.
const planMs = 10000;
const planWalletsMax = 40;
// Of each wallet's plan so many rows are shown: those that expire first.
const rowsMax = 6;

// So many wallets are shown in whole; those about which something is wrong come first.
const wholeMax = 8;

// What each state is called, and what a person can do about it.
const known = {
  "starting": ["It starts", ""],
  "draining": ["It stops", ""],
  "journal-unread": ["The journal is not read yet", ""],
  "journal-broken": ["The journal cannot be read",
    "Mend or restore ark.journal, then restart."],
  "disk-failing": ["Records are not safe", "Free some space or mend the disk."],
  "disk-slow": ["The disk is slow", "See what else keeps it busy."],
  "no-wallets": ["No wallet is configured", "Write an [[ark.wallet]], then restart."],
  "notices-failing": ["Notices do not arrive",
    "Check address and token of the target under [notify]."],
  "program-crashing": ["The wallet's program keeps ending",
    "See its last words in the log, and try ark.wallet run by hand."],
  "program-down": ["The wallet's program is not reached",
    "See that barkd runs, and that its token is in the file: dogwatch doctor tries both."],
  "other-wallet": ["Another wallet answers",
    "See which barkd runs there. If it is the right one: dogwatch ark trust, and its name."],
  "other-network": ["The wallet is of another network",
    "Mend network in the configuration, or the url of this wallet, then restart."],
  "server-key": ["The Ark server has another key",
    "Ask its operator why. If it is right: dogwatch ark trust, and the wallet's name. " +
    "If not, leave for the chain."],
  "server-down": ["The Ark server is not reached",
    "See whether it is down for others too. Coins are safe until they expire."],
  "chain-down": ["The wallet's chain source fails",
    "See the node or the server that this barkd asks."],
  "unseen": ["The coins were not seen for long", "See what barkd says in its log."],
  "no-height": ["No block height is known",
    "See the node or the server that this barkd asks: nobody knows what expires when."],
  "expired": ["VTXOs have expired", "See dogwatch ark plan: an exit may still save them."],
  "exit-needed": ["An exit is needed", "See dogwatch ark plan for what is in the way."],
  "refresh-failing": ["Refreshing fails",
    "See dogwatch ark plan, and what the Ark server's operator says."],
  "mailbox-stuck": ["The mailbox does not move", "See what barkd says in its log."],
  "lane-stuck": ["A call does not end", "See what barkd says in its log; restart it at last."],
  "lane-behind": ["Work is behind", ""],
};

const plural = (count, noun) => show(count) + " " + noun + (count === 1 ? "" : "s");

function coinsOf(wallet) {
  return wallet.balance === null ? "not known yet" : sat(wallet.balance.spendableSat);
}

// Wallets of one server have its troubles together: what is the same is said once.
function together(wallets) {
  const groups = new Map();
  for (const wallet of wallets) {
    for (const one of wallet.degraded) {
      const key = JSON.stringify([one.name, one.why, one.does]);
      const group = groups.get(key) || { one, names: [] };
      group.names.push(wallet.name);
      if (one.sinceMs !== null && (group.one.sinceMs === null || one.sinceMs > group.one.sinceMs)) {
        group.one = one;
      }
      groups.set(key, group);
    }
  }
  return [...groups.values()].map(({ one, names }) => trouble(one, ownersOf(names) + ": "));
}

function ownersOf(names) {
  const more = names.length - namesMax;
  return names.slice(0, namesMax).join(", ") + (more > 0 ? " and " + show(more) + " more" : "");
}

function expiryOf({ nextExpiry }) {
  if (nextExpiry === null) return ["", "nothing expires"];
  const kind = { fine: "", due: "wait", failing: "bad" }[nextExpiry.stage] ?? "bad";
  const due = nextExpiry.stage === "fine" ? "" : " (" + nextExpiry.stage + ")";
  if (nextExpiry.blocksLeft === null) return ["wait", "at block " + show(nextExpiry.height)];
  if (nextExpiry.blocksLeft === 0) return ["bad", "expired"];
  const left = nextExpiry.leftMs === null ? "" : ", at least " + span(nextExpiry.leftMs);
  return [kind, plural(nextExpiry.blocksLeft, "block") + left + due];
}

function exitsOf({ exits }) {
  if (exits.length === 0) return "none";
  return exits.map(({ state, count }) => show(count) + " " + state).join(", ");
}

function standing(wallet) {
  const count = wallet.degraded.length;
  if (count === 0) return ["good", "well"];
  return ["bad", count === 1 ? wallet.degraded[0].name : count + " things"];
}

function row(wallet) {
  const [kind, word] = standing(wallet);
  const [how, next] = expiryOf(wallet);
  return ["tr", {}, ["th", { scope: "row" }, wallet.name],
    cell(1, ["span", { class: "mark " + kind }, word]),
    cell(2, ["span", { class: "mark " + (how === "" ? "plainly" : how) }, next]),
    cell(3, coinsOf(wallet)), cell(4, exitsOf(wallet)), cell(5, ago(wallet.seenMs))];
}

const head = ["wallet", "state", "next expiry", "spendable", "exits", "seen"];

// On a narrow page each cell bears the name of its column.
const cell = (at, what) => ["td", { "data-of": head[at] }, what];

function wallets(all) {
  fill("wallets", all.length === 0 ? [["p", {}, "None is configured."]] : [["table", {},
    ["thead", {}, ["tr", {}, ...head.map((name) => ["th", { scope: "col" }, name])]],
    ["tbody", {}, ...all.map(row)]]]);
}

const amounts = [["spendableSat", "spendable"], ["inRoundSat", "in rounds"],
  ["boardSat", "boarding"], ["exitSat", "leaving"], ["lightningSendSat", "being sent"],
  ["lightningReceiveSat", "being received"]];

function held({ balance, vtxos, stages }) {
  const sums = balance === null ? [["spendable", "not known yet"]] : amounts
    .filter(([key]) => key === "spendableSat" || balance[key] !== "0")
    .map(([key, name]) => [name, balance[key] === null ? "not known now" : sat(balance[key])]);
  const late = stages.filter((one) => one.vtxos > 0 && one.stage !== "fine")
    .map((one) => [one.stage, plural(one.vtxos, "VTXO") + ", " + sat(one.amountSat)]);
  return [...sums, ["VTXOs", show(vtxos)], ...late];
}

function heightOf(tip) {
  if (tip.height === null) return "not known";
  return (tip.isEstimate ? "about " : "") + show(tip.height) +
    (tip.saidMs === null ? "" : ", said " + ago(tip.saidMs));
}

// What is reached is one line; what is not has one of its own.
function factsOf(facts) {
  const up = facts.filter((one) => one.state === "up");
  const oldest = Math.max(...up.map((one) => one.ageMs ?? 0));
  const names = up.map((one) => ways[one.of] || one.of).join(", ");
  return [...facts.filter((one) => one.state !== "up").map(factOf),
    ...(up.length === 0 ? [] : [["li", { class: "row" }, ["span", { class: "mark good" }, "up"],
      ["span", {}, names],
      ["span", { class: "soft" }, "heard of within " + span(oldest + 1000)]]])];
}

const ways = { program: "its program", server: "the Ark server", rounds: "the stream of rounds",
  mailbox: "the mailbox", chain: "its chain source" };

// What evidence is called where it is not a plain word.
const reasons = { "none": "not heard of yet", "aged": "not heard of for too long",
  "server-down": "the wallet does not reach it", "stream-ended": "its stream ended",
  "auth": "the token is refused", "unreachable": "nobody answers", "timeout": "no answer in time",
  "probe-failed": "it did not answer the probe", "server-key": "it has another key",
  "no-wallet": "the program has no wallet", "chain": "it fails" };

function factOf(one) {
  const kind = { up: "good", down: "bad" }[one.state] ?? "wait";
  const old = one.ageMs === null ? "" : ", asked " + ago(one.ageMs);
  const why = (reasons[one.evidence] || one.evidence) + ", for " + span(one.sinceMs) + old;
  return ["li", { class: "row" }, ["span", { class: "mark " + kind }, one.state],
    ["span", {}, ways[one.of] || one.of], ["span", { class: "soft" }, why]];
}

const lanes = { startup: "start", probe: "server asked", rounds: "rounds followed",
  mailbox: "mailbox read", sync: "wallet synced", exits: "exits moved on",
  look: "coins looked at", refresh: "refresh asked for", exit: "exit begun", claim: "claimed",
  news: "news waited for", books: "balance read" };

function laneOf(one) {
  const failed = one.failures === 0 ? "" : plural(one.failures, "failure") + ": " + one.why;
  const runs = one.running === null ? "" : one.running.op + " for " + span(one.running.ranMs) +
    (one.running.isOverdue ? ", overdue" : "");
  return ["tr", {}, ["th", { scope: "row", title: one.lane }, lanes[one.lane] || one.lane],
    ["td", {}, ago(one.okMs)], ["td", {}, failed === "" ? "\u2013" : failed], ["td", {}, runs]];
}

// A lane that never had anything to do is no trouble.
const isUsed = (one) => one.okMs !== null || one.failures > 0 || one.running !== null;

function lanesOf(all) {
  const idle = all.filter((one) => !isUsed(one)).map((one) => lanes[one.lane] || one.lane);
  return [["h3", {}, "What is done"], ["table", {},
    ["thead", {}, ["tr", {}, ...["work", "last success", "failing", "running"]
      .map((name) => ["th", { scope: "col" }, name])]],
    ["tbody", {}, ...all.filter(isUsed).map(laneOf)]],
    ...(idle.length === 0 ? []
      : [["p", { class: "soft" }, "Not once yet: " + idle.join(", ") + "."]])];
}

// What is planned for each VTXO, as it was said last.
let plans = new Map();
let plannedAt = 0;

async function planned(total) {
  if (total > planWalletsMax || Date.now() - plannedAt < planMs) return;
  plannedAt = Date.now();
  try {
    const { wallets } = await ask("/plan");
    plans = new Map(wallets.map((one) => [one.wallet, one]));
  } catch {
    // The status says that nobody answers.
  }
}

function nextOf({ next, nextHeight, nextMs, blocked, exitBlocked, intent }) {
  const words = (text) => text.replaceAll("-", " ");
  const when = intent !== null ? ", under way" : nextMs === 0 ? " now"
    : nextMs !== null ? " in " + span(nextMs) : "";
  const at = nextHeight === null ? "" : " at block " + show(nextHeight);
  return words(next) + at + when + (blocked === null ? "" : "; in the way: " + words(blocked)) +
    (exitBlocked === null ? "" : "; no exit: " + words(exitBlocked));
}

function planOf(name) {
  const plan = plans.get(name);
  if (plan === undefined || plan.rows.length === 0) return [];
  const more = plan.rows.length + plan.more - rowsMax;
  return [["h3", {}, "What is planned"], ["table", { class: "plan" },
    ["thead", {}, ["tr", {}, ...["VTXO", "amount", "expires", "next"]
      .map((one) => ["th", { scope: "col" }, one])]],
    ["tbody", {}, ...plan.rows.slice(0, rowsMax).map((row) => ["tr", {},
      ["th", { scope: "row", title: row.vtxo }, row.vtxo.slice(0, 8) + "\u2026"],
      ["td", {}, sat(row.amountSat)],
      ["td", {}, row.blocksLeft === null ? "at block " + show(row.expiryHeight)
        : "in " + plural(row.blocksLeft, "block")],
      ["td", {}, nextOf(row)]])]],
    ...(more > 0 ? [["p", { class: "soft" }, "Later: " + plural(more, "more VTXO") +
      ". All of them: dogwatch ark plan " + name]] : [])];
}

function definitions(pairs) {
  return ["dl", { class: "cards" }, ...pairs.map(([name, value]) =>
    ["div", {}, ["dt", {}, name],
      ["dd", typeof value === "string" ? { class: "text" } : {}, show(value)]])];
}

function programOf({ program }) {
  if (program === null) return [];
  const is = program.pid === null ? program.phase === "foreign" ? "run by somebody else"
    : program.phase : "process " + program.pid + ", up " + span(program.upMs);
  const last = program.lastExit === null ? [] : [["its last end", program.lastExit.how + ", " +
    ago(program.lastExit.agoMs)]];
  return [["program", is], ["program restarts", program.restarts], ...last];
}

function whole(wallet) {
  const fee = wallet.fee === null ? [] : [["exits of " + plural(wallet.fee.count, "VTXO") +
    " can be paid", wallet.fee.isFundable ? "yes" : "no: " + sat(wallet.fee.feeSat)]];
  const open = wallet.intents.map(({ id, aim, phase, vtxos }) =>
    ["li", {}, aim + " of " + plural(vtxos, "VTXO") + ": " + phase + " (intent " + id + ")"]);
  return ["section", { class: "wide" }, ["h2", {}, "Wallet " + wallet.name],
    definitions([...programOf(wallet), ...held(wallet), ["height", heightOf(wallet.tip)],
      ["next expiry", expiryOf(wallet)[1]], ["exits", exitsOf(wallet)], ...fee,
      ["refreshes and exits done", show(wallet.outcomes.success)],
      ["rejected", show(wallet.outcomes.rejected)]]),
    ...(open.length === 0 ? [] : [["h3", {}, "Asked for, and not done yet"],
      ["ul", { class: "plain" }, ...open]]),
    ...planOf(wallet.name),
    ["h3", {}, "What is reached"], ["ul", { class: "plain" }, ...factsOf(wallet.facts)],
    ...lanesOf(wallet.lanes)];
}

function badge(status, count) {
  const isStopping = status.phase === "draining" || status.phase === "stopped";
  if (isStopping) state("stopping", "wait");
  else if (count === 0) state("ready", "good");
  else state(count === 1 ? "1 thing is wrong" : count + " things are wrong", "bad");
  document.title = (isStopping || count === 0 ? "" : "(" + count + ") ") + status.up + "/" +
    status.total + " \u2013 Dogwatch Ark";
}

function draw(status) {
  const sorted = [...status.wallets.filter((one) => one.degraded.length > 0),
    ...status.wallets.filter((one) => one.degraded.length === 0)];
  const wrong = [...status.degraded.map((one) => trouble(one, "")), ...together(sorted)];
  planned(status.total);
  put("who", plural(status.total, "wallet") + ", " + status.up + " well, up " +
    span(status.uptimeMs));
  badge(status, wrong.length);
  troubles(wrong);
  wallets(sorted);
  fill("whole", sorted.slice(0, wholeMax).map(whole));
  put("more", sorted.length > wholeMax
    ? plural(sorted.length - wholeMax, "other wallet") + " in the table only." : "");
  const { journal, counts, underWay } = status;
  cards("disk", [
    ["state", journal.failingMs === null ? journal.isReady ? "well" : journal.phase
      : "failing for " + span(journal.failingMs)],
    ["records", journal.records], ["size", bytes(journal.bytes)],
    ...(journal.waiting === 0 ? [] : [["waiting to be written", journal.waiting]]),
  ]);
  put("disk-why", journal.why === null ? "" : "Trouble: " + journal.why + ".");
  notices(status.notices);
  cards("calls", [
    ["made", counts.calls], ["without an answer", counts.callsFailed],
    ["rejected", counts.callsRejected], ["under way", underWay.calls],
    ["waiting for their turn", underWay.held], ["streams of rounds", underWay.streams],
  ]);
  answeredAt = Date.now();
  fresh(true);
}

function lost() {
  document.title = "(!) Dogwatch Ark";
  fresh(false);
}
`;
