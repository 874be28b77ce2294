/**
 * The script of the status page: computes the trend, fills the document. `frame.ts` polls.
 * @module
 */

/** Inlined as it is: its hash stands in the page's policy. */
export const script = String.raw`
const samplesMax = 120;
let last;
const rates = [];

function element(name, text, className) {
  const node = document.createElement(name);
  node.textContent = text;
  if (className) node.className = className;
  return node;
}

function cards(id, pairs) {
  byId(id).replaceChildren(...pairs.map(([name, value]) => {
    const card = document.createElement("div");
    card.append(element("dt", name), element("dd", show(value)));
    return card;
  }));
}

function rows(id, counts, none) {
  const seen = Object.entries(counts || {}).filter(([, count]) => count > 0);
  seen.sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  const lines = seen.map(([reason, count]) => {
    const row = document.createElement("tr");
    const head = element("th", reason);
    head.scope = "row";
    row.append(head, element("td", show(count)));
    return row;
  });
  if (lines.length === 0) {
    const row = document.createElement("tr");
    row.append(element("td", none, "none"));
    lines.push(row);
  }
  byId(id).replaceChildren(...lines);
}

function list(id, texts) {
  byId(id).replaceChildren(...texts.map((text) => element("li", text)));
}

function duration(ms) {
  const seconds = Math.floor(ms / 1000);
  const two = (count) => String(count).padStart(2, "0");
  const minutes = Math.floor(seconds / 60) % 60;
  const clock = two(Math.floor(seconds / 3600) % 24) + ":" + two(minutes) + ":" + two(seconds % 60);
  return seconds < 86400 ? clock : Math.floor(seconds / 86400) + " d " + clock;
}

function ago(ms) {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return seconds + " s ago";
  if (seconds < 3600) return Math.floor(seconds / 60) + " min ago";
  if (seconds < 172800) return Math.floor(seconds / 3600) + " h ago";
  return Math.floor(seconds / 86400) + " d ago";
}

function trend(status) {
  const relayed = (status.totals.publicRelayed || 0) + (status.totals.privateRelayed || 0);
  const now = status.uptimeMs;
  // A node that restarted counts from zero again: the trend begins anew.
  if (last && now < last.now) { last = undefined; rates.length = 0; }
  if (last && now > last.now) rates.push((relayed - last.relayed) * 1000 / (now - last.now));
  if (rates.length > samplesMax) rates.shift();
  last = { now, relayed };
  if (rates.length === 0) return;
  const top = Math.max(1, ...rates);
  const points = rates.map((rate, index) =>
    (240 - (rates.length - 1 - index) * 2).toFixed(0) + "," + (46 - rate / top * 44).toFixed(1));
  byId("spark").firstElementChild.setAttribute("points", points.join(" "));
  const current = rates[rates.length - 1];
  put("rate", number.format(Math.round(current * 10) / 10));
  byId("spark").setAttribute("aria-label", "Messages per second over " + rates.length +
    " samples: now " + current.toFixed(1) + ", at most " + Math.max(...rates).toFixed(1));
}

function onion(told) {
  byId("service").hidden = told.state === "none";
  if (told.state === "none") return;
  const reach = told.isReachable === null ? "not tried yet"
    : told.isReachable ? "yes, " + ago(told.reachedMs) : "no, tried " + ago(told.visitedMs);
  cards("onion", [
    ["state", told.state + " for " + duration(told.sinceMs)], ["reached by ourselves", reach],
    ["found by others since", told.uploadedMs === null ? "not yet" : duration(told.uploadedMs)],
    ["visitors solve puzzles", told.isPow ? "yes" : "no"], ["Tor", told.torVersion],
  ]);
}

function draw(status, ready) {
  const { peers, totals, heartbeat, outbox } = status;
  const none = status.onion.state === "none" ? "no own address set" : "own address not known yet";
  const at = status.location || none;
  const up = ", up " + duration(status.uptimeMs);
  put("who", status.nick + " on " + status.network + ", " + at + up);
  document.title = peers.registered + " peers \u2013 Dogwatch directory";
  if (status.draining) state("draining", "wait");
  else state(ready.ready ? "ready" : "not ready", ready.ready ? "good" : "bad");
  const wrong = status.degraded.map((one) => "Dogwatch: " + one.does + ".");
  list("reasons", [...(ready.reasons || []).map(String), ...wrong]);
  cards("peers", [
    ["registered", show(peers.registered) + " of " + show(peers.max)], ["makers", peers.makers],
    ["takers", peers.takers], ["can PING", peers.pingCapable], ["proved nick", peers.verified],
    ["handshaking", peers.handshaking],
  ]);
  cards("messages", [
    ["public", totals.publicRelayed], ["private", totals.privateRelayed],
    ["lines received", totals.linesReceived],
  ]);
  cards("heartbeat", [
    ["state", heartbeat.running ? "running" : "stopped"],
    ["waiting for an answer", heartbeat.pending], ["pings", totals.heartbeatPings],
    ["probes", totals.heartbeatProbes], ["evictions", totals.heartbeatEvictions],
  ]);
  cards("outbox", [
    ["queued", bytes(outbox.queuedBytes)], ["bound", bytes(outbox.queuedBytesMax)],
    ["slow peers", outbox.congested],
  ]);
  // PINGs are routine: they would push everything else out. The heartbeat's card counts them.
  const notable = (status.recent || []).filter((event) => event.code !== "peer.pinged");
  const recent = notable.slice(-12).reverse();
  list("recent", recent.length === 0 ? ["Nothing has happened yet."] : recent.map((event) =>
    ago(event.agoMs) + ": " + (happened[event.code] || event.code)));
  rows("drops", status.drops, "Nothing was dropped.");
  rows("closes", status.closes, "No connection has ended.");
  rows("handshakes", status.handshakes, "Nobody has connected.");
  onion(status.onion);
  trend(status);
}

const happened = {
  "peer.registered": "a peer registered",
  "peer.probed": "a silent maker was sent !orderbook",
  "peer.evicted": "a silent peer was evicted",
  "peer.displaced": "a connection was displaced by one that proved the same nick",
  "peer.contest-lost": "a silent connection lost its nick to a newcomer",
};

// The badge says it; the last figures stay.
function lost() {}
`;
