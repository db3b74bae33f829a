/** How many sessions hold each object of an endpoint: the last one to let go disposes it. */
import { originalOf } from "./contracts.ts";
import { referenceOf } from "./stub.ts";

export class HeldObjects {
  readonly #sessions = new Map<object, number>();
  readonly #isPinned: (object: object) => boolean;
  readonly #onError: (error: Error) => void;

  /** `isPinned` tells fronts and published objects: their owner decides when they end. */
  constructor(isPinned: (object: object) => boolean, onError: (error: Error) => void) {
    this.#isPinned = isPinned;
    this.#onError = onError;
  }

  get size(): number {
    return this.#sessions.size;
  }

  hold(object: object): void {
    const original = originalOf(object);
    this.#sessions.set(original, (this.#sessions.get(original) ?? 0) + 1);
  }

  drop(object: object): void {
    const original = originalOf(object);
    const sessions = this.#sessions.get(original) ?? 0;
    if (sessions > 1) {
      this.#sessions.set(original, sessions - 1);
      return;
    }
    this.#sessions.delete(original);
    // A stub passed on is still ours: when nobody here holds it either, its own hold goes back.
    if (!this.#isPinned(original) && !referenceOf(original)) disposeGuarded(original, this.#onError);
  }
}

/** Runs an object's `[Symbol.dispose]`, where it has one; what it throws goes to `onError`. */
export function disposeGuarded(object: object, onError: (error: Error) => void): void {
  try {
    const dispose = (object as Partial<Disposable>)[Symbol.dispose];
    if (typeof dispose === "function") dispose.call(object);
  } catch (error) {
    onError(error instanceof Error ? error : new Error(String(error)));
  }
}
