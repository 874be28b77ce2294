/**
 * Snapshots of real makers: one that is well, and one about which nearly everything is wrong.
 * @module
 */
import { defaults, type MakerConfig } from "../../core/maker/config.ts";
import { status, type Status } from "../../core/maker/status.ts";
import { paths } from "../../core/notify/target.ts";
import { mono } from "../../core/time.ts";
import * as rig from "./maker.ts";

function snapshot(r: rig.Rig): Status {
  return status(r.kernel.state, mono(r.now));
}

const notify: Partial<MakerConfig> = {
  notify: {
    ...defaults.notify,
    targets: [{ to: "ntfy", kind: "ntfy", path: paths.ntfy, priorityMin: "low" }],
  },
};

/** Eight directories, one of them away; coins of every kind, an offer, a target of notices. */
export function well(): Status {
  const r = rig.start({ directories: 8, config: notify });
  r.chain.coins.push(
    { n: 2, mixdepth: 1, sat: 12_345_678n, confirmations: 9 },
    { n: 3, mixdepth: 1, sat: 7_000_000n, confirmations: 0 },
  );
  rig.pass(r, 5_000);
  rig.cut(r, rig.nameOf(3));
  rig.pass(r, 700_000);
  return snapshot(r);
}

/** No node, no directory, a full disk, notices that nobody takes, a guest who says nothing. */
export function poor(): Status {
  const r = rig.start({ directories: 3, config: notify });
  rig.pass(r, 5_000);
  r.notifies = 503;
  for (const [i, reach] of (["refused", "blackhole", "refused"] as const).entries()) {
    rig.cut(r, rig.nameOf(i), reach);
  }
  rig.visit(r);
  r.chain.mode = "refused";
  r.disk.fault = "full";
  rig.push(r, { type: "operator.rescan", fromHeight: undefined });
  rig.pass(r, 900_000);
  return snapshot(r);
}
