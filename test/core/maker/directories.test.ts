/**
 * The maker and its directories: connections, and who keeps which number.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { defaults } from "../../../core/maker/config.ts";
import * as rig from "../../support/maker.ts";
import * as rules from "../../support/maker-rules.ts";
import {
  codes, kinds, notify, running, said, stateOf,
} from "../../support/maker-told.ts";

const one = rig.nameOf(0);
const two = rig.nameOf(1);
const three = rig.nameOf(2);

test("maker: directories: a new connection hears all there is, once", () => {
  const r = running({ directories: 3 });
  assert.equal(said(r).length, 3);
  rig.cut(r, two);
  rig.pass(r, 20_000);
  assert.equal(said(r).length, 3);
  rig.heal(r, two);
  rig.until(r, () => said(r).length > 3, 300_000);
  rig.pass(r, 300_000);
  assert.equal(said(r).length, 4);
  rules.settled(r.rules, stateOf(r));
  assert.deepEqual(codes(r).filter((code) => code === "maker.directory-down").length, 1);
});

test("maker: directories: all down and one back is noticed once each (M7)", () => {
  const r = running({
    directories: 2, config: { notify },
  });
  for (const to of [one, two]) rig.cut(r, to);
  rig.pass(r, 3_600_000);
  for (const to of [one, two]) rig.heal(r, to);
  rig.pass(r, 3_600_000);
  assert.equal(kinds(r, "all-down").length, 1);
  assert.equal(kinds(r, "all-back").length, 1);
});

test("maker: directories: one that leads nowhere holds up no other (M5)", () => {
  const r = rig.start({ directories: 2, before: (it) => rig.cut(it, one, "blackhole") });
  rig.pass(r, 1_000);
  assert.equal(said(r).length, 1);
  rig.pass(r, 600_000);
  rig.heal(r, one);
  rig.until(r, () => said(r).length === 2, 600_000);
});

test("maker: reload: directories come and go; budgets are inherited by nobody", () => {
  const r = running({ directories: 2 });
  rig.addDirectory(r, three);
  const { offers: terms, guard, notify, reports, logLevel } = r.config;
  const to = (name: string) => ({ to: name, directoryId: name, isolation: "directory" });
  const numberOf = (name: string) => stateOf(r).numbers.get(name);
  const first = numberOf(two);
  const settings = { offers: terms, guard, notify, reports, logLevel };
  const changed = { ...settings, directories: [to(three), to(two)] };
  rig.push(r, { type: "operator.reload", settings: changed });
  rig.pass(r, 10_000);
  assert.equal(numberOf(two), first);
  assert.equal(numberOf(three), 2);
  assert.deepEqual(stateOf(r).pool.slots.map(({ directory }) => directory.to), [three, two]);
  assert.equal(said(r).length, 3);
  rules.settled(r.rules, stateOf(r));
  rig.push(r, { type: "operator.reload", settings: { ...settings, directories: [to(one)] } });
  rig.pass(r, 10_000);
  assert.equal(numberOf(one), 0);
  assert.equal(said(r).length, 4);
});

test("maker: reload: numbers of who is long gone are given out when no other is left", () => {
  const guard = { ...defaults.guard, directoriesMax: 2 };
  const pool = { ...defaults.pool, directoriesMax: 2 };
  const r = running({ directories: 2, config: { guard, pool } });
  rig.addDirectory(r, three);
  const { offers: terms, notify, reports, logLevel } = r.config;
  const settings = { offers: terms, guard, notify, reports, logLevel };
  const with_ = (...names: string[]) => rig.push(r, {
    type: "operator.reload", settings: { ...settings, directories: names.map((to) => ({ to })) },
  });
  with_(two);
  with_(two, three);
  assert.deepEqual([...stateOf(r).numbers].sort(([, a], [, b]) => a - b), [[three, 0], [two, 1]]);
});
