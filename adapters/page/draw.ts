/**
 * The part of a page's script that fills the document, for daemons that say what is wrong with them
 * and send notices.
 *
 * A part is drawn again only when it says something else, so that text that somebody is selecting
 * stays where it is.
 * @module
 */

/** Stands before a page's own script, which has `known`: what each state is called. */
export const draw = String.raw`
let answeredAt;
const drawn = new Map();

// A description is a text, or [name, attributes, ...descriptions].
function build(description) {
  if (typeof description === "string") return document.createTextNode(description);
  const [name, attributes, ...children] = description;
  const isDrawing = name === "svg" || name === "rect" || name === "title";
  const node = isDrawing ? document.createElementNS("http://www.w3.org/2000/svg", name)
    : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, String(value));
  node.append(...children.map(build));
  return node;
}

function fill(id, descriptions) {
  const text = JSON.stringify(descriptions);
  if (drawn.get(id) === text) return;
  drawn.set(id, text);
  byId(id).replaceChildren(...descriptions.map(build));
}

function cards(id, pairs) {
  fill(id, pairs.map(([name, value]) =>
    ["div", {}, ["dt", {}, name],
      ["dd", typeof value === "string" ? { class: "text" } : {}, show(value)]]));
}

function sat(text) {
  return number.format(BigInt(text)) + " sat";
}

function span(ms) {
  if (ms === null || ms === undefined) return "unknown";
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return seconds + " s";
  if (seconds < 7200) return Math.floor(seconds / 60) + " min";
  return seconds < 172800 ? Math.floor(seconds / 3600) + " h" : Math.floor(seconds / 86400) + " d";
}

function ago(ms) {
  return ms === null ? "never" : span(ms) + " ago";
}

// One state that holds; owner: whose it is, if it is not the whole daemon's.
function trouble(one, owner) {
  const since = one.sinceMs === null ? "" : ", for " + span(one.sinceMs);
  const [called, mine] = known[one.name] || [one.name, ""];
  return ["li", {},
    ["p", {}, ["span", { class: "name" }, owner + called], ": " + one.why + since,
      ["span", { class: "soft" }, " (" + one.name + ")"]],
    ["p", { class: "soft" }, "Dogwatch: " + one.does + "."],
    ...(mine === "" ? [] : [["p", {}, "You: " + mine]])];
}

function troubles(items) {
  byId("trouble").hidden = items.length === 0;
  fill("degraded", items);
}

function notices({ targets, counts }) {
  fill("targets", targets.length === 0
    ? [["li", { class: "soft" }, "No target is configured: nobody is told."]]
    : targets.map((one) => {
      const more = (one.waiting === 0 ? "nothing waits" : show(one.waiting) + " waiting") +
        (one.failures === 0 ? "" : ", failed " + show(one.failures) + " times: " + one.why);
      const [kind, word] = one.failures === 0 ? ["good", "well"] : ["bad", "failing"];
      return ["li", { class: "row" }, ["span", { class: "mark " + kind }, word],
        ["span", {}, one.to], ["span", { class: "soft" }, more]];
    }));
  const lost = Object.values(counts.lost).reduce((sum, count) => sum + count, 0);
  cards("notices", targets.length === 0 ? [] : [
    ["sent", counts.sent], ["held back", counts.same + counts.suppressed], ["lost", lost],
  ]);
}

function fresh(isFresh) {
  document.body.className = isFresh ? "" : "old";
  put("age", isFresh || answeredAt === undefined ? ""
    : "Last answer " + ago(Date.now() - answeredAt) + ": what follows is old.");
}
`;
