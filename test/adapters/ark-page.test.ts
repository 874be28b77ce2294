/**
 * The status page of Ark wallets: self-contained, covered by its own policy, and its script run
 * against a stand-in for the browser with snapshots of real daemons.
 * @module
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { page as document } from "../../adapters/ark-page.ts";
import { processNames, walletNames } from "../../core/ark/degraded.ts";
import type { Plan } from "../../core/ark/plan.ts";
import type { Status, WalletStatus } from "../../core/ark/status.ts";
import { poor, well } from "../support/ark-status.ts";
import { browse, inner } from "../support/browser.ts";

const { html, csp } = document;
const good = well();
const bad = poor();

const serving = (status: Status, wallets: readonly Plan[] = []) => (path: string): unknown => (
  path === "/plan" ? { schema: 1, wallets } : status
);

test("ark page: policy: exactly its own style and script, and nobody else is asked", () => {
  for (const tag of ["style", "script"]) {
    const hash = createHash("sha256").update(inner(html, tag)).digest("base64");
    assert.ok(csp.includes(`${tag}-src 'sha256-${hash}'`), tag);
  }
  assert.ok(csp.startsWith("default-src 'none'"));
  assert.doesNotMatch(html.replace("http://www.w3.org/2000/svg", ""), /https?:\/\//);
  assert.doesNotMatch(html, /\s(on[a-z]+|style)=/);
  assert.doesNotMatch(inner(html, "script"), /innerHTML|insertAdjacentHTML|document\.write|eval\(/);
  assert.match(html, /prefers-color-scheme: dark/);
});

test("ark page: every degraded state has a name for people", () => {
  for (const name of [...processNames, ...walletNames]) {
    assert.ok(inner(html, "script").includes(`"${name}": [`), name);
  }
});

test("ark page: all is well: coins, what expires next, what was done and when", async () => {
  const asked: string[] = [];
  const page = await browse(html, (path) => {
    asked.push(path);
    return serving(good)(path);
  });
  assert.deepEqual(asked, ["/status", "/plan"]);
  await page.poll();
  assert.deepEqual(asked.slice(2), ["/status"], "the plan is asked for now and then");
  assert.equal(page.text("state"), "ready");
  assert.equal(page.page.title, "2/2 \u2013 Dogwatch Ark");
  assert.equal(page.node("trouble").hidden, true);
  assert.match(page.text("wallets"), /alicewell3,000 blocks, at least \d+ d150,000 satnone/);
  assert.match(page.text("whole"), /upits program, .*the Ark server.*heard of within \d+ (s|min)/);
  assert.match(page.text("whole"), /server asked\d+ s ago/);
  assert.match(page.text("whole"), /Not once yet: start, .*exit begun, claimed\./);
  assert.doesNotMatch(page.text("whole"), /boarding|never/, "what is nothing is not said");
});

test("ark page: what is wrong comes first, with what Dogwatch does and people can", async () => {
  const page = await browse(html, serving(bad));
  assert.equal(page.node("trouble").hidden, false);
  const told = page.node("degraded").children.map((one) => one.textContent);
  const names = bad.wallets.flatMap((one) => one.degraded).map(({ name }) => name);
  assert.deepEqual(told.map((text) => /\(([a-z-]+)\)/.exec(text)?.[1]), names);
  assert.match(told[0] ?? "", /^alice: The wallet's program is not reached: nobody answers/);
  assert.equal(page.page.title, `(${names.length}) 1/3 \u2013 Dogwatch Ark`);
  const key = told.find((text) => text.includes("another key"));
  assert.match(key ?? "", /^bob: .*You: Ask its operator why\. If it is right: dogwatch ark trust/);
  const rows = /alice3 things.*bob2 things\d+ blocks?, .*\(exit-now\).*carol/;
  assert.match(page.text("wallets"), rows);
});

test("ark page: what is the same for many wallets is said once, with their names", async () => {
  const [one] = bad.wallets;
  const many = Array.from({ length: 9 }, (_, at): WalletStatus => ({ ...one!, name: `w${at}` }));
  const page = await browse(html, serving({ ...bad, wallets: many, total: 9, up: 0 }));
  assert.equal(page.node("degraded").children.length, one!.degraded.length);
  assert.match(page.text("degraded"), /^w0, w1, w2, w3, w4, w5 and 3 more: /);
  assert.match(page.text("more"), /^1 other wallet in the table only\.$/);
});

const row: Plan["rows"][number] = {
  vtxo: "0011223344556677:0", amountSat: "70000", state: "spendable", stage: "exit-now",
  expiryHeight: 900, exitHeight: 880, blocksLeft: 12, leftMs: 1, next: "refresh",
  nextHeight: null, nextMs: 120_000, blocked: "rejected", exitBlocked: "not-allowed",
  intent: null, exit: null, failures: 0,
};

test("ark page: the plan of each wallet, what expires first; the rest is counted", async () => {
  const base = { schema: 1, wallet: "alice", rows: [row, { ...row, blocksLeft: null, intent: 3 }] };
  const plan = { ...base, more: 7 } as unknown as Plan;
  const page = await browse(html, serving(good, [plan]));
  await page.poll();
  const text = page.text("whole");
  assert.match(text, /00112233\u202670,000 satin 12 blocksrefresh in 2 min; in the way: rej/);
  assert.match(text, /no exit: not allowed/);
  assert.match(text, /at block 900refresh, under way/);
  assert.match(text, /Later: 3 more VTXOs\. All of them: dogwatch ark plan alice/);
});

test("ark page: hostile texts stay text; nothing is known yet; nobody answers", async () => {
  const evil = "<img src=x>";
  const [first] = good.wallets;
  const wallet = {
    ...first!, name: evil, balance: null, nextExpiry: null, seenMs: null,
    degraded: [{ name: evil as "unseen", why: evil, does: evil, sinceMs: 1 }],
  };
  const page = await browse(html, serving({ ...good, wallets: [wallet] }));
  assert.match(page.text("degraded"), /^<img src=x>: <img src=x>: <img src=x>, for 0 s/);
  assert.match(page.text("wallets"), /nothing expiresnot known yetnonenever/);
  assert.equal(page.node("whole").all("img").length, 0);
  const away = await browse(html, () => {
    throw new Error("refused");
  });
  assert.equal(away.text("state"), "not reachable");
  assert.equal(away.page.title, "(!) Dogwatch Ark");
});
