/** Writes the frames of streams: what ours say, and what we tell the producers of the peer's. */
import { RpcError } from "../errors/rpc-error.ts";
import type { OutgoingStream, Saying } from "../streams/outgoing-stream.ts";
import type { Codec } from "../values/codec.ts";
import type { ByteWriter } from "../wire/byte-writer.ts";
import { type AttachedLengths, frame, streamFlag } from "../wire/frames.ts";
import type { Outbox } from "../wire/outbox.ts";
import { asExecuted } from "./answers.ts";
import type { Departures } from "./departures.ts";
import type { Thrower } from "./disclosure.ts";
import type { SharedLimits } from "./environment.ts";
import { encodeThrown, refusalLimits, refusalParts, type Thrown } from "./wire-error.ts";

export interface StreamWriterOptions {
  readonly codec: Codec;
  readonly outbox: Outbox;
  readonly departures: Departures;
  readonly peerLimits: SharedLimits;
  /** What the peer is told of what a source threw. */
  told(thrown: unknown, by: Thrower): Thrown | RpcError;
}

export class StreamWriter {
  readonly #options: StreamWriterOptions;
  /** Of the frame that is open. */
  #attached: AttachedLengths;

  constructor(options: StreamWriterOptions) {
    this.#options = options;
  }

  /**
   * Writes what a stream says, and where it stands into `stream`. Returns its bytes; -1 when they are more than
   * `maxBytes`, and nothing was written. @throws RpcError for what can't be sent
   */
  say(stream: OutgoingStream, saying: Saying, maxBytes: number): number {
    const { outbox, departures } = this.#options;
    const bytes = this.#write(stream, saying);
    if (bytes > maxBytes) {
      this.#abandon();
      return -1;
    }
    departures.take();
    stream.large = undefined;
    outbox.endAt(stream, "item", this.#attached);
    return bytes;
  }

  credit(id: number, items: number, bytes: number): void {
    const { outbox } = this.#options;
    const writer = outbox.begin(frame.streamCredit);
    writer.varint(id);
    writer.varint(items);
    writer.varint(bytes);
    outbox.end("control");
  }

  /** A reason that can't be sent must not keep a stream from being cancelled. */
  cancel(id: number, reason: unknown): void {
    try {
      this.#writeCancel(id, reason);
    } catch {
      this.#abandon();
      this.#writeCancel(id, undefined);
    }
  }

  #writeCancel(id: number, reason: unknown): void {
    const { codec, outbox, departures, peerLimits } = this.#options;
    const writer = outbox.begin(frame.streamCancel);
    writer.varint(id);
    codec.encode(writer, departures.bare(reason), departures.ofReplies, peerLimits, "reason");
    this.#checkSize();
    departures.take();
    outbox.end("control");
  }

  /** Leaves the frame open, and returns its bytes. */
  #write(stream: OutgoingStream, saying: Saying): number {
    const { outbox, departures } = this.#options;
    const writer = outbox.begin(frames[saying.kind]);
    this.#attached = undefined;
    departures.maker = stream.origin;
    departures.refers = false;
    try {
      writer.varint(stream.id);
      const flagsAt = writer.length;
      writer.u8(stream.isCancelled ? streamFlag.answersCancel : 0);
      const flags = this.#body(writer, stream, saying) | (departures.refers ? streamFlag.refers : 0);
      if (flags > 0) writer.bytes[writer.start + flagsAt]! |= flags;
      return this.#checkSize();
    } catch (error) {
      this.#abandon();
      throw asExecuted(error);
    } finally {
      departures.written();
    }
  }

  /** Returns the flags of what was written. */
  #body(writer: ByteWriter, stream: OutgoingStream, saying: Saying): number {
    switch (saying.kind) {
      case "item":
        return this.#value(writer, saying.value, "item");
      case "end":
        return this.#value(writer, saying.value, "result");
      case "refused":
        return this.#refusal(writer, saying.error);
      case "thrown": {
        const told = this.#options.told(saying.thrown, stream.isRelay ? "relay" : "program");
        return told instanceof RpcError ? this.#refusal(writer, told) : this.#thrown(writer, told);
      }
    }
  }

  #thrown(writer: ByteWriter, thrown: Thrown): number {
    const { codec, departures, peerLimits } = this.#options;
    encodeThrown(writer, thrown, codec, departures.ofReplies, peerLimits, () => departures.undo());
    return streamFlag.thrown;
  }

  #refusal(writer: ByteWriter, error: RpcError): number {
    const { codec, departures } = this.#options;
    codec.encodeList(writer, refusalParts(error), departures.ofReplies, refusalLimits, "error");
    return 0;
  }

  #value(writer: ByteWriter, value: unknown, root: string): number {
    const { codec, departures, peerLimits } = this.#options;
    const sent = departures.bare(value);
    this.#attached = codec.encode(writer, sent, departures.ofReplies, peerLimits, root, "behind");
    return 0;
  }

  #checkSize(): number {
    const { maxMessageBytes } = this.#options.peerLimits;
    const bytes = this.#options.outbox.openBytes;
    if (bytes <= maxMessageBytes) return bytes;
    const detail = `an item of ${bytes} bytes, the consumer takes ${maxMessageBytes} (limits.maxMessageBytes)`;
    throw new RpcError("limit-exceeded", detail, "executed");
  }

  #abandon(): void {
    this.#options.outbox.abandon();
    this.#options.departures.undo();
  }
}

const frames = {
  item: frame.streamItem,
  end: frame.streamEnd,
  thrown: frame.streamError,
  refused: frame.streamError,
} as const;
