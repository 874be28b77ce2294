/**
 * A registered peer on a real socket, for tests of the whole node.
 * @module
 */
import { type Client, connect } from "../../cli/demo/client.ts";
import * as identity from "../../cli/demo/identity.ts";
import type { Daemon } from "../../cli/run.ts";
import { notServing } from "../../core/joinmarket/onion.ts";

/** Connects to `daemon` and resolves when the handshake is over. */
export function makePeer(daemon: Daemon): Promise<Client> {
  const [address] = daemon.listen;
  if (address === undefined) throw new Error("the node listens nowhere");
  return new Promise((resolve, reject) => {
    const client = connect({
      address,
      who: identity.create(),
      network: daemon.config().network,
      location: notServing,
      features: ["ping"],
      ready: () => resolve(client),
      line: () => {},
      peers: () => {},
      pinged: () => true,
      closed: (why) => reject(new Error(why)),
    });
  });
}
