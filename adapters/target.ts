/**
 * How a target of requests is reached: on this machine directly, and else through Tor.
 * @module
 */
import type { Secret } from "../core/secret.ts";
import * as socks from "../core/tor/socks.ts";
import type { Address } from "./address.ts";
import type { TargetSpec } from "./config/targets.ts";
import type { Proxy, Target } from "./requests.ts";

/**
 * The way through Tor, or `undefined`: none is needed. `at` is Tor's SocksPort, `key` what
 * passwords are made of: whatever has the same isolation and key may share a circuit.
 */
export function proxyOf(
  isolation: string | undefined, at: Address | undefined, key: Secret,
): Proxy | undefined {
  if (isolation === undefined || at === undefined) return undefined;
  return { at, as: socks.credentials(isolation, key) };
}

/** What `createRequests` takes. */
export function targetOf(
  { url, credentials, isolation }: TargetSpec, at: Address | undefined, key: Secret,
): Target {
  return { url, credentials, proxy: proxyOf(isolation, at, key) };
}
