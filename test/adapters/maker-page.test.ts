/**
 * The maker's status page: self-contained, covered by its own policy, and its script run against a
 * stand-in for the browser with snapshots of real makers.
 * @module
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { page as document } from "../../adapters/maker-page.ts";
import { names } from "../../core/maker/degraded.ts";
import type { Status } from "../../core/maker/status.ts";
import { browse as browseIn, type Browser, inner as innerOf } from "../support/browser.ts";
import { poor, well } from "../support/maker-status.ts";

const { html, csp } = document;

const inner = (tag: string): string => innerOf(html, tag);
const browse = (answers: (path: string) => unknown): Promise<Browser> => browseIn(html, answers);

test("maker page: policy: allows exactly its own style and script", () => {
  for (const tag of ["style", "script"]) {
    const hash = createHash("sha256").update(inner(tag)).digest("base64");
    assert.ok(csp.includes(`${tag}-src 'sha256-${hash}'`), tag);
  }
  assert.ok(csp.startsWith("default-src 'none'"));
  assert.ok(!csp.includes("unsafe"));
});

test("maker page: asks nobody else: no other server, no inline handler or style", () => {
  assert.doesNotMatch(html.replace("http://www.w3.org/2000/svg", ""), /https?:\/\//);
  assert.doesNotMatch(html, /\s(on[a-z]+|style)=/);
  assert.doesNotMatch(inner("script"), /innerHTML|insertAdjacentHTML|document\.write|eval\(/);
});

test("maker page: readable by everybody: language, headings, captions, colour schemes", () => {
  assert.match(html, /<html lang="en">/);
  assert.match(html, /<noscript>/);
  assert.match(html, /prefers-color-scheme: dark/);
  assert.match(html, /:focus-visible/);
  const labels = [...html.matchAll(/aria-labelledby="([^"]+)"/g)].map((match) => match[1]);
  assert.ok(labels.length >= 10);
  for (const id of labels) assert.ok(html.includes(`<h2 id="${id}">`), id);
});

test("maker page: every degraded state has a name for people", () => {
  for (const name of names) assert.ok(inner("script").includes(`"${name}": [`), name);
});

function serving(status: () => Status): (path: string) => unknown {
  return (path) => {
    const told = status();
    const reasons = told.degraded.map(({ name, why }) => `${name}: ${why}`);
    return path === "/status" ? told : { ready: reasons.length === 0, reasons };
  };
}

const good = well();
const bad = poor();

test("maker page: a maker that is well: offers, coins, directories, nothing wrong", async () => {
  const page = await browse(serving(() => good));
  assert.equal(page.text("state"), "ready");
  assert.equal(page.page.title, "7/8 – Dogwatch maker");
  assert.equal(page.node("trouble").hidden, true);
  assert.match(page.text("who"), /^J5\w+ on regtest, no own address, up 11 min$/);
  assert.match(page.text("offers"), /^0\.002 % relative[\d,]+ sat to [\d,]+ sat, oid 0$/);
  assert.match(page.text("coins"), /spendableunconfirmed62,345,678 sat spendable, 3 coins in all/);
  assert.equal(page.text("h-directories"), "Directories: 7 of 8 up");
  const [first, ...others] = page.node("directories").children;
  const down = first?.textContent ?? "";
  assert.match(down, /^waiting.+down for 11 min, next try in \d+ .+ failures$/);
  assert.equal(others.length, 7);
  for (const one of others) assert.match(one.textContent, /^up\w{56}\.onion:5222for 11 min$/);
  assert.match(page.text("targets"), /^wellntfynothing waits$/);
  assert.equal(page.text("refusals"), "Nothing was refused.");
  assert.equal(page.text("ended"), "None has ended.");
});

test("maker page: direct connections: what ended them, the most frequent first", async () => {
  const { inbound } = good;
  const page = await browse(serving(() => ({
    ...good,
    inbound: {
      ...inbound, open: 3, opened: 1_320, identified: 7,
      ended: { ...inbound.ended, "line-too-long": 29, "not-a-handshake": 1_160, bye: 4 },
    },
  })));
  assert.equal(page.text("direct"), "open3opened so far1,320said who they are7");
  assert.equal(page.text("ended"), "spoke before a handshake1,160line too long29left4");
});

test("maker page: coins: bars say in words what they show, and share one scale", async () => {
  const page = await browse(serving(() => good));
  const bars = page.node("coins").all("svg");
  assert.deepEqual(bars.map((bar) => bar.attributes.get("aria-label")).slice(0, 2), [
    "50,000,000 sat spendable, 0 sat unconfirmed, 0 sat locked",
    "12,345,678 sat spendable, 7,000,000 sat unconfirmed, 0 sat locked",
  ]);
  const widths = bars.map((bar) => bar.all("rect").map((one) => one.attributes.get("width")));
  assert.deepEqual(widths, [["100"], ["24.69", "14"], [], [], []]);
});

test("maker page: everything wrong: named, and what Dogwatch does and people can", async () => {
  const page = await browse(serving(() => bad));
  assert.equal(page.text("state"), "5 things are wrong");
  assert.equal(page.page.title, "(5) 0/3 – Dogwatch maker");
  assert.equal(page.node("trouble").hidden, false);
  const told = page.node("degraded").children.map((one) => one.textContent);
  assert.deepEqual(told.map((text) => /\(([a-z-]+)\)/.exec(text)?.[1]), [
    "disk-failing", "no-directory", "backend-down", "not-announcing", "notices-failing",
  ]);
  for (const text of told) assert.match(text, /Dogwatch: .+\./);
  assert.match(told[1] ?? "", /You: Run dogwatch doctor/);
  assert.match(page.text("offers"), /^Nothing is offered: records do not become durable\.$/);
  assert.match(page.text("coins"), /too old to offer on\.$/);
  assert.equal(page.text("node-why"), "Trouble: nobody listens at this address.");
  assert.match(page.text("targets"), /^failingntfy\d+ waiting, failed \d+ times: http-503$/);
  assert.match(page.text("directories"), /dialling.+given up in/);
});

test("maker page: the own onion: not configured, well, lost, not reached", async () => {
  const up = {
    ...good.onion, state: "up" as const, sinceMs: 61_000, torVersion: "0.4.8.16", torPercent: 100,
    isReachable: true, reachedMs: 30_000, uploadedMs: 40_000,
  };
  const shown = async (onion: Status["onion"]): Promise<readonly [string, string]> => {
    const page = await browse(serving(() => ({ ...good, onion })));
    return [page.text("onion"), page.text("onion-why")];
  };
  assert.deepEqual(await shown(good.onion), ["statenot configured", ""]);
  const [well, quiet] = await shown(up);
  assert.match(well, /^stateup for 1 min.*ourselvesyes, 30 s ago.*since40 s.*puzzlesno.*0\.4\.8/);
  assert.equal(quiet, "");
  const [lost, why] = await shown({
    ...up, state: "down", why: "nobody listens", isReachable: null, torPercent: 40,
    uploadedMs: null,
  });
  assert.match(lost, /^statedown for 1 min.*not tried yet.*not yet.*Tor starts40 %$/);
  assert.equal(why, "Trouble: nobody listens.");
  const [far, whyFar] = await shown({
    ...up, isReachable: false, visitedMs: 5_000, visitFailure: "timeout",
  });
  assert.match(far, /ourselvesno, tried 5 s ago/);
  assert.equal(whyFar, "Trouble: timeout.");
});

test("maker page: hostile texts stay text; unknown names are shown as they are", async () => {
  const evil = "<img src=x>";
  const page = await browse(serving(() => ({
    ...good, nick: evil,
    degraded: [{ name: evil as "draining", why: evil, does: evil, sinceMs: 1 }],
    directories: { up: 0, total: 1, all: [{
      directory: evil, phase: evil, isUp: false, sinceMs: null, dueMs: null, failures: 0,
      malformed: 2,
    }] },
    rescan: { ...good.rescan, phase: evil, permille: 123 },
    guard: { ...good.guard, refusals: { ...good.guard.refusals, early: 5, [evil]: 7 } },
  })));
  assert.ok(page.text("who").startsWith(evil));
  assert.equal(page.text("degraded"), `${evil}: ${evil}, for 0 s (${evil})Dogwatch: ${evil}.`);
  assert.equal(page.text("directories"), `${evil}${evil}no try under way, 2 malformed lines`);
  assert.equal(page.text("refusals"), `${evil}7asked again too early5`);
  assert.match(page.text("node"), /<img src=x>, 12 %/);
  assert.equal(page.node("degraded").all("img").length, 0);
});

test("maker page: no wallet, no directory, no target, other offers, stopping", async () => {
  const page = await browse(serving(() => ({
    ...good, phase: "draining",
    wallet: { ...good.wallet, state: "none" },
    directories: { up: 0, total: 0, all: [] }, notices: { ...good.notices, targets: [] },
    offers: {
      ...good.offers, heldMs: 59_000, public: [{
        oid: 3, kind: "tr0absoffer", minsizeSat: "27300", maxsizeSat: "2100000000000000",
        txfeeSat: "100", cjfee: "1500",
      }],
    },
  })));
  assert.equal(page.text("state"), "stopping");
  assert.equal(page.text("coins"), "No wallet is configured.");
  assert.equal(page.text("directories"), "None is configured.");
  assert.match(page.text("targets"), /nobody is told/);
  assert.equal(page.text("offers"), "1,500 sat absolute, taproot27,300 sat to " +
    "2,100,000,000,000,000 sat, 100 sat towards the miners, oid 3" +
    "A change is announced within 59 s.");
});

test("maker page: what says the same is not drawn again, so that a selection stays", async () => {
  let uptimeMs = good.uptimeMs;
  const page = await browse(serving(() => ({ ...good, uptimeMs: (uptimeMs += 1_000) })));
  await page.poll();
  await page.poll();
  for (const id of ["directories", "offers", "coins", "node"]) {
    assert.equal(page.node(id).drawn, 1, id);
  }
});

test("maker page: out of reach: says so, how old the figures are, and comes back", async () => {
  let isUp = true;
  const answers = serving(() => good);
  const page = await browse((path) => {
    if (!isUp) throw new Error("refused");
    return answers(path);
  });
  isUp = false;
  await page.poll();
  assert.equal(page.text("state"), "not reachable");
  assert.equal(page.page.title, "(!) Dogwatch maker");
  assert.match(page.text("age"), /^Last answer \d+ s ago: what follows is old\.$/);
  assert.equal(page.page.body.className, "old");
  assert.match(page.text("h-directories"), /7 of 8/);
  isUp = true;
  await page.poll();
  assert.equal(page.text("state"), "ready");
  assert.equal(page.text("age"), "");
  assert.equal(page.page.body.className, "");
});

test("maker page: keyboard: p pauses and resumes", async () => {
  let asked = 0;
  const answers = serving(() => good);
  const page = await browse((path) => {
    asked += 1;
    return answers(path);
  });
  const before = asked;
  const press = (key: object): void => page.page.listeners.get("keydown")?.(key);
  press({ key: "p", ctrlKey: true });
  press({ key: "p" });
  await page.poll();
  assert.equal(asked, before);
  assert.equal(page.text("pause"), "Resume (p)");
  press({ key: "p" });
  await page.poll();
  assert.ok(asked > before);
});
