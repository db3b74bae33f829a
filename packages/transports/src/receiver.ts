/**
 * Stands between a platform's events and whoever started the channel, and keeps the promises every channel makes:
 * nothing before `start`, nothing while paused, `closed` exactly once and nothing after it, nothing lost in between,
 * and nothing that a callback throws ever reaches the platform.
 */
import { type ChannelEvents, toError } from "@farref/core";

type State =
  | { readonly kind: "waiting" }
  | { readonly kind: "open" | "paused"; readonly on: ChannelEvents }
  | { readonly kind: "closed" };

const waiting: State = { kind: "waiting" };
const closed: State = { kind: "closed" };

export class Receiver {
  #state: State = waiting;
  /** Chunks that came while they could not be handed out; while there are any, later ones queue behind them. */
  #held: Uint8Array[] | undefined;
  #end: { readonly error: Error | undefined } | undefined;
  #isAbandoned = false;
  readonly #failed: (error: Error) => void;

  /** `failed` hears what a callback threw; it should destroy the channel. */
  constructor(failed: (error: Error) => void) {
    this.#failed = failed;
  }

  start(on: ChannelEvents): void {
    if (this.#state.kind !== "waiting") throw new Error("a channel is started once");
    this.#state = { kind: "open", on };
    this.#flushSoon();
  }

  /** Says whether it changed anything: before `start` and after `closed` it does not. */
  pause(): boolean {
    if (this.#state.kind !== "open") return false;
    this.#state = { kind: "paused", on: this.#state.on };
    return true;
  }

  /** Says whether it changed anything. */
  resume(): boolean {
    if (this.#state.kind !== "paused") return false;
    this.#state = { kind: "open", on: this.#state.on };
    this.#flushSoon();
    return true;
  }

  chunk(bytes: Uint8Array): void {
    if (this.#end || this.#isAbandoned) return;
    if (this.#state.kind === "open" && !this.#held) {
      this.#hand(this.#state.on, bytes);
      return;
    }
    this.#held ??= [];
    this.#held.push(bytes);
  }

  drained(): void {
    if (this.#end || this.#isAbandoned || this.#state.kind === "waiting" || this.#state.kind === "closed") return;
    try {
      this.#state.on.drained();
    } catch (thrown) {
      this.#failed(toError(thrown));
    }
  }

  /** The first call counts. An orderly end comes after the chunks held; a failure comes at once, they are lost. */
  closed(error?: Error): void {
    if (this.#end) return;
    this.#end = { error };
    if (error) this.#held = undefined;
    if (this.#state.kind !== "waiting" && !this.#held) this.#close();
  }

  /** The channel is being destroyed: of all that may still come, only `closed` is handed out. */
  abandon(): void {
    this.#isAbandoned = true;
    this.#held = undefined;
  }

  #flushSoon(): void {
    if (this.#held || this.#end) queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    while (this.#state.kind === "open" && this.#held) {
      const bytes = this.#held.shift();
      if (bytes) this.#hand(this.#state.on, bytes);
      if (this.#held?.length === 0) this.#held = undefined;
    }
    if (this.#end && !this.#held) this.#close();
  }

  #hand(on: ChannelEvents, bytes: Uint8Array): void {
    try {
      on.chunk(bytes);
    } catch (thrown) {
      this.#failed(toError(thrown));
    }
  }

  #close(): void {
    if (this.#state.kind === "closed" || this.#state.kind === "waiting") return;
    const { on } = this.#state;
    this.#state = closed;
    try {
      on.closed(this.#end?.error);
    } catch {
      // The channel is gone: nobody is left who could be told, and the process must not end for it.
    }
  }
}
