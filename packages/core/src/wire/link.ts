/**
 * One channel spoken in frames: checks the preamble, reads frames and messages, writes through an outbox. Who handles
 * the messages changes once: first the handshake, then the session.
 */
import type { Channel, PeerAddress } from "../channel/channel.ts";
import type { Clock, Timer } from "../clock/clock.ts";
import { RpcError } from "../errors/rpc-error.ts";
import type { Limits } from "../limits/limits.ts";
import { ByteReader } from "./byte-reader.ts";
import { Fragments, tooLarge } from "./fragments.ts";
import { FrameReader } from "./frame-reader.ts";
import { firstOfMany, frame, kindOf, maxHandshakePayloadBytes, maxPayloadBytes, preamble } from "./frames.ts";
import { Outbox } from "./outbox.ts";
import type { Slabs } from "./slabs.ts";

/** What happens on a link. A handler may throw an RpcError from `message` or `begun`: the link then fails with it. */
export interface LinkHandler {
  /** A whole message: `code` is byte 0 of its first frame, `reader` stands at its payload. Synchronous. */
  message(code: number, reader: ByteReader): void;
  /** The first fragment of a message whose rest is still to come. */
  begun(code: number, reader: ByteReader): void;
  /** Something of ours left the outbox. */
  advanced(): void;
  /** The link is broken by what the peer sent, or by what it failed to send or take. Nothing follows but `closed`. */
  failed(error: RpcError): void;
  /** The channel is gone. */
  closed(error?: Error): void;
}

export interface LinkOptions {
  readonly clock: Clock;
  readonly slabs: Slabs;
  readonly limits: Limits;
}

/** A chunk with more frames than this is a flood, or as good as one: others get a turn before the next is read. */
const maxFramesATurn = 512;

export class Link {
  readonly outbox: Outbox;
  bytesIn = 0;
  /** When the last byte came, by the clock. */
  lastReadAt: number;
  handler: LinkHandler;
  readonly #channel: Channel;
  readonly #clock: Clock;
  readonly #limits: Limits;
  readonly #frames: FrameReader;
  readonly #fragments: Fragments;
  readonly #reader = new ByteReader();
  #preambleBytes = 0;
  /** When a frame, and when a message in fragments, that is incomplete last went on. */
  readonly #progress = { frame: 0, fragments: 0 };
  #framesInChunk = 0;
  #hasGreeted = false;
  #stallTimer: Timer | undefined;
  #state: "open" | "closing" | "closed" = "open";

