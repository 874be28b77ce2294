/**
 * What a fleet's process orders, beyond what every process does.
 * @module
 */
import type { RequestEffect } from "../../core/kernel/io.ts";
import type { StreamEffect } from "../../core/ark/streams.ts";
import { unreachable } from "../../core/assert.ts";
import * as marks from "../marks.ts";
import type { Node, World } from "../world.ts";
import { isWork } from "./config.ts";
import * as hosts from "./host.ts";
import type { FleetHost } from "./state.ts";

export function carryOut(
  w: World, node: Node, host: FleetHost, effect: RequestEffect | StreamEffect,
): void {
  switch (effect.type) {
    case "req.start":
      hosts.request(w, node, host, effect);
      if (isWork(effect.path)) marks.seen(w, node, "ordered");
      return;
    case "req.drop": return hosts.drop(w, node, host, effect.req);
    case "stream.open": return hosts.open(w, node, host, effect.stream);
    case "stream.close": return hosts.close(w, node, host, effect.stream);
    default: unreachable(effect);
  }
}
