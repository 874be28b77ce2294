/**
 * The status page: self-contained, covered by its own policy, and its script run against a stand-in
 * for the browser.
 * @module
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { createContext, runInContext } from "node:vm";
import { page as document } from "../../adapters/page.ts";
import { defaults } from "../../core/directory/config.ts";
import * as directory from "../../core/directory/directory.ts";
import { status, type Status } from "../../core/directory/status.ts";
import { mono } from "../../core/time.ts";

const { html, csp } = document;

function inner(tag: string): string {
  return new RegExp(`<${tag}>([^]*?)</${tag}>`).exec(html)?.[1] ?? "";
}

test("page: policy: allows exactly its own style and script", () => {
  for (const tag of ["style", "script"]) {
    const hash = createHash("sha256").update(inner(tag)).digest("base64");
    assert.ok(csp.includes(`${tag}-src 'sha256-${hash}'`), tag);
  }
  assert.ok(csp.startsWith("default-src 'none'"));
  assert.ok(!csp.includes("unsafe"));
});

test("page: asks nobody else: no address of another server, no inline handler or style", () => {
  assert.doesNotMatch(html, /https?:\/\//);
  assert.doesNotMatch(html, /\s(on[a-z]+|style)=/);
  assert.doesNotMatch(inner("script"), /innerHTML|insertAdjacentHTML|document\.write|eval\(/);
});

test("page: readable by everybody: language, headings, captions, both colour schemes", () => {
  assert.match(html, /<html lang="en">/);
  assert.match(html, /<noscript>/);
  assert.match(html, /prefers-color-scheme: dark/);
  assert.match(html, /:focus-visible/);
  const labels = [...html.matchAll(/aria-labelledby="([^"]+)"/g)].map((match) => match[1]);
  assert.ok(labels.length >= 5);
  for (const id of labels) assert.ok(html.includes(`<h2 id="${id}">`), id);
  assert.equal([...html.matchAll(/<table><caption>/g)].length, 3);
});

/** As much of an element as the script touches. */
class Element {
  textContent = "";
  className = "";
  scope = "";
  readonly tag: string;
  children: Element[] = [];
  readonly attributes = new Map<string, string>();
  readonly listeners = new Map<string, (event: object) => void>();
  constructor(tag: string) {
    this.tag = tag;
  }
  get firstElementChild(): Element {
    return (this.children[0] ??= new Element("polyline"));
  }
  append(...more: Element[]): void {
    this.children.push(...more);
  }
  replaceChildren(...others: Element[]): void {
    this.children = others;
  }
  setAttribute(name: string, value: string): void {
    this.attributes.set(name, value);
  }
  addEventListener(name: string, listener: (event: object) => void): void {
    this.listeners.set(name, listener);
  }
  text(): string {
    return [this.textContent, ...this.children.map((child) => child.text())].join(" ").trim();
  }
}

type Browser = {
  readonly text: (id: string) => string;
  readonly element: (id: string) => Element;
  readonly press: (key: string) => void;
  /** Lets the script poll once more. */
  readonly poll: () => Promise<void>;
};

/** Runs the page's script; `answers` stands for the server. */
async function browse(answers: (path: string) => unknown): Promise<Browser> {
  const elements = new Map<string, Element>();
  const element = (id: string): Element => {
    assert.ok(html.includes(`id="${id}"`), `no element ${id}`);
    const found = elements.get(id) ?? new Element(id);
    elements.set(id, found);
    return found;
  };
  const page = new Element("document");
  let again: (() => Promise<void>) | undefined;
  let polled: Promise<void> = Promise.resolve();
  const context = createContext({
    document: Object.assign(page, {
      getElementById: element,
      createElement: (tag: string) => new Element(tag),
      title: "",
    }),
    AbortSignal: { timeout: () => undefined },
    fetch: async (path: string) => ({ json: async () => answers(path) }),
    setTimeout: (next: () => Promise<void>) => (again = next),
    Intl,
  });
  polled = settle();
  runInContext(inner("script"), context);
  await polled;
  return {
    text: (id) => element(id).text(),
    element,
    press: (key) => page.listeners.get("keydown")?.({ key }),
    poll: async () => {
      await again?.();
      await settle();
    },
  };
}