  constructor(channel: Channel, options: LinkOptions, handler: LinkHandler) {
    this.#channel = channel;
    this.#clock = options.clock;
    this.#limits = options.limits;
    this.handler = handler;
    this.lastReadAt = this.#clock.now();
    this.#fragments = new Fragments(options.limits.maxMessageBytes);
    this.#frames = new FrameReader(maxHandshakePayloadBytes, options.slabs, {
      frame: (code, bytes, start, end) => this.#frame(code, bytes, start, end),
      oversized: (payloadBytes) => this.fail(new RpcError("protocol", `a frame of ${payloadBytes} bytes`, "unknown")),
    });
    this.outbox = new Outbox({
      clock: options.clock,
      slabs: options.slabs,
      write: (bytes) => channel.write(bytes),
      stalled: () => this.fail(this.#stalled("the peer takes nothing")),
      advanced: () => this.handler.advanced(),
    });
  }

  get peer(): PeerAddress {
    return this.#channel.peer;
  }

  /** Whether the peer has begun as farref does. */
  get isUnderstood(): boolean {
    return this.#preambleBytes === preamble.length;
  }

  /** Begins reading. The peer's preamble is due before anything else; ours is sent by `greet`. */
  start(): void {
    this.#channel.start({
      chunk: (bytes) => this.#chunk(bytes),
      drained: () => this.outbox.drained(),
      closed: (error) => this.#closed(error),
    });
  }

  /** Sends the preamble, once. A server does so only when it has understood its client: to others it says nothing. */
  greet(): void {
    if (this.#hasGreeted) return;
    this.#hasGreeted = true;
    this.outbox.sendPreamble();
  }

  /** The handshake is done: frames of full size are welcome, and the peer's limits hold. */
  establish(peerMaxMessageBytes: number): void {
    this.#frames.maxPayloadBytes = maxPayloadBytes;
    this.outbox.maxMessageBytes = peerMaxMessageBytes;
    this.outbox.stallTimeoutMs = this.#limits.stallTimeoutMs;
  }

  /** Breaks the link, telling the handler why. */
  fail(error: RpcError): void {
    if (this.#state === "open") this.handler.failed(error);
  }

  /** Sends what is left and closes orderly; reads nothing more. */
  end(): void {
    if (this.#stopReading()) this.#channel.end();
  }

  /** Closes at once. */
  destroy(error?: Error): void {
    if (this.#stopReading()) this.#channel.destroy(error);
  }

  /** Closes at once what was ended in order and is still not gone. */
  kill(): void {
    if (this.#state !== "closed") this.#channel.destroy();
  }

  ref(): void {
    this.#channel.ref?.();
  }

  unref(): void {
    this.#channel.unref?.();
  }

  #stopReading(): boolean {
    if (this.#state !== "open") return false;
    this.#state = "closing";
    this.#frames.stop();
    this.#fragments.clear();
    this.#stallTimer?.cancel();
    this.outbox.close();
    return true;
  }

  #closed(error?: Error): void {
    this.#stopReading();
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.handler.closed(error);
  }

  #chunk(bytes: Uint8Array): void {
    if (this.#state !== "open") return;
    this.bytesIn += bytes.length;
    this.lastReadAt = this.#clock.now();
    const framed = this.#preambleBytes < preamble.length ? this.#readPreamble(bytes) : bytes;
    this.#framesInChunk = 0;
    if (framed) this.#frames.push(framed);
    if (this.#framesInChunk > maxFramesATurn) this.#yield();
    this.#progress.frame = this.lastReadAt;
    if (this.#isIncomplete && !this.#stallTimer) this.#watchStall();
  }

  /** What a socket has read it hands on at once, up to megabytes, and nobody else is heard meanwhile. */
  #yield(): void {
    if (this.#state !== "open") return;
    this.#channel.pause();
    this.#clock.nextTurn(() => this.#channel.resume());
  }

  /** Compares the first bytes; returns what stands behind the preamble. */
  #readPreamble(bytes: Uint8Array): Uint8Array | undefined {
    for (let i = 0; i < bytes.length; i++) {
      if (this.#preambleBytes === preamble.length) return bytes.subarray(i);
      if (bytes[i] !== preamble[this.#preambleBytes]) {
        this.fail(new RpcError("protocol", `the peer does not speak farref: it says ${excerpt(bytes)}`, "not-sent"));
        return undefined;
      }
      this.#preambleBytes++;
    }
    return undefined;
  }

  #frame(code: number, bytes: Uint8Array, start: number, end: number): void {
    this.#framesInChunk++;
    try {
      const reader = this.#reader.at(bytes, start, end);
      if (kindOf(code) === frame.more) this.#continue(reader);
      else if (code & firstOfMany) this.#begin(code & ~firstOfMany, reader);
      else this.#whole(code, reader);
    } catch (error) {
      this.fail(asProtocolError(error));
    }
  }

  /** A message in one frame. What a session says on its own behalf may be larger than the least a program allows. */
  #whole(code: number, reader: ByteReader): void {
    const { maxMessageBytes } = this.#limits;
    if (programData.has(kindOf(code)) && reader.remaining > maxMessageBytes)
      throw tooLarge(reader.remaining, maxMessageBytes);
    this.handler.message(code, reader);
  }

  #begin(code: number, reader: ByteReader): void {
    if (this.#fragments.count === 0) this.#progress.fragments = this.lastReadAt;
    this.#fragments.begin(code, reader);
    this.handler.begun(code, reader);
  }

  #continue(reader: ByteReader): void {
    this.#progress.fragments = this.lastReadAt;
    const message = this.#fragments.add(reader);
    if (message) this.handler.message(message.kind, reader.at(message.bytes, 0, message.bytes.length));
  }

  get #isIncomplete(): boolean {
    return this.#frames.isInFrame || this.#fragments.count > 0;
  }

  /** Since when something half received has not gone on, whatever else has come. */
  get #stalledSince(): number {
    const frame = this.#frames.isInFrame ? this.#progress.frame : Number.POSITIVE_INFINITY;
    return this.#fragments.count > 0 ? Math.min(frame, this.#progress.fragments) : frame;
  }

  /** Looked at again only when the time is up. */
  #watchStall(): void {
    const untilMs = this.#stalledSince + this.#limits.stallTimeoutMs - this.#clock.now();
    this.#stallTimer = this.#clock.setTimer(untilMs, () => {
      this.#stallTimer = undefined;
      if (this.#state !== "open" || !this.#isIncomplete) return;
      if (this.#clock.now() < this.#stalledSince + this.#limits.stallTimeoutMs) this.#watchStall();
      else this.fail(this.#stalled("the peer stopped in the middle of a message"));
    });
  }

  #stalled(what: string): RpcError {
    return new RpcError("timeout", `${what} for ${this.#limits.stallTimeoutMs} ms (limits.stallTimeoutMs)`, "unknown");
  }
}

const programData: ReadonlySet<number> = new Set([frame.call, frame.result, frame.streamItem, frame.streamEnd]);

/** The first bytes of something foreign, printable and short. */
function excerpt(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes.subarray(0, 32)) text += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "·";
  return JSON.stringify(text);
}

function asProtocolError(error: unknown): RpcError {
  if (error instanceof RpcError) return error;
  return new RpcError("internal", "a frame could not be handled", "unknown", { cause: error });
}
