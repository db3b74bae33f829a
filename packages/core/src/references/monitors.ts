/** Being told that a far object is gone: by our own release, by its owner, or with a session on the way to it. */
import type { Clock } from "../clock/clock.ts";
import { runGuarded } from "../errors/guarded.ts";
import { RpcError } from "../errors/rpc-error.ts";
import type { Down } from "../types/session.ts";
import { invalidStub, referenceOf } from "./stub.ts";

export type DownListener = (down: Down) => void;

/**
 * Tells `listener` when a far object is gone for good: once, in a turn of its own, also if it is gone already. Returns a
 * function that stops it. A monitor of a front tells the end of its session.
 *
 * The monitor keeps neither the stub nor its hold: a stub that the program drops is `released` when it is collected. What
 * the listener itself refers to lives as long as the monitor, as with any listener.
 *
 * @throws RpcError `invalid-argument` when `remote` is not a stub.
 * @example
 * const stop = monitor(guest, ({ reason }) => console.log(`${name} has gone: ${reason}`));
 */
export function monitor(remote: object, listener: DownListener): () => void {
  const reference = referenceOf(remote);
  if (!reference) throw invalidStub("monitor", remote);
  if (typeof listener !== "function") {
    throw new RpcError("invalid-argument", `monitor: expected a function, got ${typeof listener}`, "not-sent");
  }
  return reference.owner.monitor(reference, listener);
}

export interface MonitorHost {
  readonly clock: Clock;
  /** A listener threw. */
  onError(error: Error): void;
}

/** Those who wait for the end of one reference. It knows them, and they don't know it: a stub is kept by nobody here. */
export class Monitors {
  readonly #host: MonitorHost;
  readonly #waiting = new Set<{ readonly listener: DownListener }>();

  constructor(host: MonitorHost) {
    this.#host = host;
  }

  /** Returns a function that stops the monitor, until its very turn comes. */
  add(listener: DownListener): () => void {
    const monitor = { listener };
    this.#waiting.add(monitor);
    return () => void this.#waiting.delete(monitor);
  }

  /** Tells everybody, at the end of the turn: no listener runs in the middle of what ended the reference. */
  tell(down: Down): void {
    if (this.#waiting.size > 0) this.#host.clock.endOfTurn(() => this.#tellAll(down));
  }

  #tellAll(down: Down): void {
    for (const monitor of this.#waiting) {
      this.#waiting.delete(monitor);
      runGuarded(
        () => monitor.listener(down),
        (error) => this.#host.onError(error),
      );
    }
  }
}
