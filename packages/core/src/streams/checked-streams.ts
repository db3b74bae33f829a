/**
 * Streams under a contract: each item is what a check makes of it, where it leaves and where it arrives. Whatever they
 * come from, they arrive as async iterators, which is what a contract says they are.
 */
import type { StreamKind } from "../values/codec.ts";
import { streamKindOf } from "../values/streams.ts";
import { iteratorOf, streamOf } from "./far-iterator.ts";
import type { ItemCheck } from "./incoming-stream.ts";

/** What is made of an item before it leaves, at once or later. Throws what the stream ends with. */
export type LeavingCheck = (item: unknown) => unknown;

/** What is really sent. */
export interface CheckedSource {
  readonly source: object;
  readonly kind: StreamKind;
  readonly check: LeavingCheck | undefined;
}

const checkedKey: unique symbol = Symbol.for("farref.checkedStream") as never;

/** What is sent in place of a stream of ours; `undefined` for what can't be streamed. */
export function leavingStream(source: unknown, check: LeavingCheck | undefined): object | undefined {
  const kind = typeof source === "object" && source !== null ? streamKindOf(source) : undefined;
  if (!kind) return undefined;
  const checked = { source, kind, check };
  return { [checkedKey]: checked, [Symbol.asyncIterator]: neverIterated };
}

/** A stream that has come, as the program gets it; `undefined` for what is none. */
export function arrivedStream(
  value: unknown,
  check: ItemCheck | undefined,
): AsyncIterableIterator<unknown> | undefined {
  const stream = typeof value === "object" && value !== null ? streamOf(value) : undefined;
  if (!stream) return undefined;
  stream.check = check;
  return iteratorOf(value as object, stream);
}

export function checkedSource(value: object): CheckedSource | undefined {
  return (value as { readonly [checkedKey]?: CheckedSource })[checkedKey];
}

function neverIterated(): never {
  throw new TypeError("what stands for a stream is only there to be sent");
}
