/**
 * What the simulator's rules mean: invariants, liveness bounds and goals, for people.
 *
 * Rule 1: words only; what is checked is in `sim/`. A rule that has no check is not listed.
 * @module
 */
import type { Row } from "./rule-rows.ts";
import { arkRows } from "./rules-ark.ts";

export type Rule = {
  readonly id: string;
  /** In a few words. */
  readonly name: string;
  /** What must hold. */
  readonly says: string;
  /** Why it matters. */
  readonly why: string;
  /** What to look at first: where a false alarm would come from. */
  readonly doubt: string;
  /** Faults that are most likely to break it. */
  readonly faults: string;
};

const model =
  "Compare with what the oracle believes: it may have missed an end, a drop or a limit.";
const makers =
  "Compare with the wire: the oracle reads what was sent and received, and no state.";
const makerBounds =
  "Check that the bound counts every wait: checks, answers, the timeout, the disk's retry.";
const bounds = "Check that the bound counts every wait: backoff, contest, sweep, pong, link delay.";

const rows: readonly Row[] = [
  ["D1", "one nick, one owner",
    "Each nick belongs to at most one live connection, and each registered connection shook hands.",
    "Two owners of a nick split a maker's traffic: half of its takers talk to a ghost.",
    model, "two connections of one nick, a reconnect while the old one still lives"],
  ["D2", "nothing of a stale connection acts",
    "Close, data, PONG or deadlines of an old connection never change what a newer one owns.",
    "A late FIN that unregisters a fresh connection makes a healthy maker vanish.",
    model, "late ends, half-open links, data from before a reconnect"],
  ["D3", "verified owners are displaced by their own key only",
    "Who proved a nick loses it to the same key only; without proof nobody displaces a live owner.",
    "Otherwise anybody can take a maker's name and its takers.",
    "A squatter may hold an unproven nick for a while by design.", "squatters, twins, reconnects"],
  ["D4", "bounded peers, no leak",
    "Registered peers stay within peers_max; sockets, deadlines and queues follow the peers.",
    "A leak of one entry an hour ends a node after a year.", model, "crash storms, churn, crowds"],
  ["D5", "no false eviction",
    "Whose frame arrived within the idle span of monotonic time is not evicted by the heartbeat.",
    "An evicted healthy maker is offline for its whole reconnect delay.",
    "Frames in the system's buffer have not arrived yet; the oracle must count reads.",
    "slow links, clock jumps, long sweeps, pauses"],
  ["D6", "any frame after PING counts as life",
    "A peer that was heard between PING and its deadline is not evicted for a missing PONG.",
    "Busy peers answer late; evicting them punishes the useful ones.", model,
    "chatty peers, late PONG"],
  ["D7", "dead peers are found in time",
    "A dead peer that knows ping is gone within 690 s, a silent one that does not within 1,560 s.",
    "Ghosts in the peerlist cost every taker a connection timeout.", bounds, "half-open links"],
  ["D8", "the wall clock decides nothing",
    "Jumps of the wall clock cause no eviction and delay none.",
    "NTP steps and daylight saving must not empty a directory.", model, "clock jumps"],
  ["D9", "pending pongs belong to owners",
    "Who owes a PONG is a current owner, and the debt ends with the connection.",
    "A debt that outlives its connection evicts the next owner of the nick.", model,
    "crash while a sweep is under way"],
  ["D10", "private lines reach the owner of the nick, once",
    "A private line goes to the current owner on the same network, at most once, from its sender.",
    "A line for somebody else is a leak of privacy; a line twice is a replay.", model,
    "spoofed nicks, reconnect between accept and send"],
  ["D11", "public lines reach everybody else, in order, without gaps",
    "Each peer that was there gets each line once and in the sender's order, or is closed.",
    "A live peer with a silent gap works on a wrong order book.",
    "Lines to a peer that was closed with a reason are no gap.", "slow readers, partitions"],
  ["D12", "a stuck peer delays nobody",
    "Who never reads holds bounded bytes and delays no other peer beyond flush and link delay.",
    "One stuck reader must not stall a thousand.",
    "The simulated host charges time for work: a burst delays everybody a little.",
    "stalls, narrow links, small buffers"],
  ["D13", "one notice for each end",
    "Each ended registration is announced once; none is for a nick with a newer live connection.",
    "A false notice makes takers drop a maker that is there.", model,
    "displacement and late close"],
  ["D14", "the peerlist lists who is there",
    "Lists hold registered peers of that network only, with the offers of live connections.",
    "Takers dial what the list says.", model, "eviction while a list is sent in parts"],
  ["D15", "framing does not depend on segments",
    "However bytes are cut, the frames are the same; a bad one costs its own connection only.",
    "TCP keeps no borders between writes.", model, "chopped writes, garbage, split characters"],
  ["D16", "handshakes end in time",
    "A handshake succeeds or its socket is closed within 30 s; nothing before it has an effect.",
    "Sockets that never speak must not take the place of peers.", bounds, "drips, slow links"],
  ["X1", "a step is a function of state, event and time",
    "The same state, event and instant give the same effects and the same new state.",
    "Without it no run can be replayed.",
    "Something shared between the state and an effect or an event was changed.", "any"],
  ["X2", "every effect has a handler", "Effects are plain data that the host knows.",
    "An unknown effect would be dropped in silence.", "A new effect needs a handler in the world.",
    "any"],
  ["X3", "everything is bounded", "Every queue, map and table stays within its declared bound.",
    "What grows without bound ends a process.", model, "floods, crowds, stalls"],
  ["X4", "one wake, never in the past", "After a step the next deadline lies ahead.",
    "A deadline in the past is a busy loop; a forgotten one never comes.",
    "A deadline equal to now after a tick is a fault as well.", "clock drift, pauses"],
  ["X5", "no activity without progress", "Steps at one instant come to an end.",
    "A livelock is a node that is up and does nothing.",
    "Very large bursts at one instant may come near the bound.", "bursts"],
  ["X6", "no secret leaves", "No key, seed or cookie is in a trace, a log line or an error.",
    "Logs are copied, posted and kept.", "A peer's public key is no secret.", "any"],
  ["L1", "makers come back",
    "After the heal every core maker is registered at every core directory, and knows it.",
    "A maker that stays away earns nothing and is no use to takers.", bounds, "half-open links"],
  ["L2", "order books agree",
    "Every core taker sees the core makers' current offers: no ghosts, none missing.",
    "Takers plan with what they see.", bounds, "lost notices, lost announcements"],
  ["L3", "the dead are forgotten", "Nothing outside the core stays registered beyond its bound.",
    "Ghosts cost takers time.", bounds, "silent ends"],
  ["L4", "private lines come through",
    "After the heal a core taker reaches any core maker and gets the answer within 10 s.",
    "That is what a directory is for.", bounds, "congestion, stale routes"],
  ["L8", "the end is quiet",
    "Nothing grows during the last ten minutes, and no record waits for its disk.",
    "What still grows after the faults are over would grow for ever.", model, "floods"],
  ["L9", "stuck only with a reason", "What does not recover has a reason from a closed list.",
    "\"It hangs\" is no answer.", bounds, "any"],
  ["L5", "transactions are decided",
    "After the heal every transaction of a maker has the status that the chain implies.",
    "What stays open for ever costs its owner sleep.", makerBounds, "outages, reorganisations"],
  ["M1", "one connection to a directory",
    "A maker never dials a directory that it is dialling or connected to.",
    "Two connections of one nick throw each other out.", makers, "late dials, silent ends"],
  ["M2", "waits grow, and shrink after health only",
    "The wait before each dial lies within the law of backoff; lines that came on a connection " +
      "that had been up for long begin it anew, and nothing else does.",
    "Whoever dials without waiting takes a directory down that is just coming back.", makers,
    "directories that accept and close"],
  ["M3", "dials and handshakes end",
    "Each has a deadline of its own that nothing else puts off.",
    "A connection that is neither up nor down is not counted as either.", makers,
    "lost answers, slow links"],
  ["M4", "silence is noticed",
    "A silent directory is asked, once a minute at most, and left if it does not answer.",
    "A dead connection looks healthy for ever: the system has nothing to send.", makers,
    "half-open links"],
  ["M5", "no directory waits for another",
    "All are dialled at once, each again in its own time, and PING is answered at once.",
    "One directory that does not answer must not cost the others.", makers, "hanging dials"],
  ["M6", "offers are current, kept, and allowed",
    "Every directory was told the same offers once; coins that are known suffice for each; none " +
      "is public while records or the node fail; a request is answered once.",
    "A taker that is led into a void does not come back.",
    "The coins are those that the process knows; what it cannot know is judged by L2.",
    "outages, full disks, spent coins"],
  ["M7", "outages are told once",
    "There are no more notices that all directories are down, or back, than times that they were.",
    "An alarm that repeats is switched off.", makers, "flapping links"],
  ["M9", "nothing is given up that is there",
    "A transaction is given up after the whole timeout of definite absence, and while absent.",
    "Money that is written off by mistake is looked for in vain.",
    "Absence counts when a node that could know has answered.", "outages, clocks, restarts"],
  ["M10", "a status moves along its way",
    "Waiting, confirmed, settled or given up: each follows from the one before, and settled stays.",
    "Statistics and notices are made of these.", makers, "reorganisations, crashes"],
  ["M11", "no answer is not an answer",
    "A status changes only to what was true of the chain while it was asked.",
    "An outage is not a fact about money.",
    "What was true when the answer was given may have changed since.", "outages, wrong answers"],
  ["M12", "a notice comes once",
    "A confirmation has one letter for good, and no letter goes again to one who has taken it.",
    "Nobody reads what comes twice.",
    "A delivery that was not recorded before a crash may be repeated.", "crashes"],
  ["M13", "durable state survives crashes",
    "After a crash the journal holds the state before or after each record, never a third.",
    "A torn record must cost itself, not what was written before.",
    "What was never synced may be lost.", "crashes, torn and full disks"],
  ["M14", "a signed request counts once",
    "Who has signed a request gets one answer, whoever brings copies of it and however late.",
    "A line that was heard once could be used against its owner for ever.",
    "What an earlier process has heard is not known to the next one.", "false directories"],
  ["M15", "the own onion is what Tor says",
    "Directories hear of one address, for good, and only once its key is durable; while Tor does " +
      "not serve it that is a named state.",
    "An address that changes or that nobody serves costs takers without a word.",
    "What the process was not told yet it cannot know.", "Tor down, crashes, full disks"],
  ...arkRows,
  ["wire", "lines are well formed", "What a node writes is what its peers can read.",
    "One malformed line drops deployed clients.", "The reading side may be wrong as well.", "any"],
  ["crash", "no assertion breaks", "The core never finds itself to be wrong.",
    "An assertion that breaks ends the daemon.", "Read the assertion: it names what was believed.",
    "any"],
];

/** All rules, in the order of their ids' groups. */
export const rules: readonly Rule[] = rows.map(([id, name, says, why, doubt, faults]) => ({
  id, name, says, why, doubt, faults,
}));

/** The rule of that id, whatever its case. */
export function ruleOf(id: string): Rule | undefined {
  return rules.find((rule) => rule.id.toLowerCase() === id.toLowerCase());
}
