/**
 * A small real SOCKS5 server on loopback (RFC 1928, 1929) for tests. It looks nothing up: names
 * lead where the test says. What it was asked for is written down.
 * @module
 */
import * as net from "node:net";
import { watched } from "./sockets.ts";

export type Asked = {
  readonly user: string;
  readonly password: string;
  readonly host: string;
  readonly port: number;
};

export type Socks5 = {
  readonly server: net.Server;
  readonly port: number;
  readonly asked: Asked[];
  /** What happens to a request: connect to this port of loopback, or answer this code. */
  route: (asked: Asked) => { readonly port: number } | { readonly code: number } | "silent";
  /** The method it chooses: 2 asks for user and password, 0 asks for nothing. */
  method: number;
  /** Says these bytes and ends, instead of speaking SOCKS5; none: says nothing at all. */
  babble: Uint8Array | undefined;
  /** In place of which answer. */
  babbleAt: "method" | "auth" | "request";
  /** Sent behind the good answer, in one piece with it. */
  greeting: string;
  /** Connections at this moment, and the most there were. */
  open: number;
  openMax: number;
  /** Resolves once `holds` does; asked when a connection comes or goes or asks for something. */
  until(holds: () => boolean): Promise<void>;
  readonly look: () => void;
  close(): void;
};

export async function socks5(listenOn: net.ListenOptions = { port: 0 }): Promise<Socks5> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    s.open += 1;
    if (s.open > s.openMax) s.openMax = s.open;
    s.look();
    socket.on("error", () => undefined);
    socket.on("close", () => {
      sockets.delete(socket);
      s.open -= 1;
      s.look();
    });
    serve(s, socket);
  });
  await new Promise<void>((resolve) => {
    server.listen({ host: "127.0.0.1", ...listenOn }, resolve);
  });
  const bound = server.address();
  const s: Socks5 = {
    server, port: bound !== null && typeof bound === "object" ? bound.port : 0, asked: [],
    route: () => ({ code: 4 }), method: 2, babble: undefined, babbleAt: "method", greeting: "",
    open: 0, openMax: 0, ...watched(),
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
  return s;
}

function serve(s: Socks5, socket: net.Socket): void {
  let phase: "method" | "auth" | "request" | "through" = "method";
  let held = Buffer.alloc(0);
  let user = "";
  let password = "";
  let onward: net.Socket | undefined;

  /** Takes one message from what is held; false if it is not all there. */
  function take(): boolean {
    if (phase === "method") {
      if (held.length < 2 || held.length < 2 + held[1]!) return false;
      held = held.subarray(2 + held[1]!);
      if (isBabbling()) return babble();
      socket.write(Uint8Array.of(5, s.method));
      phase = s.method === 2 ? "auth" : "request";
      return true;
    }
    if (phase === "auth") {
      if (held.length < 2) return false;
      const userEnd = 2 + held[1]!;
      if (held.length <= userEnd || held.length < userEnd + 1 + held[userEnd]!) return false;
      const end = userEnd + 1 + held[userEnd]!;
      user = held.toString("latin1", 2, userEnd);
      password = held.toString("latin1", userEnd + 1, end);
      held = held.subarray(end);
      if (isBabbling()) return babble();
      socket.write(Uint8Array.of(1, 0));
      phase = "request";
      return true;
    }
    if (phase !== "request" || held.length < 10) return false;
    const size = held[3] === 3 ? 5 + held[4]! : held[3] === 4 ? 20 : 8;
    if (held.length < size + 2) return false;
    const isName = held[3] === 3;
    const host = isName ? held.toString("latin1", 5, size) : held.subarray(4, size).join(".");
    const asked = { user, password, host, port: held.readUInt16BE(size) };
    held = held.subarray(size + 2);
    s.asked.push(asked);
    s.look();
    if (isBabbling()) return babble();
    phase = "through";
    carry(asked);
    return false;
  }

  function isBabbling(): boolean {
    return s.babble !== undefined && s.babbleAt === phase;
  }

  function babble(): false {
    phase = "through";
    if (s.babble !== undefined && s.babble.length > 0) socket.end(s.babble);
    return false;
  }

  function carry(asked: Asked): void {
    const to = s.route(asked);
    if (to === "silent") return;
    if ("code" in to) return void socket.end(Uint8Array.of(5, to.code, 0, 1, 0, 0, 0, 0, 0, 0));
    onward = net.connect({ host: "127.0.0.1", port: to.port }, () => {
      const good = Buffer.of(5, 0, 0, 1, 0, 0, 0, 0, 0, 0);
      socket.write(Buffer.concat([good, Buffer.from(s.greeting)]));
      socket.pipe(onward!).pipe(socket);
    });
    onward.on("error", () => socket.resetAndDestroy());
    socket.on("close", () => onward?.destroy());
  }

  socket.on("data", (bytes) => {
    if (phase === "through") return;
    held = Buffer.concat([held, bytes]);
    while (take());
  });
}
