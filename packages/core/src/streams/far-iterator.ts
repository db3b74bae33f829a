/** What a program holds of a stream that has come: an async iterator over it, or a `ReadableStream`. */
import type { StreamKind } from "../values/codec.ts";
import type { IncomingStream } from "./incoming-stream.ts";
import type { Step } from "./steps.ts";

const streamKey: unique symbol = Symbol("farref.stream");

/** The stream behind what `faceOf` has made; `undefined` for anything else. */
export function streamOf(value: object): IncomingStream | undefined {
  return (value as { readonly [streamKey]?: IncomingStream })[streamKey];
}

export function faceOf(stream: IncomingStream, kind: StreamKind): object {
  return kind === "readable" ? readableOf(stream) : new FarIterator(stream);
}

/** The same stream as an iterator. What it came as lives as long, for who drops that would end the stream. */
export function iteratorOf(face: object, stream: IncomingStream): AsyncIterableIterator<unknown> {
  return face instanceof FarIterator ? face : new FarIterator(stream, face);
}

/**
 * Reading begins with the first `next`. Several may be called before the first has settled; `return` and `throw` end the
 * far producer, and settle when its `finally` is done or it has had a second for it.
 */
class FarIterator implements AsyncIterableIterator<unknown, unknown, unknown>, AsyncDisposable {
  declare readonly [streamKey]: IncomingStream;
  /** Another face of the same stream. */
  readonly #kept: object | undefined;

  constructor(stream: IncomingStream, kept?: object) {
    Object.defineProperty(this, streamKey, { value: stream });
    this.#kept = kept;
  }

  next(): Promise<Step> {
    return this[streamKey].next(this.#kept ?? this);
  }

  return(value?: unknown): Promise<Step> {
    return this[streamKey].cancel(value);
  }

  async throw(error?: unknown): Promise<Step> {
    await this[streamKey].cancel(undefined);
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this[streamKey].cancel(undefined);
  }
}

/** Takes one item from the stream for each that is read: nothing is read ahead here. */
function readableOf(stream: IncomingStream): ReadableStream {
  const readable = new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await stream.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel(reason) {
        await stream.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
  return Object.defineProperty(readable, streamKey, { value: stream });
}
