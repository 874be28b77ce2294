/**
 * Mailboxes and their readers: pages, checkpoints, and the ways in which messages were lost.
 * @module
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as acts from "../../../sim/ark/acts.ts";
import { audit } from "../../../sim/ark/audit.ts";
import { flawless, today, type Config, type Quirks } from "../../../sim/ark/config.ts";
import * as mailboxes from "../../../sim/ark/mailbox.ts";
import { addWallet, create, type World } from "../../../sim/ark/state.ts";
import * as streams from "../../../sim/ark/streams.ts";
import * as worlds from "../../support/ark-world.ts";

const sats = (count: number): readonly bigint[] => Array.from({ length: count }, () => 1_000n);

function pay(w: World, count: number, isPoison = false): void {
  acts.pay(w, "alice", { amountsSat: sats(count), lifeBlocks: 30, exitDepth: 2, isPoison });
}

const read = (w: World): number => (
  worlds.json<{ checkpoint: number }>(worlds.ask(w, "POST", "/api/v1/wallet/sync/mailbox"))
    .checkpoint
);
const held = (w: World): number => w.barkds.get("alice")!.wallet!.vtxos.size;
const laws = (w: World): readonly string[] => (
  [...new Set(audit(w).map(({ law, blame }) => `${law} ${blame}`))]
);
const quirky = (over: Partial<Quirks>, more: Partial<Config> = {}): World => (
  worlds.world({ quirks: { ...flawless, ...over }, ...more })
);

test("sim: ark: mailbox: checkpoints rise, and a message is never cut", () => {
  const m = mailboxes.create();
  const first = mailboxes.post(m, "arkoor", ["a", "b"], 5);
  const second = mailboxes.post(m, "arkoor", ["c", "d"], 5);
  const third = mailboxes.post(m, "unknown", [], 9);
  assert.deepEqual([first, second, third], [5, 6, 9]);
  const page = mailboxes.read(m, 0, 3, false);
  assert.deepEqual(page.messages.map(({ vtxos }) => vtxos), [["a", "b"], ["c", "d"]]);
  assert.equal(page.hasMore, true);
  assert.deepEqual(mailboxes.read(m, 6, 3, false), {
    messages: [{ checkpoint: 9, kind: "unknown", vtxos: [], isPoison: false }], hasMore: false,
  });
  assert.deepEqual(mailboxes.read(m, 9, 3, false).messages, []);
});

test("sim: ark: mailbox: hazard H36: a page cuts a message, and says that it is the last", () => {
  const w = worlds.world({ server: { ...worlds.quick, truncates: true } });
  for (let i = 0; i < 40; i += 1) pay(w, 3);
  read(w);
  assert.equal(held(w), 100);
  read(w);
  // The cut message's other two rows are gone for good.
  assert.equal(held(w), 118);
  assert.deepEqual(laws(w), ["A3 server"]);
  const whole = worlds.world();
  for (let i = 0; i < 40; i += 1) pay(whole, 3);
  read(whole);
  assert.equal(held(whole), 120);
  worlds.sound(whole);
});

test("sim: ark: mailbox: what cannot be processed holds up what comes after it", () => {
  const w = worlds.world();
  pay(w, 1);
  const before = read(w);
  pay(w, 1, true);
  pay(w, 1);
  assert.equal(read(w), before);
  assert.equal(held(w), 1);
  worlds.sound(w);
});

test("sim: ark: mailbox: hazard H32: a message that failed is buried by the next", () => {
  const w = quirky({ buries: true });
  pay(w, 1, true);
  pay(w, 1);
  read(w);
  assert.equal(held(w), 1);
  assert.ok(laws(w).includes("A3 barkd"));
});

test("sim: ark: mailbox: hazard H34: without the chain a receipt is dropped, or waits", () => {
  const careful = worlds.world();
  const careless = worlds.world({ quirks: today });
  for (const w of [careful, careless]) {
    worlds.fault(w, { on: "chain", fault: { kind: "html" } });
    pay(w, 2);
    read(w);
    assert.equal(held(w), 0);
    worlds.heal(w);
    read(w);
  }
  assert.equal(held(careful), 2);
  worlds.sound(careful);
  assert.equal(held(careless), 0);
  assert.deepEqual(laws(careless), ["A3 barkd"]);
});

test("sim: ark: mailbox: hazard H19: read twice, booked once, or twice", () => {
  for (const booksTwice of [false, true]) {
    const w = quirky({ booksTwice });
    pay(w, 1);
    const { wallet } = w.barkds.get("alice")!;
    read(w);
    wallet!.checkpoint = 0;
    read(w);
    assert.equal(held(w), 1);
    assert.deepEqual(laws(w), booksTwice ? ["A1 barkd", "A4 barkd"] : []);
  }
});

test("sim: ark: mailbox: the stream delivers what was there and what comes", () => {
  const w = worlds.world();
  pay(w, 1);
  const sub = streams.subscribe(w, "mailbox", "alice");
  assert.ok(sub.ok);
  pay(w, 2);
  acts.mystify(w, "alice");
  const items = w.out.map((one) => (
    one.type === "item" && one.item.stream === "mailbox" ? one.item.message.vtxos.length : -1
  ));
  assert.deepEqual(items, [1, 2, 0]);
  assert.equal(held(w), 3);
  // Poison ends the stream.
  pay(w, 1, true);
  assert.equal(w.subs.size, 0);
  assert.deepEqual(w.out.slice(-2).map(({ type }) => type), ["item", "ended"]);
  worlds.sound(w);
});

test("sim: ark: mailbox: one reading has an end, whatever the server says", () => {
  const w = worlds.world();
  worlds.fault(w, { on: "server", fault: { kind: "endless-mailbox" } });
  pay(w, 1);
  const reply = worlds.ask(w, "POST", "/api/v1/wallet/sync/mailbox");
  assert.equal(reply.afterMs, w.config.remoteMs * w.config.pagesMax);
  const other = create({ ...w.config, pagesMax: 1 });
  addWallet(other, "alice");
  for (let i = 0; i < 120; i += 1) pay(other, 1);
  read(other);
  assert.equal(held(other), 100);
});
