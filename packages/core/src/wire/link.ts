/**
 * One channel spoken in frames: checks the preamble, reads frames and messages, writes through an outbox. Who handles
 * the messages changes once: first the handshake, then the session.
 */
import type { Channel, PeerAddress } from "../channel/channel.ts";
import type { Clock } from "../clock/clock.ts";
import { RpcError } from "../errors/rpc-error.ts";
import { toError } from "../errors/to-error.ts";
import type { Limits } from "../limits/limits.ts";
import { ByteReader } from "./byte-reader.ts";
import { Fragments, maxIncompleteBytes, tooLarge, type WholeMessage } from "./fragments.ts";
import { FrameReader } from "./frame-reader.ts";
import { carriesData, firstOfMany, frame, kindOf, maxHandshakePayloadBytes, maxPayloadBytes } from "./frames.ts";
import { Outbox } from "./outbox.ts";
import { Pace } from "./pace.ts";
import { PreambleReader } from "./preamble-reader.ts";
import type { ReadingTurns } from "./reading-turns.ts";
import type { Slabs } from "./slabs.ts";
import { StallWatch } from "./stall-watch.ts";

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
  readonly turns: ReadingTurns;
  readonly limits: Limits;
}

export class Link {
  readonly outbox: Outbox;
  bytesIn = 0;
  handler: LinkHandler;
  readonly #channel: Channel;
  readonly #clock: Clock;
  readonly #limits: Limits;
  readonly #turns: ReadingTurns;
  readonly #pace: Pace;
  readonly #frames: FrameReader;
  readonly #fragments: Fragments;
  readonly #reader = new ByteReader();
  readonly #stallWatch: StallWatch;
  readonly #preamble = new PreambleReader();
  /** When the last bytes came, and when we were last done with all that came. */
  #arrivedAt: number;
  /** When a frame, and when a message in fragments, that is incomplete last went on. */
  readonly #progress = { frame: 0, fragments: 0 };
  #isChannelPaused = false;
  #hasGreeted = false;
  /** `orphaned`: the channel is gone, what it brought is still to be read. */
  #state: "open" | "orphaned" | "closing" | "closed" = "open";

