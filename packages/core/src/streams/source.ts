/**
 * Where the items of a stream come from: each kind of source, asked in one way. Nothing of it is touched before its first
 * step, so that a stream which is never sent, or never read, costs its owner nothing.
 */
import type { StreamKind } from "../values/codec.ts";
import { streamOf } from "./far-iterator.ts";
import { adoptLive, isNodeStream, type LiveSource } from "./live-source.ts";
import type { Step } from "./steps.ts";

export interface Source {
  /** It brings what another process sends: errors go on as they came. */
  readonly isRelay: boolean;
  /** The next step. May throw; may be a promise. */
  next(): Step | PromiseLike<Step>;
  /** Nobody wants more: `finally` runs. Gives what the source returns at last, or a promise of it; may throw. */
  cancel(reason: unknown): unknown;
  /** Nobody will ever read it, though it has left: what it keeps open is closed. Instead of the first step. */
  abandon(reason: unknown): unknown;
  /** It never left: it is its owner's again, as it was. Instead of the first step. */
  giveBack(): void;
}

export function sourceOf(value: object, kind: StreamKind): Source {
  const isRelay = streamOf(value) !== undefined;
  // The encoder has told what it is.
  if (kind === "readable") return new ReadableSource(value as ReadableStream, isRelay);
  return new IterableSource(value as Iterated, isRelay);
}

/** Whether it can be read once only: then it must not be read by two at a time. */
export function isReadOnce(value: object, kind: StreamKind): boolean {
  return kind === "readable" || isIterator(value) || isNodeStream(value);
}

/** Iterators that are not typed return anything. @throws TypeError, as a loop over them does */
export function checkIsObject(method: string, returned: unknown): asserts returned is object {
  const isObject = typeof returned === "function" || (typeof returned === "object" && returned !== null);
  if (!isObject) throw new TypeError(`${method}() returned ${String(returned)}, not an object`);
}

function isIterator(value: object): value is Stepping {
  return typeof (value as Partial<Iterated>).next === "function";
}

type Stepping = AsyncIterator<unknown, unknown, unknown> | Iterator<unknown, unknown, unknown>;
/** An async iterable, or a generator that is not asynchronous. */
type Iterated = Partial<AsyncIterable<unknown>> & Stepping;

class IterableSource implements Source {
  readonly isRelay: boolean;
  readonly #iterable: Iterated;
  readonly #live: LiveSource | undefined;
  #iterator: Stepping | undefined;

  constructor(iterable: Iterated, isRelay: boolean) {
    this.#iterable = iterable;
    this.#live = adoptLive(iterable);
    this.#iterator = this.#live?.iterator;
    this.isRelay = isRelay;
  }

  next(): Step | PromiseLike<Step> {
    this.#iterator ??= iteratorOf(this.#iterable);
    return this.#iterator.next();
  }

  cancel(reason: unknown): unknown {
    this.#live?.close();
    return returned(this.#iterator, reason);
  }

  /** What makes iterators is left alone: only an iterator is nobody else's. */
  abandon(reason: unknown): unknown {
    return isIterator(this.#iterable) ? returned(this.#iterable, reason) : this.cancel(reason);
  }

  giveBack(): void {
    this.#live?.letGo();
  }
}

/** @throws TypeError for what isn't one, as a loop does */
function iteratorOf(iterable: Iterated): Stepping {
  const makes = iterable[Symbol.asyncIterator];
  if (!makes) return iterable;
  const iterator: unknown = Reflect.apply(makes, iterable, []);
  checkIsObject("[Symbol.asyncIterator]", iterator);
  if (!isIterator(iterator)) throw new TypeError("[Symbol.asyncIterator]() returned an object without next()");
  return iterator;
}

/** What an iterator returns when it is told to end. */
async function returned(iterator: Stepping | undefined, reason: unknown): Promise<unknown> {
  const step = await iterator?.return?.(reason);
  return step?.value;
}

class ReadableSource implements Source {
  readonly isRelay: boolean;
  readonly #stream: ReadableStream;
  #reader: ReadableStreamDefaultReader | undefined;

  constructor(stream: ReadableStream, isRelay: boolean) {
    this.#stream = stream;
    this.isRelay = isRelay;
  }

  async next(): Promise<Step> {
    this.#reader ??= this.#stream.getReader();
    const step = await this.#reader.read();
    if (step.done) this.#reader.releaseLock();
    return step as Step;
  }

  async cancel(reason: unknown): Promise<void> {
    await this.#reader?.cancel(reason);
    this.#reader?.releaseLock();
  }

  async abandon(reason: unknown): Promise<void> {
    if (!this.#stream.locked) await this.#stream.cancel(reason);
  }

  giveBack(): void {}
}
