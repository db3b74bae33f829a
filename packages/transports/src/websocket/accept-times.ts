/**
 * When the connections of somebody else's HTTP server were accepted. Only a connection's first request has to do with
 * that: one that is kept open for further requests may have waited for this one as long as it liked.
 */
import type { Server as HttpServer, IncomingMessage } from "node:http";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { systemClock } from "@farref/core";
import { connectionOf } from "../socket/addresses.ts";

export class AcceptTimes {
  readonly #server: HttpServer;
  /** By connection, until its first request: over TLS the request comes by another socket than the one accepted. */
  readonly #acceptedAt = new Map<string, number>();

  constructor(server: HttpServer) {
    this.#server = server;
  }

  /** Takes note of connections accepted from now on. */
  watch(): void {
    this.#server.on("connection", this.#accepted).on("request", this.#used);
  }

  stop(): void {
    this.#server.off("connection", this.#accepted).off("request", this.#used);
    this.#acceptedAt.clear();
  }

  /** Milliseconds from accepting the connection until now, when its first request is there; `undefined` for a later one. */
  openingMs(stream: Duplex): number | undefined {
    const acceptedAt = stream instanceof Socket ? this.#acceptedAt.get(connectionOf(stream)) : undefined;
    return acceptedAt === undefined ? undefined : systemClock.now() - acceptedAt;
  }

  readonly #accepted = (socket: Socket): void => {
    // Of a Unix socket's connections one looks like the other, and only this machine makes them.
    if (socket.remoteAddress === undefined) return;
    const key = connectionOf(socket);
    const acceptedAt = systemClock.now();
    this.#acceptedAt.set(key, acceptedAt);
    socket.on("close", () => {
      if (this.#acceptedAt.get(key) === acceptedAt) this.#acceptedAt.delete(key);
    });
  };

  readonly #used = ({ socket }: IncomingMessage): void => {
    this.#acceptedAt.delete(connectionOf(socket));
  };
}
