/**
 * How the doctor reaches a target of requests: apart from everything that a maker does.
 * @module
 */
import type { Ambient } from "../../adapters/ambient.ts";
import type { MakerSettings, TargetSpec } from "../../adapters/config/maker-settings.ts";
import type { Target } from "../../adapters/requests.ts";
import { targetOf } from "../../adapters/target.ts";
import { secret } from "../../core/secret.ts";
import * as socks from "../../core/tor/socks.ts";

/** What `createRequests` takes. A circuit of its own for each call. */
export function visitTo(
  spec: TargetSpec, { socks: at }: MakerSettings, ambient: Pick<Ambient, "entropy">,
): Target {
  const isolation = spec.isolation === undefined ? undefined : socks.label({ purpose: "doctor" });
  return targetOf({ ...spec, isolation }, at, secret(ambient.entropy(socks.keyBytes)));
}
