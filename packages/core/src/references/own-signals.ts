/**
 * Abort signals that were sent to a peer. They live as long as somebody here can abort them: held weakly, so that the
 * signals of calls long past are collected, and the peer told that nothing will come of them.
 */
import { RpcError } from "../errors/rpc-error.ts";

interface OwnSignal {
  readonly signal: WeakRef<AbortSignal>;
  readonly stopListening: () => void;
}

interface Watched {
  readonly table: OwnSignals;
  readonly id: number;
}

/** Hears of signals that were collected, for all sessions of an endpoint. */
export type CollectedSignals = FinalizationRegistry<Watched>;

export function createCollectedSignals(): CollectedSignals {
  return new FinalizationRegistry(({ table, id }) => table.collected(id));
}

/** Live signals that a session sends. Its peer keeps each of them. */
export const maxSignals = 16_384;
/** From here on the engine is asked to collect, once for so many new ones. */
const pressureStep = 4_096;

export interface OwnSignalsOptions {
  readonly collectedSignals: CollectedSignals;
  /** The signal gets a listener for each session that it is sent by. */
  expectListeners(signal: AbortSignal): void;
  collectGarbage(): void;
  /** Tells the peer of an abortion. */
  aborted(id: number, reason: unknown): void;
  /** Tells the peer that a signal will never abort. */
  gone(id: number): void;
}

export class OwnSignals {
  readonly #options: OwnSignalsOptions;
  readonly #signals = new Map<number, OwnSignal>();
  readonly #ids = new WeakMap<AbortSignal, number>();
  /** Of which the peer knows: they may be on their way home. */
  readonly #aborted = new Map<number, WeakRef<AbortSignal>>();
  #lastId = 0;

  constructor(options: OwnSignalsOptions) {
    this.#options = options;
  }

  /** The number of a signal, the same each time. @throws RpcError `limit-exceeded` */
  number(signal: AbortSignal): number {
    return this.#ids.get(signal) ?? this.#add(signal);
  }

  /** The signal that comes home; one that never aborts where it is gone, as it never will. */
  get(id: number): AbortSignal {
    const reference = this.#signals.get(id)?.signal ?? this.#aborted.get(id);
    return reference?.deref() ?? new AbortController().signal;
  }

  collected(id: number): void {
    if (!this.#aborted.delete(id) && this.#signals.delete(id)) this.#options.gone(id);
  }

  /** The session is over. */
  close(): void {
    for (const { stopListening } of this.#signals.values()) stopListening();
    this.#signals.clear();
  }

  #add(signal: AbortSignal): number {
    this.#makeRoom();
    const id = ++this.#lastId;
    this.#ids.set(signal, id);
    this.#signals.set(id, { signal: new WeakRef(signal), stopListening: this.#listen(signal, id) });
    this.#options.collectedSignals.register(signal, { table: this, id });
    return id;
  }

  /** The listener knows the signal only while it fires: else it would keep it alive. */
  #listen(signal: AbortSignal, id: number): () => void {
    const onAbort = ({ target }: Event) => {
      this.#signals.delete(id);
      this.#aborted.set(id, new WeakRef(target as AbortSignal));
      this.#options.aborted(id, (target as AbortSignal).reason);
    };
    this.#options.expectListeners(signal);
    signal.addEventListener("abort", onAbort, { once: true });
    const reference = new WeakRef(signal);
    return () => reference.deref()?.removeEventListener("abort", onAbort);
  }

  #makeRoom(): void {
    const { size } = this.#signals;
    if (size > 0 && size % pressureStep === 0) this.#options.collectGarbage();
    if (size < maxSignals) return;
    throw new RpcError("limit-exceeded", `${size} signals that may still abort were sent to this peer`, "not-sent");
  }
}
