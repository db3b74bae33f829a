/** How many sessions hold each object of an endpoint: the last one to let go disposes it. */
import { toError } from "../errors/to-error.ts";
import { originalOf } from "./contracts.ts";
import { referenceOf } from "./stub.ts";

export class HeldObjects {
  readonly #sessions = new Map<object, number>();
  /** Fronts of one session: they end with it, whoever else has held them. */
  readonly #fronts = new Set<object>();
  /** An object is disposed once, however often it is handed out again. */
  readonly #disposed = new WeakSet<object>();
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

  /** A session has given the object back: disposes it when that was the last. */
  drop(object: object): void {
    const original = originalOf(object);
    if (this.#forget(original) > 0 || this.#isPinned(original) || this.#fronts.has(original)) return;
    // A stub passed on is still ours: when nobody here holds it either, its own hold goes back.
    if (!referenceOf(original)) this.#dispose(original);
  }

  /** A session never got the object it was to get. */
  forget(object: object): void {
    this.#forget(originalOf(object));
  }

  /** The object is a front of one session, or of one call. */
  adoptFront(front: object): void {
    this.#fronts.add(originalOf(front));
  }

  /** The session, or the call, of the front is over. */
  disposeFront(front: object): void {
    const original = originalOf(front);
    this.#fronts.delete(original);
    if (!this.#isPinned(original)) this.#dispose(front);
  }

  /** Returns how many sessions still hold it. */
  #forget(original: object): number {
    const sessions = (this.#sessions.get(original) ?? 0) - 1;
    if (sessions > 0) this.#sessions.set(original, sessions);
    else this.#sessions.delete(original);
    return sessions;
  }

  #dispose(object: object): void {
    const original = originalOf(object);
    if (this.#disposed.has(original)) return;
    this.#disposed.add(original);
    disposeGuarded(object, this.#onError);
  }
}

/** Runs an object's `[Symbol.dispose]`, where it has one; what it throws goes to `onError`. */
function disposeGuarded(object: object, onError: (error: Error) => void): void {
  try {
    const dispose = (object as Partial<Disposable>)[Symbol.dispose];
    if (typeof dispose === "function") dispose.call(object);
  } catch (error) {
    onError(toError(error));
  }
}
