/** Writes the frames of streams: what ours say, and what we tell the producers of the peer's. */
import { RpcError } from "../errors/rpc-error.ts";
import type { OutgoingStream, Saying } from "../streams/outgoing-stream.ts";
import type { Codec } from "../values/codec.ts";
import type { ByteWriter } from "../wire/byte-writer.ts";
import { frame, streamErrorFlag } from "../wire/frames.ts";
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
    outbox.endAt(stream, "item");
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
    const { outbox, departures } = this.#options;
    const writer = outbox.begin(frame.streamCancel);
    writer.varint(id);
    this.#encode(writer, reason, "reason");
    this.#checkSize();
    departures.take();
    outbox.end("control");
  }

  /** Leaves the frame open, and returns its bytes. */
  #write(stream: OutgoingStream, saying: Saying): number {
    const { outbox, departures } = this.#options;
    const writer = outbox.begin(frames[saying.kind]);
    departures.maker = stream.origin;
    try {
      writer.varint(stream.id);
      this.#body(writer, stream, saying);
      return this.#checkSize();
    } catch (error) {
      this.#abandon();
      throw asExecuted(error);
    } finally {
      departures.written();
    }
  }

  #body(writer: ByteWriter, stream: OutgoingStream, saying: Saying): void {
    if (saying.kind === "item") this.#encode(writer, saying.value, "item");
    else if (saying.kind === "end") this.#encode(writer, saying.value, "result");
    else if (saying.kind === "refused") this.#refusal(writer, stream, saying.error);
    else {
      const told = this.#options.told(saying.thrown, stream.isRelay ? "relay" : "program");
      if (told instanceof RpcError) this.#refusal(writer, stream, told);
      else this.#thrown(writer, stream, told);
    }
  }

  #thrown(writer: ByteWriter, stream: OutgoingStream, thrown: Thrown): void {
    const { codec, departures, peerLimits } = this.#options;
    writer.u8(streamErrorFlag.thrown | flagsOf(stream));
    encodeThrown(writer, thrown, codec, departures.ofReplies, peerLimits, () => departures.undo());
  }

  #refusal(writer: ByteWriter, stream: OutgoingStream, error: RpcError): void {
    const { codec, departures } = this.#options;
    writer.u8(flagsOf(stream));
    codec.encodeList(writer, refusalParts(error), departures.ofReplies, refusalLimits, "error");
  }

  #encode(writer: ByteWriter, value: unknown, root: string): void {
    const { codec, departures, peerLimits } = this.#options;
    codec.encode(writer, departures.bare(value), departures.ofReplies, peerLimits, root);
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

function flagsOf({ isCancelled }: OutgoingStream): number {
  return isCancelled ? streamErrorFlag.ofEnding : 0;
}
