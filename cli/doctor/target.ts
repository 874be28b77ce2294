/**
 * How the doctor reaches a target of requests: apart from everything that a daemon does.
 * @module
 */
import type { Address } from "../../adapters/address.ts";
import type { Ambient } from "../../adapters/ambient.ts";
import type { TargetSpec } from "../../adapters/config/targets.ts";
import type { Target } from "../../adapters/requests.ts";
import { targetOf } from "../../adapters/target.ts";
import { secret } from "../../core/secret.ts";
import * as socks from "../../core/tor/socks.ts";

/** What `createRequests` takes. A circuit of its own for each call. */
export function visitTo(
  spec: TargetSpec, { socks: at }: { readonly socks: Address | undefined },
  ambient: Pick<Ambient, "entropy">,
): Target {
  const isolation = spec.isolation === undefined ? undefined : socks.label({ purpose: "doctor" });
  return targetOf({ ...spec, isolation }, at, secret(ambient.entropy(socks.keyBytes)));
}
