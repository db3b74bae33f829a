/** A place for a stream. Streams do not travel in this version: the value is refused where it would leave. */
import { schemaOf } from "./place.ts";
import { accepted, type Checked, type InputOf, type OutputOf, type Schema, unexpected } from "./schema.ts";

/**
 * A schema for async iterables and `ReadableStream`s, by a schema of their items.
 *
 * @example
 * const log = defineContract({ lines: method([], stream(z.string())) });
 */
export function stream<I extends Schema>(
  item: I,
): Schema<AsyncIterable<InputOf<I>>, AsyncIterableIterator<OutputOf<I>>> {
  void item;
  return schemaOf({ arriving: checked, leaving: checked });
}

function checked(value: unknown): Checked {
  return isStream(value) ? accepted(value) : unexpected("a stream", value);
}

function isStream(value: unknown): boolean {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}
