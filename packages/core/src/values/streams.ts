/** Streams on the wire: what can be one, and its number. Their items come in frames of their own. */
import type { StreamKind } from "./codec.ts";
import type { Encoder } from "./encoder.ts";
import type { Extension } from "./extension.ts";
import { iterableType, readableType } from "./extension-types.ts";
import { Marker } from "./references.ts";
import { unsupported } from "./refusal.ts";

/** Known without a look at its class: most objects that are sent are none, and should not pay for it. */
export function iteratesAsynchronously(value: object): boolean {
  return typeof (value as Partial<AsyncIterable<unknown>>)[Symbol.asyncIterator] === "function";
}

/** The other kinds of streams, by the name that a class of the platform goes by in `[object …]`. */
export function isStreamClass(value: object): boolean {
  const name = classOf(value);
  return name === "ReadableStream" || name === "Generator";
}

/** As what a value would travel; `undefined` for what is no stream. */
export function streamKindOf(value: object): StreamKind | undefined {
  if (!iteratesAsynchronously(value) && !isStreamClass(value)) return undefined;
  return classOf(value) === "ReadableStream" ? "readable" : "iterable";
}

/** The row for a stream: a `ReadableStream` is one though it also iterates, where the platform lets it. */
export function streamRow(value: object): Extension<object> {
  return streamKindOf(value) === "readable" ? readables : iterables;
}

function classOf(value: object): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

export const iterables: Extension<object> = {
  type: iterableType,
  prototypes: [],
  write: (encoder, value) => writeStream(encoder, iterableType, encoder.exporter.stream(value, "iterable")),
  read: (decoder) => decoder.mark(new Marker("iterable", decoder.varint(), "")),
};

export const readables: Extension<object> = {
  type: readableType,
  prototypes: [],
  write(encoder, stream) {
    if ((stream as ReadableStream).locked) throw unsupported(lockedStream);
    writeStream(encoder, readableType, encoder.exporter.stream(stream, "readable"));
  },
  read: (decoder) => decoder.mark(new Marker("readable", decoder.varint(), "")),
};

export const lockedStream = "the stream is locked; send it before anybody reads it";

function writeStream({ writer }: Encoder, type: number, id: number): void {
  writer.ensure(16);
  writer.u8(0xc7);
  const begun = writer.position + 2;
  writer.position = begun;
  writer.varint(id);
  writer.bytes[begun - 2] = writer.position - begun;
  writer.bytes[begun - 1] = type;
}
