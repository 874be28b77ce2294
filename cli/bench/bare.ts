/**
 * The yardstick: a plain Node server that does nothing but the loop a broadcast cannot do without.
 *
 * Takes the command line of a directory as far as the benchmark uses it, answers the first line of
 * each connection with a canned acceptance, and writes every later read to all other sockets, one
 * `write` each. It checks nothing.
 * @module
 */
import { createServer, type AddressInfo, type Socket } from "node:net";
import { assert } from "../../core/assert.ts";

const accepted = JSON.stringify({
  "app-name": "joinmarket",
  directory: true,
  "proto-ver-min": 5,
  "proto-ver-max": 5,
  features: {},
  accepted: true,
  nick: "J5BareLoopOOOOOO",
  network: "regtest",
  motd: "",
});
const answer = Buffer.from(`{"type": 795, "line": ${JSON.stringify(accepted)}}\r\n`, "latin1");

const sockets = new Set<Socket>();
const server = createServer({ noDelay: true }, (socket) => {
  let isIn = false;
  socket.on("data", (bytes) => {
    if (isIn) {
      for (const other of sockets) if (other !== socket) other.write(bytes);
      return;
    }
    isIn = true;
    sockets.add(socket);
    socket.write(answer);
  });
  socket.on("error", () => socket.destroy());
  socket.on("close", () => sockets.delete(socket));
});

server.listen({ host: "127.0.0.1", port: 0, backlog: 4_096 }, () => {
  const address = server.address() as AddressInfo | null;
  assert(address !== null, "a listening server has an address");
  const listen = `127.0.0.1:${address.port}`;
  process.stdout.write(`${JSON.stringify({ event: "directory.ready", listen, http: "" })}\n`);
});
process.on("SIGTERM", () => process.exit(0));
