/** The streams one session produces for its peer: numbered, bounded, taking turns, told by the peer how much it takes. */
import type { Clock } from "../clock/clock.ts";
import { refusal } from "../errors/refusal.ts";
import { RpcError } from "../errors/rpc-error.ts";
import type { StreamKind } from "../values/codec.ts";
import { lockedStream } from "../values/streams.ts";
import type { ByteReader } from "../wire/byte-reader.ts";
import { Numbered } from "../wire/numbered.ts";
import type { Outbox } from "../wire/outbox.ts";
import { checkedSource } from "./checked-streams.ts";
import { OutgoingStream, type OutgoingStreamHost, type Saying, type StreamMaker } from "./outgoing-stream.ts";
import { isReadOnce, sourceOf } from "./source.ts";
import { Turns } from "./turns.ts";
import { maxExcessBytes } from "./window.ts";

/** Sources that are being sent and can be read once only, of all sessions of an endpoint. */
export type SourcesInUse = WeakSet<object>;

export interface OutgoingStreamsOptions {
  readonly clock: Clock;
  readonly outbox: Pick<Outbox, "isBlocked">;
  readonly inUse: SourcesInUse;
  readonly maxStreams: number;
  /** The largest message the peer takes. */
  readonly maxMessageBytes: number;
  /** Writes what a stream says, in at most `maxBytes`; see `OutgoingStreamHost.write`. */
  write(stream: OutgoingStream, saying: Saying, maxBytes: number): number;
  /** Why the peer cancels a stream. */
  readReason(reader: ByteReader): unknown;
  /** A stream has ended. */
  ended(): void;
  unheard(thrown: unknown): void;
}

/** No honest peer grants as much: it is beyond what it can hold. */
const maxCredit = 2 ** 40;

interface Open {
  readonly stream: OutgoingStream;
  readonly source: object;
}

export class OutgoingStreams {
  readonly #options: OutgoingStreamsOptions;
  readonly #turns: Turns;
  readonly #host: OutgoingStreamHost;
  readonly #open = new Numbered<Open>("ours");
  /** Have an item that exceeds their credit, and wait until others of that kind have been read. */
  readonly #crowded = new Set<OutgoingStream>();
  /** Bytes sent beyond what was granted. */
  #excessBytes = 0;
  #lastId = 0;

  constructor(options: OutgoingStreamsOptions) {
    const { clock, outbox } = options;
    this.#options = options;
    this.#turns = new Turns(clock, () => !outbox.isBlocked);
    this.#host = {
      turns: this.#turns,
      write: (stream, saying) => this.#write(stream, saying),
      over: (stream) => this.#over(stream),
      unheard: (thrown) => options.unheard(thrown),
    };
  }

  get size(): number {
    return this.#open.size;
  }

  /** A stream is about to leave: gives it its number. @throws RpcError `limit-exceeded`, `unsupported-value` */
  open(value: object, valueKind: StreamKind, maker: StreamMaker | undefined): number {
    const { inUse, maxStreams } = this.#options;
    const { source, kind, check } = checkedSource(value) ?? { source: value, kind: valueKind, check: undefined };
    if (this.#open.size >= maxStreams) {
      const detail = `${this.#open.size} streams are open to this peer, limits.maxStreams is ${maxStreams}`;
      throw new RpcError("limit-exceeded", detail, "not-sent");
    }
    if (inUse.has(source)) throw new RpcError("unsupported-value", alreadySent, "not-sent");
    if (isLocked(source, kind)) throw new RpcError("unsupported-value", lockedStream, "not-sent");
    if (isReadOnce(source, kind)) inUse.add(source);
    const stream = new OutgoingStream(++this.#lastId, sourceOf(source, kind), maker?.openStream(), this.#host);
    stream.check = check;
    this.#open.set(stream.id, { stream, source });
    return stream.id;
  }

  /** The message with the stream was not sent, or not taken. */
  takeBack(id: number): void {
    this.#open.get(id)?.stream.takeBack();
  }

  /** The consumer takes more. @throws RpcError `protocol` */
  credit(reader: ByteReader): void {
    const stream = this.#find(reader.varint());
    const items = reader.varint();
    const bytes = reader.varint();
    if (!stream) return;
    if (stream.credit.items + items > maxCredit || stream.credit.bytes + bytes > maxCredit) {
      throw new RpcError("protocol", `a credit of ${items} items and ${bytes} bytes`, "unknown");
    }
    stream.credit.items += items;
    this.#addBytes(stream, bytes);
    stream.goOn();
    this.#retryCrowded();
  }

  /** The consumer wants no more. @throws RpcError `protocol` */
  cancel(reader: ByteReader): void {
    const stream = this.#find(reader.varint());
    if (!stream) return;
    stream.cancel(this.#options.readReason(reader), refusal("cancelled", "the stream was cancelled", "unknown"));
  }

  /** The channel has room. */
  goOn(): void {
    this.#turns.goOn();
  }

  /** The session is over. */
  close(error: RpcError): void {
    const open = [...this.#open.values()];
    this.#turns.clear();
    this.#crowded.clear();
    this.#open.clear();
    for (const { stream, source } of open) {
      this.#options.inUse.delete(source);
      stream.close(error);
    }
  }

  /** `undefined` for a stream that has ended: the consumer did not know yet. @throws RpcError `protocol` */
  #find(id: number): OutgoingStream | undefined {
    if (id < 1 || id > this.#lastId) throw new RpcError("protocol", `stream ${id} was never sent`, "unknown");
    return this.#open.get(id)?.stream;
  }

  #write(stream: OutgoingStream, saying: Saying): number {
    const room = maxExcessBytes(this.#options.maxMessageBytes) - this.#excessBytes;
    const maxBytes = stream.isCancelled ? Number.POSITIVE_INFINITY : room + Math.max(0, stream.credit.bytes);
    const bytes = this.#options.write(stream, saying, maxBytes);
    if (bytes < 0) this.#crowded.add(stream);
    else this.#wrote(stream, bytes);
    return bytes;
  }

  #wrote(stream: OutgoingStream, bytes: number): void {
    this.#turns.sent(stream, bytes);
    if (stream.isCancelled) return;
    stream.credit.items--;
    this.#addBytes(stream, -bytes);
  }

  #addBytes({ credit }: OutgoingStream, bytes: number): void {
    this.#excessBytes -= Math.max(0, -credit.bytes);
    credit.bytes += bytes;
    this.#excessBytes += Math.max(0, -credit.bytes);
  }

  #retryCrowded(): void {
    if (this.#crowded.size === 0) return;
    const crowded = [...this.#crowded];
    this.#crowded.clear();
    for (const stream of crowded) stream.goOn();
  }

  #over(stream: OutgoingStream): void {
    const open = this.#open.get(stream.id);
    if (!open) return;
    this.#open.delete(stream.id);
    this.#options.inUse.delete(open.source);
    this.#crowded.delete(stream);
    this.#excessBytes -= Math.max(0, -stream.credit.bytes);
    this.#retryCrowded();
    this.#options.ended();
  }
}

function isLocked(source: object, kind: StreamKind): boolean {
  return kind === "readable" && (source as ReadableStream).locked;
}

const alreadySent =
  "it is being sent already and can be read once only; send an async iterable that begins anew each time";
