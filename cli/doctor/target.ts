/**
 * How a target of requests is reached: on this machine directly, and else through Tor, apart from
 * everything that a maker does.
 * @module
 */
import type { Ambient } from "../../adapters/ambient.ts";
import type { MakerSettings, TargetSpec } from "../../adapters/config/maker-settings.ts";
import type { Target } from "../../adapters/requests.ts";
import { secret } from "../../core/secret.ts";
import * as socks from "../../core/tor/socks.ts";

/** What `createRequests` takes. A circuit of its own for each call. */
export function targetOf(
  { url, credentials, isolation }: TargetSpec, { socks: at }: MakerSettings,
  ambient: Pick<Ambient, "entropy">,
): Target {
  if (isolation === undefined || at?.kind !== "tcp") return { url, credentials, proxy: undefined };
  const label = socks.label({ purpose: "doctor" });
  const { user, password } = socks.credentials(label, secret(ambient.entropy(socks.keyBytes)));
  const proxy = {
    host: at.host, port: at.port, username: user,
    password: Buffer.from(password.secret).toString("latin1"),
  };
  return { url, credentials, proxy };
}
