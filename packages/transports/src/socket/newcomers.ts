/**
 * Connections that were let in and are no channels yet: they agree on TLS, or ask for a WebSocket. All that has one time
 * limit, from the moment they were accepted; who is late is cut off, whatever he is doing.
 */
import type { Socket } from "node:net";
import { defaultLimits, type ListenOptions, type PeerAddress, systemClock, type Timer } from "@farref/core";
import { connectionOf } from "./addresses.ts";

/** Who became a channel, and how long it took since the connection was accepted. */
export interface Arrived {
  readonly peer: PeerAddress;
  readonly openingMs: number;
}

interface Newcomer {
  readonly socket: Socket;
  readonly peer: PeerAddress;
  readonly acceptedAt: number;
  readonly timer: Timer;
}

export class Newcomers {
  readonly #limitMs: number;
  readonly #maxWaiting: number;
  readonly #waiting = new Map<string, Newcomer>();

  constructor({ handshakeTimeoutMs, maxConnections }: ListenOptions) {
    this.#limitMs = handshakeTimeoutMs ?? defaultLimits.handshakeTimeoutMs;
    this.#maxWaiting = maxConnections ?? defaultLimits.maxConnections;
  }

  /** A TCP connection, in the turn it was accepted in. `false` when too many wait: it is cut off. */
  add(socket: Socket, peer: PeerAddress): boolean {
    if (this.#waiting.size >= this.#maxWaiting) {
      socket.destroy();
      return false;
    }
    const key = connectionOf(socket);
    const timer = systemClock.setTimer(this.#limitMs, () => socket.destroy());
    const newcomer = { socket, peer, acceptedAt: systemClock.now(), timer };
    this.#waiting.set(key, newcomer);
    socket.on("close", () => {
      timer.cancel();
      if (this.#waiting.get(key) === newcomer) this.#waiting.delete(key);
    });
    return true;
  }

  /** Its time runs on elsewhere. `socket` is the same connection, perhaps with TLS over it; `undefined` when it is gone. */
  takeOut(socket: Socket): Arrived | undefined {
    const key = connectionOf(socket);
    const newcomer = this.#waiting.get(key);
    if (!newcomer) return undefined;
    newcomer.timer.cancel();
    this.#waiting.delete(key);
    return { peer: newcomer.peer, openingMs: systemClock.now() - newcomer.acceptedAt };
  }

  cutOff(): void {
    for (const { socket } of this.#waiting.values()) socket.destroy();
  }
}
