/**
 * The plain client as a process of its own, to be killed.
 * @module
 */
import { Client } from "./parity-client.ts";
import type { Command, Heard } from "./parity.ts";

const heard: Heard = [];
const client = new Client(Number(process.argv[2]), heard, () => void process.send?.(heard));
process.on("message", (order) => {
  client.obey(order as Command);
  // The parent may wait for the order to be carried out.
  process.send?.(heard);
});
