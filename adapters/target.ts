/**
 * How a target of requests is reached: on this machine directly, and else through Tor.
 * @module
 */
import type { Secret } from "../core/secret.ts";
import * as socks from "../core/tor/socks.ts";
import type { Address } from "./address.ts";
import type { TargetSpec } from "./config/maker-settings.ts";
import type { Target } from "./requests.ts";

/**
 * What `createRequests` takes. `at` is Tor's SocksPort, `key` what passwords are made of: targets
 * with the same isolation and key may share a circuit.
 */
export function targetOf(
  { url, credentials, isolation }: TargetSpec, at: Address | undefined, key: Secret,
): Target {
  if (isolation === undefined || at === undefined) return { url, credentials, proxy: undefined };
  return { url, credentials, proxy: { at, as: socks.credentials(isolation, key) } };
}
