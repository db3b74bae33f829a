/**
 * Abort signals of the peer's, as signals of this platform. Each is held until the peer says what comes of it: whoever
 * listens to a signal need not hold it, and must not miss its abortion.
 */
import { RpcError } from "../errors/rpc-error.ts";
import { maxSignals } from "./own-signals.ts";
import { type PeersNumber, peersNumber } from "./peers-number.ts";

export class FarSignals {
  readonly #controllers = new Map<PeersNumber, AbortController>();
  readonly #ids = new WeakMap<AbortSignal, number>();
  /** Why nobody can abort any more. */
  #closed: RpcError | undefined;

  /** The signal with that number, the same each time. @throws RpcError `limit-exceeded` */
  receive(id: number): AbortSignal {
    if (this.#closed) return AbortSignal.abort(this.#closed);
    return (this.#controllers.get(peersNumber(id)) ?? this.#add(id)).signal;
  }

  /** The number of a signal that goes home. */
  idOf(signal: AbortSignal): number | undefined {
    return this.#ids.get(signal);
  }

  /** Whether anybody here has the signal. */
  has(id: number): boolean {
    return this.#controllers.has(peersNumber(id));
  }

  abort(id: number, reason: unknown): void {
    const controller = this.#controllers.get(peersNumber(id));
    this.#controllers.delete(peersNumber(id));
    controller?.abort(reason);
  }

  /** It will never abort. */
  gone(id: number): void {
    this.#controllers.delete(peersNumber(id));
  }

  /** The session is over, and with it whoever could abort: what was asked for is wanted by nobody. */
  close(error: RpcError): void {
    this.#closed = error;
    const controllers = [...this.#controllers.values()];
    this.#controllers.clear();
    for (const controller of controllers) controller.abort(error);
  }

  /** An honest peer has no more of them at a time. */
  #add(id: number): AbortController {
    if (this.#controllers.size >= maxSignals) {
      throw new RpcError("limit-exceeded", `more than ${maxSignals} signals that may still abort`, "not-executed");
    }
    const controller = new AbortController();
    this.#controllers.set(peersNumber(id), controller);
    this.#ids.set(controller.signal, id);
    return controller;
  }
}
