/**
 * What the session asks of values, and what values ask of the session. A codec turns values into bytes and back; what
 * an object reference means it leaves to an `Exporter` and an `Importer`: neither knows what a session is.
 */
import type { Attachments } from "../wire/byte-reader.ts";
import type { ByteWriter } from "../wire/byte-writer.ts";
import type { AttachedLengths } from "../wire/frames.ts";
import type { Placeholder } from "./placeholder.ts";

/** The wire form of an object: its kind, its number in the export table of its owner, its type's name for printing. */
export interface WireReference {
  /**
   * `object` and `function` are the sender's exports, `home` is the receiver's own export coming back, `result` what a
   * call of the sender's will return.
   */
  readonly kind: "object" | "function" | "home" | "result";
  readonly id: number;
  /** Class or function name, at most 64 characters; `""` for `home` and `result`. */
  readonly name: string;
}

/** What iterates asynchronously, and arrives as an iterator; or a `ReadableStream`, which arrives as one. */
export type StreamKind = "iterable" | "readable";

/** The wire form of a stream: its number among those its producer has sent. */
interface WireStream {
  readonly kind: StreamKind;
  readonly id: number;
}

/**
 * The wire form of an abort signal that may still abort: the sender's, or the receiver's own coming back, with its number
 * among those its owner has sent.
 */
export interface WireSignal {
  readonly kind: "signal" | "ownSignal";
  readonly id: number;
}

/** A signal that had been aborted before it was sent. */
interface WireAborted {
  readonly kind: "aborted";
  readonly id: number;
  readonly reason: unknown;
}

/** What a message refers to. */
export type WireMark = WireReference | WireStream | WireSignal | WireAborted;

/** Asked while encoding. What it hands out is undone by its owner when the encoding throws. */
export interface Exporter {
  /** The reference for a function, a marked object or a stub. @throws RpcError `unsupported-value`, `limit-exceeded` */
  reference(value: object): WireReference;
  /** Opens a stream and gives its number. @throws RpcError `unsupported-value`, `limit-exceeded` */
  stream(value: object, kind: StreamKind): number;
  /** Gives the number of a signal that is not aborted. @throws RpcError `limit-exceeded` */
  signal(signal: AbortSignal): WireSignal;
  /** Whether an unmarked object travels as a reference all the same: a front or a published object. */
  isPinned(value: object): boolean;
  /** What is sent in place of a function: the result that came of a pipelined call; any other stands for itself. */
  standIn(value: object): unknown;
}

/** Asked after decoding, once for each reference, stream and signal of a message, in the order they stand in it. */
export interface Importer {
  /** The stub, the original object for `home`, the stream, the signal. @throws RpcError when there is no such thing or no room. */
  resolve(mark: WireMark): unknown;
}

export interface ValueLimits {
  readonly maxDepth: number;
  readonly maxNodes: number;
  /** Where it is said, no more binary than that is copied behind a body. */
  readonly maxMessageBytes?: number;
}

/** A decoded message part: `value` holds inert markers until `hydrate` puts stubs in their places. */
export interface Decoded<T = unknown> {
  readonly value: T;
  /** The references and streams of the message in their order; empty for most. */
  readonly references: readonly WireMark[];
  /** Where there are values of registered classes: these and the references, each behind all that is part of it. */
  readonly placeholders?: readonly Placeholder[] | undefined;
}

/** Where binary goes that does not fit a frame: into the body like the rest, or `behind` it, to be attached. */
export type BinaryPlace = "body" | "behind";

export interface Codec {
  /**
   * Appends one value; `root` begins the path that an error names (`result`). Returns how long what stands behind the body is.
   * @throws RpcError `not-sent`
   */
  encode(
    writer: ByteWriter,
    value: unknown,
    exporter: Exporter,
    limits: ValueLimits,
    root: string,
    place?: BinaryPlace,
  ): AttachedLengths;
  /** Appends a list of values that share one identity table: the arguments of a call. */
  encodeList(
    writer: ByteWriter,
    values: readonly unknown[],
    exporter: Exporter,
    limits: ValueLimits,
    root: string,
    place?: BinaryPlace,
  ): AttachedLengths;
  /** Reads exactly one value from `bytes[start, end)` and all that came beside it. Calls nothing of a program's. @throws RpcError `protocol`, `limit-exceeded` */
  decode(bytes: Uint8Array, start: number, end: number, limits: ValueLimits, attachments?: Attachments): Decoded;
  decodeList(
    bytes: Uint8Array,
    start: number,
    end: number,
    limits: ValueLimits,
    attachments?: Attachments,
  ): Decoded<unknown[]>;
  /**
   * Replaces the markers in a decoded value and returns it (the root itself may be a marker). Registered values are
   * unpacked, the innermost first: that is the program's code.
   * @throws RpcError `invalid-argument` when one can't be unpacked, and what the importer throws
   */
  hydrate<T>(decoded: Decoded<T>, importer: Importer): T;
  /** Whether an error keeps its class when it is thrown, where that is registered too. */
  keepsClass(thrown: unknown): thrown is Error;
}
