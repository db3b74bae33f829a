/**
 * Connections that were let in and are no channels yet: they agree on TLS, or ask for a WebSocket. All that has one time
 * limit, from the moment they were accepted; who is late is cut off, whatever he is doing.
 */
import type { Socket } from "node:net";
import { defaultLimits, type ListenOptions, type PeerAddress, systemClock, type Timer } from "@farref/core";

interface Newcomer {
  readonly socket: Socket;
  readonly peer: PeerAddress;
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
    const newcomer = { socket, peer, timer };
    this.#waiting.set(key, newcomer);
    socket.on("close", () => {
      timer.cancel();
      if (this.#waiting.get(key) === newcomer) this.#waiting.delete(key);
    });
    return true;
  }

  /** Its time no longer runs. `socket` is the same connection, perhaps with TLS over it; `undefined` when it is gone. */
  takeOut(socket: Socket): PeerAddress | undefined {
    const key = connectionOf(socket);
    const newcomer = this.#waiting.get(key);
    newcomer?.timer.cancel();
    this.#waiting.delete(key);
    return newcomer?.peer;
  }

  cutOff(): void {
    for (const { socket } of this.#waiting.values()) socket.destroy();
  }
}

/** Both ends of a connection: no two have the same. Node does not tell which socket a TLS socket was made of. */
function connectionOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
