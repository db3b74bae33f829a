/** Writes the answers to the peer's calls: what a method returned, what it threw, why it was not run. */
import { RpcError } from "../errors/rpc-error.ts";
import type { StreamMaker } from "../streams/outgoing-stream.ts";
import type { Codec } from "../values/codec.ts";
import type { ByteWriter } from "../wire/byte-writer.ts";
import { type AttachedLengths, errorFlag, frame } from "../wire/frames.ts";
import type { Outbox } from "../wire/outbox.ts";
import type { Departures } from "./departures.ts";
import type { SharedLimits } from "./environment.ts";
import { encodeThrown, refusalLimits, refusalParts, type Thrown } from "./wire-error.ts";

export class Answers {
  readonly #codec: Codec;
  readonly #outbox: Outbox;
  readonly #departures: Departures;
  readonly #peerLimits: SharedLimits;
  /** Bytes of the last result, for who keeps it. */
  lastBytes = 0;

  constructor(codec: Codec, outbox: Outbox, departures: Departures, peerLimits: SharedLimits) {
    this.#codec = codec;
    this.#outbox = outbox;
    this.#departures = departures;
    this.#peerLimits = peerLimits;
  }

  /** Answers with a value, or with why it can't be sent: that is returned. Streams in it are made within `maker`. */
  result(callId: number, value: unknown, maker?: StreamMaker): RpcError | undefined {
    const writer = this.#outbox.begin(frame.result);
    const departures = this.#departures;
    departures.maker = maker;
    let attached: AttachedLengths;
    try {
      writer.varint(callId);
      const sent = departures.bare(value);
      attached = this.#codec.encode(writer, sent, departures.ofReplies, this.#peerLimits, "result", "behind");
      this.#checkSize();
    } catch (error) {
      this.#abandon();
      const refusal = asExecuted(error);
      this.refusal(callId, refusal, 0);
      return refusal;
    } finally {
      departures.written();
    }
    departures.take();
    this.lastBytes = this.#outbox.openBytes;
    this.#outbox.end("reply", attached);
    return undefined;
  }

  /** Answers with what the method threw. */
  thrown(callId: number, thrown: Thrown): void {
    const writer = this.#outbox.begin(frame.error);
    try {
      this.#head(writer, callId, errorFlag.thrown);
      encodeThrown(writer, thrown, this.#codec, this.#departures.ofReplies, this.#peerLimits, () =>
        this.#departures.undo(),
      );
      this.#checkSize();
    } catch (error) {
      this.#abandon();
      this.refusal(callId, asExecuted(error), 0);
      return;
    }
    this.#departures.take();
    this.#outbox.end("reply");
  }

  /** @param flags of an `error` frame: whether the arguments are untouched, whether it is another call that failed */
  refusal(callId: number, error: RpcError, flags: number): void {
    const writer = this.#outbox.begin(frame.error);
    this.#head(writer, callId, flags);
    this.#codec.encodeList(writer, refusalParts(error), this.#departures.ofReplies, refusalLimits, "error");
    this.#outbox.end("reply");
  }

  #head(writer: ByteWriter, callId: number, flags: number): void {
    writer.varint(callId);
    writer.u8(flags);
  }

  #checkSize(): void {
    const { maxMessageBytes } = this.#peerLimits;
    const bytes = this.#outbox.openBytes;
    if (bytes <= maxMessageBytes) return;
    const detail = `the answer has ${bytes} bytes, the caller takes ${maxMessageBytes} (limits.maxMessageBytes)`;
    throw new RpcError("limit-exceeded", detail, "executed");
  }

  #abandon(): void {
    this.#outbox.abandon();
    this.#departures.undo();
  }
}

export function asExecuted(error: unknown): RpcError {
  if (error instanceof RpcError) return new RpcError(error.code, error.detail, "executed", { cause: error.cause });
  return new RpcError("unsupported-value", `result: ${String(error)}`, "executed", { cause: error });
}