/** Lets promises that are ready run: the stand-ins never wait for anything else. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

const node = directory.create(defaults, mono(0));

function snapshot(uptimeMs: number, more: Partial<Status> = {}): Status {
  return { ...status(node, mono(uptimeMs)), nick: "J5Ckon1LuuapPSBM", ...more };
}

test("page: empty node: says so instead of showing nothing", async () => {
  const page = await browse((path) =>
    path === "/status" ? snapshot(5_000) : { ready: true, reasons: [] });
  assert.equal(page.text("state"), "ready");
  assert.match(page.text("who"), /J5Ckon1LuuapPSBM on mainnet, no own address set, up 00:00:05/);
  assert.match(page.text("peers"), /registered 0 of 10,000/);
  assert.equal(page.text("drops"), "Nothing was dropped.");
  assert.equal(page.text("closes"), "No connection has ended.");
  assert.equal(page.text("handshakes"), "Nobody has connected.");
  assert.equal(page.text("recent"), "Nothing has happened yet.");
});

test("page: busy node: trend, reasons by count, events, hostile text as text", async () => {
  let uptimeMs = 0;
  const page = await browse((path) => {
    if (path === "/readyz") return { ready: false, reasons: ["full: <b>all</b>"] };
    uptimeMs += 1_000;
    const totals = { ...node.counts.totals, publicRelayed: uptimeMs / 100, heartbeatProbes: 4 };
    return snapshot(uptimeMs, {
      totals, drops: { empty: 2, grammar: 30, malformed: 0 },
      recent: [{ agoMs: 61_000, code: "peer.evicted", nick: "J5x" }],
    });
  });
  await page.poll();
  await page.poll();
  assert.equal(page.text("state"), "not ready");
  assert.equal(page.text("reasons"), "full: <b>all</b>");
  assert.equal(page.text("rate"), "10");
  assert.match(page.element("spark").attributes.get("aria-label") ?? "", /2 samples: now 10\.0/);
  const line = page.element("spark").firstElementChild;
  assert.match(line.attributes.get("points") ?? "", /^238,2\.0 240/);
  assert.match(page.text("drops"), /^grammar 30\s+empty 2$/);
  assert.equal(page.text("recent"), "1 min ago: a silent peer was evicted");
  assert.match(page.text("heartbeat"), /probes 4/);
});

test("page: latest events: PINGs are left out, spans are words", async () => {
  const pinged = Array.from({ length: 20 }, () => {
    return { agoMs: 500, code: "peer.pinged", nick: "" };
  });
  const spans = [200_000_000, 7_300_000, 61_000, 1_500];
  const recent = spans.map((agoMs) => ({ agoMs, code: "peer.registered", nick: "" }));
  const page = await browse((path) => path === "/status"
    ? snapshot(9_000, { recent: [...recent, ...pinged] })
    : { ready: true, reasons: [] });
  assert.deepEqual(page.element("recent").children.map((one) => one.text()), [
    "1 s ago: a peer registered", "1 min ago: a peer registered",
    "2 h ago: a peer registered", "2 d ago: a peer registered",
  ]);
});

test("page: own onion service: shown if there is one, with what is wrong", async () => {
  const { onion } = snapshot(1);
  let told: Partial<Status> = {};
  const page = await browse((path) => path === "/status" ? snapshot(9_000, told)
    : { ready: false, reasons: ["onion-down: no Tor"] });
  assert.equal((page.element("service") as { hidden?: boolean }).hidden, true);
  told = {
    onion: { ...onion, state: "down", sinceMs: 61_000 },
    degraded: [{ name: "onion-down", why: "no Tor", does: "it is asked again", sinceMs: 61_000 }],
  };
  await page.poll();
  assert.equal((page.element("service") as { hidden?: boolean }).hidden, false);
  assert.match(page.text("who"), /own address not known yet/);
  assert.match(page.text("onion"), /state down for 00:01:01\s+reached by ourselves not tried yet/);
  assert.match(page.text("reasons"), /onion-down: no Tor\s+Dogwatch: it is asked again\./);
  told = {
    location: "abc.onion:5222",
    onion: {
      ...onion, state: "up", sinceMs: 1_000, isReachable: true, reachedMs: 5_000, isPow: true,
      uploadedMs: 2_000, torVersion: "0.4.9.11",
    },
  };
  await page.poll();
  assert.match(page.text("who"), /abc\.onion:5222/);
  assert.match(page.text("onion"), /yes, 5 s ago.*since 00:00:02.*puzzles yes\s+Tor 0\.4\.9\.11/s);
  told = { onion: { ...onion, state: "up", sinceMs: 1, isReachable: false, visitedMs: 3_000 } };
  await page.poll();
  assert.match(page.text("onion"), /no, tried 3 s ago.*not yet/s);
});

test("page: layout: the columns cannot be three, so no card stands alone in a row", () => {
  const widest = Number(/body \{[^}]*max-width: (\d+)rem; padding: 1rem/.exec(html)?.[1]) - 2;
  const column = Number(/main \{[^}]*minmax\(min\(100%, (\d+)rem\)/.exec(html)?.[1]);
  assert.equal(Math.floor((widest + 1) / (column + 1)), 2);
});

test("page: node out of reach: says so, keeps the last figures, and comes back", async () => {
  let isUp = true;
  const page = await browse((path) => {
    if (!isUp) throw new Error("refused");
    return path === "/status" ? snapshot(9_000) : { ready: true, reasons: [] };
  });
  isUp = false;
  await page.poll();
  assert.equal(page.text("state"), "not reachable");
  assert.match(page.text("peers"), /registered/);
  isUp = true;
  await page.poll();
  assert.equal(page.text("state"), "ready");
});

test("page: draining node: shown as such", async () => {
  const page = await browse((path) =>
    path === "/status" ? snapshot(1, { draining: true }) : { ready: false, reasons: ["stopping"] });
  assert.equal(page.text("state"), "draining");
});

test("page: keyboard: p pauses and resumes", async () => {
  let asked = 0;
  const page = await browse((path) => {
    asked += 1;
    return path === "/status" ? snapshot(1) : { ready: true, reasons: [] };
  });
  const before = asked;
  page.press("p");
  await page.poll();
  assert.equal(asked, before);
  assert.equal(page.text("pause"), "Resume (p)");
  assert.equal(page.element("pause").attributes.get("aria-pressed"), "true");
  page.press("p");
  await page.poll();
  assert.ok(asked > before);
});
