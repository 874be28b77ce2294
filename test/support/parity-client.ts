/**
 * A plain client: what it is told, in the words of the daemon's sockets.
 * @module
 */
import * as net from "node:net";
import { note, pattern, type Command, type Heard } from "./parity.ts";

const nothing = Buffer.alloc(0);

export class Client {
  private readonly socket: net.Socket;
  private readonly heard: Heard;
  private readonly seen: () => void;
  private sent = 0;
  private got = 0;
  private isOpen = false;
  private isCongested = false;
  private ending: string | undefined;

  constructor(port: number, heard: Heard, seen: () => void) {
    this.heard = heard;
    this.seen = seen;
    this.socket = net.connect({ port, host: "127.0.0.1", noDelay: true, allowHalfOpen: false });
    this.socket.on("connect", () => {
      this.isOpen = true;
      this.note("open");
    });
    this.socket.on("data", (bytes) => {
      note(heard, bytes, this.got);
      this.got += bytes.length;
      seen();
    });
    this.socket.on("error", (error: NodeJS.ErrnoException) => this.failed(error.code));
    this.socket.on("close", () => this.closed());
  }

  obey(order: Command): void {
    switch (order.do) {
      case "send": return this.send(order.bytes);
      case "hold": return void this.socket.pause();
      case "release": return void this.socket.resume();
      case "flush":
        this.ending ??= "closed";
        return void this.socket.end();
      case "abort": return this.abort();
    }
  }

  destroy(): void {
    this.socket.destroy();
  }

  private send(size: number): void {
    this.socket.write(pattern(this.sent, size));
    this.sent += size;
    if (this.socket.writableLength === 0 || this.isCongested) return;
    this.isCongested = true;
    this.note("congested");
    this.socket.write(nothing, () => {
      if (!this.socket.destroyed) this.note("drained");
    });
  }

  private abort(): void {
    this.ending ??= "aborted";
    const { socket } = this;
    // The daemon's sockets do the same: a handle whose end is on the way cannot be reset.
    if (socket.writableEnded && !socket.writableFinished && socket.writableLength === 0) {
      socket.destroy();
    } else {
      socket.resetAndDestroy();
    }
  }

  private failed(code: string | undefined): void {
    if (!this.isOpen) this.ending ??= code === "ECONNREFUSED" ? "refused" : code;
    else this.ending ??= code === "ECONNRESET" || code === "EPIPE" ? "reset" : "error";
  }

  private closed(): void {
    if (!this.isOpen) return this.note(`failed ${this.ending ?? "unknown"}`);
    this.ending ??= this.socket.readableEnded ? "eof" : "error";
    this.note(`end ${this.ending}`);
  }

  private note(what: string): void {
    note(this.heard, what, 0);
    this.seen();
  }
}
