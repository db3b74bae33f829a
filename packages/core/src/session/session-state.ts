/** Where a session stands, and who is told: open, perhaps draining, closed. */
import { toError } from "../errors/to-error.ts";
import type { CloseReason, Session } from "../types/session.ts";
import type { SessionEnd } from "./session-end.ts";

/** A change of state; with the reason once closed. */
export type StateListener = (state: Session["state"], reason?: CloseReason) => void;

export class SessionState {
  readonly closed: Promise<CloseReason>;
  /** Settles when the channel is gone too. */
  readonly gone: Promise<void>;
  /** Set as soon as it begins to end: nothing new begins, though it is not closed before everything it held has gone. */
  end: SessionEnd | undefined;
  readonly #onError: (error: Error) => void;
  readonly #listeners = new Set<StateListener>();
  #now: "open" | "draining" | "closed" = "open";
  #tellClosed!: (reason: CloseReason) => void;
  #tellGone!: () => void;

  /** `onError` hears what listeners throw. */
  constructor(onError: (error: Error) => void) {
    this.#onError = onError;
    this.closed = new Promise((resolve) => {
      this.#tellClosed = resolve;
    });
    this.gone = new Promise((resolve) => {
      this.#tellGone = resolve;
    });
  }

  get now(): Session["state"] {
    return this.#now;
  }

  /** Calls `listener` at each change. Returns a function that stops it. */
  on(listener: StateListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** One of the two sides takes no new calls. Returns whether that is new. */
  drain(): boolean {
    if (this.#now !== "open") return false;
    this.#become("draining");
    return true;
  }

  /** Everything that the session held has gone. */
  close(reason: CloseReason): void {
    this.#become("closed");
    this.#listeners.clear();
    this.#tellClosed(reason);
  }

  channelGone(): void {
    this.#tellGone();
  }

  #become(state: "draining" | "closed"): void {
    this.#now = state;
    for (const listener of [...this.#listeners]) this.#tell(listener, state);
  }

  /** What a program's listener throws is the program's to hear, and changes nothing here. */
  #tell(listener: StateListener, state: Session["state"]): void {
    try {
      listener(state, this.end?.reason);
    } catch (error) {
      this.#onError(toError(error));
    }
  }
}
