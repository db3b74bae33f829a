/** Puts calls of ours into frames: method names, header, arguments. What throws leaves nothing behind. */
import type { Clock } from "../clock/clock.ts";
import type { Codec } from "../values/codec.ts";
import { ByteWriter } from "../wire/byte-writer.ts";
import { type AttachedLengths, callFlag, frame } from "../wire/frames.ts";
import { encodeName, writeContext, writeName, writePasses } from "../wire/names.ts";
import type { Outbox } from "../wire/outbox.ts";
import type { Departures } from "./departures.ts";
import type { SharedLimits } from "./environment.ts";
import { SentMethodNames } from "./method-names.ts";
import type { PendingCall } from "./pending-call.ts";
import { PipelineStep } from "./pipeline-step.ts";

const maxCallNumberBytes = 8;

/** The arguments of a call as they were when it was made; what is attached stands at the end of the bytes. */
export class EncodedArguments {
  readonly bytes: Uint8Array;
  readonly attached: AttachedLengths;

  constructor(bytes: Uint8Array, attached: AttachedLengths) {
    this.bytes = bytes;
    this.attached = attached;
  }
}

export interface CallWriterOptions {
  readonly clock: Clock;
  readonly codec: Codec;
  readonly outbox: Outbox;
  readonly departures: Departures;
  readonly peerLimits: SharedLimits;
  /** A value may have ended the session while it was being encoded. @throws RpcError `closed` */
  requireSession(call: PendingCall): void;
}

export class CallWriter {
  readonly #options: CallWriterOptions;
  readonly #outbox: Outbox;
  readonly #departures: Departures;
  readonly #names = new SentMethodNames();

  constructor(options: CallWriterOptions) {
    this.#options = options;
    this.#outbox = options.outbox;
    this.#departures = options.departures;
  }

  /** Writes the frame of call `id`, with its arguments or what `encodeAhead` made of them. Returns its bytes. */
  write(call: PendingCall, id: number, args: readonly unknown[] | EncodedArguments): number {
    const methodNumber = this.#methodNumber(call.method);
    const writer = this.#outbox.begin(frame.call);
    let attached: AttachedLengths;
    try {
      writer.varint(id);
      const flagsAt = this.#header(writer, call, methodNumber);
      attached = this.#arguments(writer, args);
      if ((call.departed ?? this.#departures.departing)?.results) setFlag(writer, flagsAt, callFlag.resultArguments);
      this.#options.requireSession(call);
      this.#checkSize(call, this.#outbox.openBytes);
    } catch (error) {
      this.#outbox.abandon();
      throw this.#departures.undo() ?? error;
    }
    call.departed ??= this.#departures.take();
    const bytes = this.#outbox.openBytes;
    this.#outbox.endAt(call, "call", attached);
    return bytes;
  }

  /** Encodes the arguments as they are now, for a call that is sent later. */
  encodeAhead(call: PendingCall, args: readonly unknown[]): EncodedArguments {
    const writer = new ByteWriter(new Uint8Array(256));
    let attached: AttachedLengths;
    try {
      // Written for its size and its errors only: it is written again, with its number, when the call is sent.
      this.#header(writer, call, 0);
      const headerBytes = writer.length + maxCallNumberBytes;
      writer.position = writer.start;
      attached = this.#arguments(writer, args);
      this.#options.requireSession(call);
      this.#checkSize(call, headerBytes + writer.length);
    } catch (error) {
      throw this.#departures.undo() ?? error;
    }
    call.departed = this.#departures.take();
    return new EncodedArguments(withoutSlack(writer), attached);
  }

  writeLookup(call: PendingCall, name: Uint8Array): void {
    const writer = this.#outbox.begin(frame.lookup);
    writer.varint(call.id);
    writeName(writer, name);
    this.#outbox.endAt(call, "call");
  }

  /** Tells the peer, behind every message that was begun, that nobody waits for the call any more. */
  writeCancel(id: number): void {
    this.#outbox.begin(frame.cancel).varint(id);
    this.#outbox.end("control");
  }

  /** Returns what of them stands behind the body. */
  #arguments(writer: ByteWriter, args: readonly unknown[] | EncodedArguments): AttachedLengths {
    if (args instanceof EncodedArguments) {
      writer.raw(args.bytes);
      return args.attached;
    }
    const { codec, peerLimits } = this.#options;
    return codec.encodeList(writer, args, this.#departures, peerLimits, "args", "behind");
  }

  /** The number the method goes by; a new name is announced before its first use. */
  #methodNumber(name: string): number {
    const number = this.#names.number(name);
    if (number >= 0) return number;
    const bytes = encodeName(name, "the method's name");
    writeName(this.#outbox.begin(frame.method), bytes);
    this.#outbox.end("control");
    return this.#names.add(name);
  }

  /** Returns where the flags stand. */
  #header(writer: ByteWriter, call: PendingCall, methodNumber: number): number {
    const remainingMs = call.options ? call.remainingMs(this.#options.clock.now()) : undefined;
    const context = call.options?.context;
    let flags = 0;
    if (remainingMs !== undefined) flags |= callFlag.timeout;
    if (call.depth > 0) flags |= callFlag.depth;
    if (context) flags |= callFlag.context;
    if (methodNumber === 0) flags |= callFlag.inlineMethod;
    if (call.target instanceof PipelineStep) flags |= callFlag.onResult;
    if (call.step) flags |= callFlag.keepResult;
    if (call.isOneway) flags |= callFlag.oneway;
    if (call.issued) flags |= callFlag.passes;
    writer.varint(call.target.id);
    writer.varint(methodNumber);
    const flagsAt = writer.length;
    writer.varint(flags);
    if (methodNumber === 0) writeName(writer, encodeName(call.method, "the method's name"));
    if (remainingMs !== undefined) writer.varint(remainingMs);
    if (call.depth > 0) writer.varint(call.depth);
    if (context) writeContext(writer, context);
    if (call.issued) writePasses(writer, call.issued.passes);
    return flagsAt;
  }

  #checkSize(call: PendingCall, bytes: number): void {
    const { maxMessageBytes } = this.#options.peerLimits;
    if (bytes <= maxMessageBytes) return;
    const detail = `a message of ${bytes} bytes, the peer takes ${maxMessageBytes} (limits.maxMessageBytes)`;
    throw call.error("limit-exceeded", detail, "not-sent");
  }
}

/** What was written, in no more memory than it takes; where that is most of it already, without a copy. */
function withoutSlack(writer: ByteWriter): Uint8Array {
  const written = writer.written();
  return writer.bytes.length - written.length < written.length / 4 ? written : written.slice();
}

/** Adds one of the first seven flags to those that were written: they stand in one byte, the others behind it. */
function setFlag(writer: ByteWriter, at: number, flag: number): void {
  const index = writer.start + at;
  writer.bytes[index] = (writer.bytes[index] as number) | flag;
}
