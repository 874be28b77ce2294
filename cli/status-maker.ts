/**
 * The snapshot of a maker as text for people: what is wrong first.
 *
 * Rule 1: a snapshot may come from a program that is not ours: its texts are made safe to print.
 * @module
 */
import { cleanText } from "../adapters/log.ts";
import type { DirectoryStatus, OfferStatus, Status } from "../core/maker/status.ts";
import { counted, onion, type Row, size, span, under, wrong } from "./status-text.ts";

/** What the daemons that send notices say of them. */
export type NoticesStatus = {
  readonly targets: Status["notices"]["targets"]; readonly counts: { readonly sent: number };
};

/** Everything worth reading, a line for each matter. */
export function makerText(s: Status): string {
  const isStopping = s.phase === "draining" || s.phase === "stopped";
  const at = `${cleanText(s.nick)} on ${cleanText(s.network)}`;
  const rows: readonly Row[] = [
    ["maker", `${at}${isStopping ? ", stopping" : ""}`],
    ["location", cleanText(s.location)],
    ["up", span(s.uptimeMs)],
    ...under("wrong", s.degraded.flatMap(wrong)),
    ["directories", `${s.directories.up} of ${s.directories.total} up`],
    ...s.directories.all.map((one): Row => ["", directory(one)]),
    ...under("onion", onion(s.onion)),
    ...under("offers", offers(s.offers)),
    ...under("wallet", wallet(s)),
    ["pending", `${s.pending.watched} watched, ${s.pending.givenUp} given up and still watched`],
    ["journal", journal(s)],
    ...under("notices", notices(s.notices)),
    ["takers", `${counted(s.counts.orderbooks, "order book request")}, ` +
      `${s.counts.orderbooksAnswered} answered, ${counted(s.counts.fills, "fill request")}`],
    ["", counted(s.inbound.open, "direct connection")],
    ["limits", `${s.guard.orderbook.violations + s.guard.direct.violations} violations, ` +
      `${s.guard.orderbook.banned + s.guard.direct.banned} banned`],
  ];
  return rows.map(([name, text]) => `${name.padEnd(12)} ${text}\n`).join("");
}

function directory(d: DirectoryStatus): string {
  const words = [cleanText(d.phase)];
  if (d.sinceMs !== null) words.push(`${d.isUp ? "for" : "down for"} ${span(d.sinceMs)}`);
  if (!d.isUp && d.failures > 0) words.push(counted(d.failures, "failure"));
  if (d.phase === "waiting" && d.dueMs !== null) words.push(`next try in ${span(d.dueMs)}`);
  return `${cleanText(d.directory)} ${words.join(", ")}`;
}

function offers({ public: all, why, heldMs }: Status["offers"]): readonly string[] {
  const lines = all.length === 0 ? [`none: ${cleanText(why ?? "unknown")}`] : all.map(offer);
  return heldMs === null ? lines : [...lines, `a change is announced within ${span(heldMs)}`];
}

function offer({ oid, kind, cjfee, minsizeSat, maxsizeSat, txfeeSat }: OfferStatus): string {
  const miners = txfeeSat === "0" ? "" : `, ${txfeeSat} sat towards the miners`;
  const fee = `${cleanText(kind)} ${cleanText(cjfee)}`;
  return `${oid}: ${fee}, ${minsizeSat} to ${maxsizeSat} sat${miners}`;
}

function wallet({ wallet: w, tip, rescan }: Status): readonly string[] {
  if (w.state === "none") return ["none is configured"];
  const height = tip.height === null ? "no block known" : `block ${tip.height}`;
  const heard = tip.heardMs === null ? "" : `, heard of ${span(tip.heardMs)} ago`;
  const stale = tip.stale === null ? "" : `, stale (${cleanText(tip.stale)})`;
  const far = rescan.permille === null ? "" : `, ${Math.floor(rescan.permille / 10)} % searched`;
  const failed = rescan.failures === 0 ? "" : `, ${counted(rescan.failures, "failure")}`;
  const lines = [
    `node ${cleanText(w.state)} for ${span(w.sinceMs)}, ${height}${heard}${stale}`,
    `${cleanText(rescan.phase)}${far}${failed}`,
  ];
  if (w.viewAgeMs === null) return [...lines, "coins not looked at yet"];
  const age = w.isReliable ? "" : ", too old to offer on";
  const seen = `${counted(w.coins, "coin")} in all, seen ${span(w.viewAgeMs)} ago${age}`;
  return [
    ...lines, `${w.spendableSat} sat spendable, ${seen}`,
    ...w.balances.filter(({ coins }) => coins > 0).map(({ mixdepth, totalSat, coins }) =>
      `mixdepth ${mixdepth}: ${totalSat} sat in ${counted(coins, "coin")}`),
  ];
}

function journal({ journal: j, history }: Status): string {
  const state = j.failingMs === null ? (j.isReady ? "well" : "not ready")
    : `failing for ${span(j.failingMs)}`;
  return `${state}, ${counted(j.records, "record")}, ${size(j.bytes)}, ` +
    `${counted(history.rows, "row")} of history`;
}

/** Whom notices go to, and how that goes. */
export function notices({ targets, counts }: NoticesStatus): readonly string[] {
  if (targets.length === 0) return ["no target is configured"];
  const lines = targets.map(({ to, waiting, failures, why }) => {
    const state = failures === 0 ? "well" : `${counted(failures, "failure")}: ${cleanText(why)}`;
    return `${cleanText(to)}: ${state}, ${waiting} waiting`;
  });
  return [...lines, `${counts.sent} sent`];
}