  constructor(channel: Channel, options: LinkOptions, handler: LinkHandler) {
    this.#channel = channel;
    this.#clock = options.clock;
    this.#limits = options.limits;
    this.#turns = options.turns;
    this.#pace = new Pace(options.clock);
    this.handler = handler;
    this.#arrivedAt = this.#clock.now();
    this.#fragments = new Fragments(options.limits.maxMessageBytes, options.slabs.blocks);
    this.#frames = new FrameReader(maxHandshakePayloadBytes, options.slabs, {
      frame: (code, bytes, start, end) => this.#frame(code, bytes, start, end),
      rest: (bytes, start, end) => this.#rest(bytes, start, end),
      oversized: (payloadBytes) => this.fail(new RpcError("protocol", `a frame of ${payloadBytes} bytes`, "unknown")),
    });
    this.#stallWatch = new StallWatch({
      clock: options.clock,
      timeoutMs: options.limits.stallTimeoutMs,
      since: () => this.#stalledSince,
      stalled: () => this.fail(this.#stalled("the peer stopped in the middle of a message")),
    });
    this.outbox = new Outbox({
      clock: options.clock,
      slabs: options.slabs,
      write: (bytes) => channel.write(bytes),
      isFlushed: () => channel.isFlushed === true,
      stalled: () => this.fail(this.#stalled("the peer takes nothing")),
      advanced: () => this.handler.advanced(),
    });
  }

  get peer(): PeerAddress {
    return this.#channel.peer;
  }

  /** Whether the peer has begun as farref does. */
  get isUnderstood(): boolean {
    return this.#preamble.isWhole;
  }

  /** When the last byte came, by the clock. Of a peer whose bytes we leave unread nobody can say that it is silent. */
  get lastReadAt(): number {
    return this.#frames.isPaused ? this.#clock.now() : this.#arrivedAt;
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
    if (this.#isReading) this.handler.failed(error);
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

  get #isReading(): boolean {
    return this.#state === "open" || this.#state === "orphaned";
  }

  /** Whether it was still read. */
  #stopReading(): boolean {
    if (!this.#isReading) return false;
    if (this.#state === "orphaned") this.#clock.nextTurn(() => this.#gone());
    this.#state = "closing";
    this.#letGo();
    return true;
  }

  /** An orderly end comes behind all that came before it; a failure comes at once. */
  #closed(error?: Error): void {
    if (!error && this.#state === "open" && this.#frames.isPaused) this.#state = "orphaned";
    else this.#gone(error);
  }

  #gone(error?: Error): void {
    if (this.#state === "closed") return;
    if (this.#isReading) this.#letGo();
    this.#state = "closed";
    this.handler.closed(error);
  }

  #letGo(): void {
    this.#frames.stop();
    this.#fragments.clear();
    this.#turns.leave(this.#readOn);
    this.#stallWatch.stop();
    this.outbox.close();
  }

  #chunk(given: Uint8Array): void {
    if (this.#state !== "open") {
      this.#skip(given);
      return;
    }
    this.bytesIn += given.length;
    this.#arrivedAt = this.#clock.now();
    this.#progress.frame = this.#arrivedAt;
    this.#pace.begin(this.#arrivedAt, this.#turns.sliceMs(this.#readOn, this.#arrivedAt));
    const bytes = plainBytes(given);
    const framed = this.#preamble.isWhole ? bytes : this.#readPreamble(bytes);
    const wasBehind = this.#frames.isPaused;
    if (framed) this.#frames.push(framed);
    this.#channel.giveBack?.(given);
    if (wasBehind) this.#fallBehind();
    else if (!this.#frames.isPaused) this.#stallWatch.look();
  }

  /** Who goes on sending after our end is read for its own end, and a chunk a turn, so that others are heard. */
  #skip(chunk: Uint8Array): void {
    this.#channel.giveBack?.(chunk);
    this.#channel.pause();
    this.#clock.nextTurn(() => this.#channel.resume());
  }

  /** More comes than is read. A channel may have some more to hand out when it is asked to pause, but not without end. */
  #fallBehind(): void {
    if (!this.#isChannelPaused) this.#channel.pause();
    this.#isChannelPaused = true;
    const { unreadBytes } = this.#frames;
    if (unreadBytes <= maxIncompleteBytes(this.#limits.maxMessageBytes)) return;
    this.fail(new RpcError("limit-exceeded", `${unreadBytes} bytes came faster than they could be read`, "unknown"));
  }

  /** What a socket has read it hands on at once, up to megabytes, and nobody else is heard meanwhile. */
  #giveWay(): void {
    if (!this.#isReading) return;
    this.#frames.pause();
    this.outbox.hold();
    this.#turns.wait(this.#readOn);
  }

  readonly #readOn = (): void => {
    const now = this.#clock.now();
    this.#pace.begin(now, this.#turns.sliceMs(this.#readOn, now));
    try {
      this.#frames.resume();
      if (this.#isReading && !this.#frames.isPaused) this.#caughtUp();
    } catch (thrown) {
      this.#broken(toError(thrown));
    }
  };

  #broken(error: Error): void {
    this.#channel.destroy(error);
    if (this.#state === "orphaned") this.#gone(error);
  }

  /** All that came is handled. The peer's time to go on with what it has begun does not count while we did not read. */
  #caughtUp(): void {
    const now = this.#clock.now();
    this.#progress.frame = now;
    this.#progress.fragments += now - this.#arrivedAt;
    this.#arrivedAt = now;
    this.outbox.letGo();
    if (this.#state === "orphaned") {
      this.#gone();
      return;
    }
    if (this.#isChannelPaused) this.#channel.resume();
    this.#isChannelPaused = false;
    this.#stallWatch.look();
  }

  #readPreamble(bytes: Uint8Array): Uint8Array | undefined {
    try {
      return this.#preamble.read(bytes);
    } catch (error) {
      this.fail(asProtocolError(error));
      return undefined;
    }
  }

  #frame(code: number, bytes: Uint8Array, start: number, end: number): void {
    try {
      const reader = this.#reader.at(bytes, start, end);
      if (kindOf(code) === frame.more) this.#continue(this.#fragments.add(reader));
      else if (code & firstOfMany) this.#begin(code & ~firstOfMany, reader);
      else this.#whole(code, reader);
    } catch (error) {
      this.fail(asProtocolError(error));
    }
    if (this.#pace.isUp()) this.#giveWay();
  }

  /** More of a fragment whose beginning was in a chunk before. */
  #rest(bytes: Uint8Array, start: number, end: number): void {
    try {
      this.#continue(this.#fragments.addRest(this.#reader.at(bytes, start, end)));
    } catch (error) {
      this.fail(asProtocolError(error));
    }
    if (this.#pace.isUp()) this.#giveWay();
  }

  /** A message in one frame. What a session says on its own behalf may be larger than the least a program allows. */
  #whole(code: number, reader: ByteReader): void {
    const { maxMessageBytes } = this.#limits;
    if (carriesData(code) && reader.remaining > maxMessageBytes) throw tooLarge(reader.remaining, maxMessageBytes);
    this.handler.message(code, reader);
  }

  #begin(code: number, reader: ByteReader): void {
    this.#progress.fragments = this.#arrivedAt;
    this.#fragments.begin(code, reader);
    this.handler.begun(code, reader);
  }

  /** A fragment, or a part of one, has come: of which a message is whole now, if it is. */
  #continue(message: WholeMessage | undefined): void {
    this.#progress.fragments = this.#arrivedAt;
    if (!message) return;
    const { code, body, bodyBytes, attachments } = message;
    this.handler.message(code, this.#reader.at(body, 0, bodyBytes, attachments));
    this.#reader.at(nothing, 0, 0);
    this.#fragments.letGo(message);
  }

  /** Since when something half received has not gone on, whatever else has come. What we have not read may go on. */
  get #stalledSince(): number | undefined {
    if (this.#frames.isPaused) return this.#clock.now();
    const { frame, fragments } = this.#progress;
    if (this.#fragments.count === 0) return this.#frames.isInFrame ? frame : undefined;
    return this.#frames.isInFrame ? Math.min(frame, fragments) : fragments;
  }

  #stalled(what: string): RpcError {
    return new RpcError("timeout", `${what} for ${this.#limits.stallTimeoutMs} ms (limits.stallTimeoutMs)`, "unknown");
  }
}

const nothing = new Uint8Array(0);

/** Without what a platform adds to its buffers: `slice` of a Node Buffer is a view that keeps the whole chunk. */
function plainBytes(bytes: Uint8Array): Uint8Array {
  if (bytes.constructor === Uint8Array) return bytes;
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

function asProtocolError(error: unknown): RpcError {
  if (error instanceof RpcError) return error;
  return new RpcError("internal", "a frame could not be handled", "unknown", { cause: error });
}
