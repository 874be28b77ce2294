/**
 * Snapshots of real daemons of Ark wallets: one that is well, and one about which much is wrong.
 * @module
 */
import type { Status } from "../../core/ark/status.ts";
import * as acts from "../../sim/ark/acts.ts";
import type { Outage } from "../../sim/ark/faults.ts";
import * as rig from "./ark-fleet.ts";
import { ever } from "./ark-world.ts";

const { minute } = rig;

/** Two wallets with coins of a long life, seen a moment ago. */
export function well(): Status {
  const r = rig.start({ wallets: ["alice", "bob"], before: ({ world }) => {
    for (const name of ["alice", "bob"]) {
      acts.deposit(world, name, 1_000_000n);
      acts.endow(world, name, [100_000n, 50_000n], 3_000, 2);
    }
  } });
  rig.pass(r, 3 * minute);
  return rig.shown(r);
}

/**
 * Alice's program is gone; bob's server has another key, and his coins must leave; carol is well.
 */
export function poor(): Status {
  const r = rig.start({
    wallets: ["alice", "bob", "carol"],
    wallet: (one) => {
      const { guardian: g } = rig.quick(one);
      return {
        ...rig.quick(one), guardian: { ...g, shepherd: { ...g.shepherd, autoExit: false } },
      };
    },
    before: ({ world }) => {
      acts.endow(world, "alice", [100_000n], 3_000, 2);
      acts.endow(world, "bob", [100_000n, 7_000n], 26, 2);
      acts.endow(world, "carol", [30_000n], 3_000, 1);
    },
  });
  rig.pass(r, 3 * minute);
  const gone: Outage = { on: "barkd", wallet: "alice", fault: { kind: "refusing" }, ...ever };
  rig.suffer(r, [gone, { on: "server", fault: { kind: "key" }, ...ever }]);
  // A program looks at the key when it starts.
  acts.restartBarkd(r.world, "bob");
  rig.pass(r, 5 * rig.hour);
  return rig.shown(r);
}
