/**
 * What leaves: the frames of one turn go out as one write, in the order they were begun. A message over 64 KiB sends its
 * first fragment in that order and the rest in turns with everything else.
 */
import type { Clock } from "../clock/clock.ts";
import { RpcError } from "../errors/rpc-error.ts";
import { ByteWriter } from "./byte-writer.ts";
import {
  type AttachedLengths,
  frame,
  frameHeaderBytes,
  maxFragmentBytes,
  maxPayloadBytes,
  preamble,
} from "./frames.ts";
import { LargeMessage, type Memory, type Purpose, writeHeader, writePing } from "./large-message.ts";
import { LargeMessages } from "./large-messages.ts";
import { ReplySizes } from "./reply-sizes.ts";
import type { Slabs } from "./slabs.ts";
import { Unsent } from "./unsent.ts";
import { WriteStall } from "./write-stall.ts";

export interface OutboxOptions {
  readonly clock: Clock;
  readonly slabs: Slabs;
  /** Hands bytes to the channel; `false` when it asks to wait for `drained`. */
  write(bytes: Uint8Array): boolean;
  /** Whether the channel holds none of them any more. */
  isFlushed(): boolean;
  /** The channel took nothing for `stallTimeoutMs` although it was asked. */
  stalled(): void;
  /** Something left: who waits for room may go on. */
  advanced(): void;
}

/** Where a frame stands in the unsent batch, or the large message it became: filled in when the frame ends. */
export interface Place {
  batch: number;
  offset: number;
  large: LargeMessage | undefined;
}

/** A batch that has grown this far is not worth keeping till the end of the turn. */
const fullBatchBytes = 64 * 1024;
/** A ping is due behind so much: with a frame of the largest size 96 KiB, 10 s at the slowest. */
const unpingedBytes = 32 * 1024;
/** Small frames behind a fragment wait for the ping of the next, but not for long: between two is no more than 144 KiB. */
const smallFrameBytes = 4 * 1024;
const unpingedBetweenBytes = maxFragmentBytes + 2 * smallFrameBytes;
/** Frames are not held back for longer, in milliseconds. */
const maxHeldMs = 1;
/** What stands in the batch before a large message moves elsewhere when there is no more of it than this. */
const maxAlongBytes = 4 * 1024;
/** A whole frame, and a ping. At 8 KiB a second, the slowest peer worth waiting for, it is taken within `stallTimeoutMs`. */
const maxPieceBytes = maxPayloadBytes + 2 * frameHeaderBytes;

export class Outbox {
  bytesOut = 0;
  readonly #options: OutboxOptions;
  #writer: ByteWriter | undefined;
  /** Serial number of the batch being filled. */
  #batch = 0;
  /** Offset of the open frame in the batch; -1 when none is open. */
  #openAt = -1;
  #openCode = 0;
  #isScheduled = false;
  #isHeld = false;
  #heldSince = 0;
  #isBlocked = false;
  #isClosed = false;
  /** Since the last ping. */
  #unpingedBytes = 0;
  /** The rest of a batch that was being written when the channel asked to wait. */
  #rest: Uint8Array | undefined;
  readonly #unsent = new Unsent();
  readonly #replies = new ReplySizes();
  readonly #stall: WriteStall;
  readonly #large: LargeMessages;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#stall = new WriteStall(options.clock, options.stalled);
    this.#large = new LargeMessages(options.clock);
  }

  set stallTimeoutMs(timeoutMs: number) {
    this.#stall.timeoutMs = timeoutMs;
  }

  /** The peer's limit, once known. */
  set maxMessageBytes(bytes: number) {
    this.#large.maxMessageBytes = bytes;
  }

  /** Bytes of calls, or of replies, that did not leave. */
  unsentBytes(purpose: Purpose): number {
    return this.#unsent.bytes(purpose, this.#rest?.length ?? 0) + this.#large.unsentBytes(purpose);
  }

  /** Whether the channel has asked to wait. */
  get isBlocked(): boolean {
    return this.#isBlocked;
  }

  /**
   * Unsent bytes of what the peer has asked for, without the largest reply: one message may be of any legal size. What
   * is not blocked leaves with its turn and does not count.
   */
  get backlogBytes(): number {
    return this.#replies.withoutLargest(this.blockedBytes);
  }

  /** The same without the newest, too: it was added when there was room. */
  get overdueBytes(): number {
    return this.#replies.withoutLargestAndNewest(this.blockedBytes);
  }

  /** The same with all of them: what a further reply would be added to. */
  get blockedBytes(): number {
    return this.#isBlocked || !this.#large.isWindowOpen ? this.unsentBytes("reply") + this.unsentBytes("control") : 0;
  }

  /** What a blocked channel has not taken of pongs, releases and the like. */
  get unsentSignalBytes(): number {
    return this.#isBlocked ? this.unsentBytes("control") : 0;
  }

  /** Whether a call begun now would overtake one that could not begin. */
  get hasWaitingCall(): boolean {
    return this.#large.hasWaiting("call");
  }

  sendPreamble(): void {
    this.#batchWriter().raw(preamble);
    this.#schedule();
  }

  /**
   * Opens a frame: its payload is what is written until `end` or `abandon`. One at a time.
   * @throws RpcError `unsupported-value` when one is open: a value being sent made a call of its own.
   */
  begin(code: number): ByteWriter {
    if (this.#openAt >= 0) {
      throw new RpcError("unsupported-value", "a value calls a remote method while it is being sent", "not-sent");
    }
    this.#pingBeyond(unpingedBetweenBytes);
    const writer = this.#batchWriter();
    this.#openAt = writer.length;
    this.#openCode = code;
    writer.u32(0);
    return writer;
  }

  /**
   * Gives up the open frame from outside: a value being written has ended the session. Who writes it goes on into a
   * buffer that nobody sends.
   */
  breakOff(): void {
    if (this.#openAt < 0) return;
    const writer = this.#batchWriter();
    const before = writer.bytes.slice(writer.start, writer.start + this.#openAt);
    this.#openAt = -1;
    this.#writer = new ByteWriter(before);
    this.#writer.position = before.length;
  }

  /** Payload bytes of the open frame. */
  get openBytes(): number {
    if (this.#openAt < 0) return 0;
    return this.#batchWriter().length - this.#openAt - frameHeaderBytes;
  }

  /** Undoes the open frame. */
  abandon(): void {
    if (this.#openAt < 0) return;
    const writer = this.#batchWriter();
    writer.position = writer.start + this.#openAt;
    this.#openAt = -1;
    if (writer.length > 0) return;
    this.#writer = undefined;
    this.#options.slabs.reuse(writer);
  }

  /** Closes the open frame, with attachments of these lengths at its end: it leaves at the end of the turn. */
  end(purpose: Purpose, attached?: AttachedLengths): void {
    this.#endFrame(purpose, attached);
  }

  /** Ends the open frame and notes where it stands, so that it can be taken back. */
  endAt(place: Place, purpose: Purpose, attached?: AttachedLengths): void {
    place.batch = this.#batch;
    place.offset = this.#openAt;
    const large = this.#endFrame(purpose, attached);
    if (large) place.large = large;
  }

  /** Takes a frame back that has not left: `true` when the peer will never see it. */
  takeBack({ batch, offset, large }: Place): boolean {
    this.#schedule(); // what waited for room may begin
    if (large && this.#large.removeWaiting(large)) return true;
    // A large message's first fragment stands where it began, which may be long after it was made.
    const begun = large ? large.begun : { batch, offset };
    if (begun?.batch !== this.#batch || !this.#writer) return false;
    this.#writer.bytes[this.#writer.start + begun.offset] = frame.void;
    if (large) this.#large.removeBegun(large);
    return true;
  }

  /** Runs `task` when every message begun, or waiting to begin, has left whole; now, when none is. */
  afterBegun(task: () => void): void {
    this.#large.afterAll(task);
  }

  /** Writes as much as the channel takes. */
  flush(): void {
    if (this.#isClosed || this.#isBlocked || this.#openAt >= 0) return;
    if (this.#rest) this.#write(this.#rest);
    if (this.#isBlocked) return;
    this.#beginWaiting();
    this.#writeBatch();
    while (!this.#isBlocked && this.#large.isInProgress && this.#large.isWindowOpen) this.#writeFragment();
    if (this.#large.isInProgress) this.#stall.begin();
    else if (this.#large.isEmpty && !this.#isBlocked) this.#replies.forget();
    this.#large.passBarriers();
    this.#options.advanced();
  }

  /**
   * From now on frames gather until `letGo`: who reads on in slices answers in one write. Asked again and again, it lets
   * leave what has gathered for long, and what fills a batch leaves anyway.
   */
  hold(): void {
    const now = this.#options.clock.now();
    if (!this.#isHeld) {
      this.#isHeld = true;
      this.#heldSince = now;
    } else if (now - this.#heldSince >= maxHeldMs) {
      this.#heldSince = now;
      this.flush();
    }
  }

  /** Frames leave with their turn again, and those that gathered with this one. */
  letGo(): void {
    this.#isHeld = false;
    this.#schedule();
  }

  /** The channel has room again. */
  drained(): void {
    this.#isBlocked = false;
    this.#stall.end();
    this.flush();
  }

  /** Asks the peer for a sign of life. */
  ping(): void {
    this.#large.pinged();
    this.begin(frame.ping);
    this.end("control");
  }

  /** The peer has answered a ping: it has read what was sent before. */
  answered(): void {
    this.#large.answered();
    this.#stall.end();
    if (this.#isBlocked) this.#stall.begin();
    else if (this.#large.isInProgress) this.flush();
  }

  /** Sends what small frames there are, drops the rest and takes nothing more. */
  close(): void {
    if (!this.#isClosed) this.#writeLast();
    this.#isBlocked = false;
    this.#isClosed = true;
    this.#stall.end();
    this.#large.clear();
  }

  /** Returns the large message that it became. */
  #endFrame(purpose: Purpose, attached: AttachedLengths): LargeMessage | undefined {
    if (this.#openAt < 0) return undefined;
    const writer = this.#batchWriter();
    const at = writer.start + this.#openAt;
    const payloadBytes = writer.position - at - frameHeaderBytes;
    this.#openAt = -1;
    if (purpose === "reply") this.#replies.add(payloadBytes);
    const large = payloadBytes > maxPayloadBytes ? this.#cut(writer, at, purpose, attached) : undefined;
    if (!large) {
      writeHeader(writer, at, this.#openCode);
      this.#unsent.add(purpose, payloadBytes + frameHeaderBytes);
      this.#unpingedBytes += payloadBytes;
      this.#pingBeyond(this.#isBetweenFragments(payloadBytes) ? unpingedBetweenBytes : unpingedBytes);
    }
    if (writer.length >= fullBatchBytes) this.flush();
    else this.#schedule();
    return large;
  }

  /** The next fragment asks soon enough, and the answer opens the window: asked earlier, more would be on its way. */
  #isBetweenFragments(payloadBytes: number): boolean {
    return this.#large.isInProgress && payloadBytes < smallFrameBytes;
  }

  /** How far the peer has read is asked so often that who reads slowly is not taken for one who does not read. */
  #pingBeyond(bytes: number): void {
    if (this.#unpingedBytes >= bytes) this.#pingHere();
  }

  #pingHere(): void {
    this.#unpingedBytes = 0;
    this.#large.pinged();
    writePing(this.#batchWriter());
  }

  #batchWriter(): ByteWriter {
    this.#writer ??= this.#options.slabs.borrow();
    return this.#writer;
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isBlocked || this.#isHeld) return;
    this.#isScheduled = true;
    this.#options.clock.endOfTurn(this.#atEndOfTurn);
  }

  readonly #atEndOfTurn = (): void => {
    this.#isScheduled = false;
    if (!this.#isHeld) this.flush();
  };

  #cut(writer: ByteWriter, at: number, purpose: Purpose, attached: AttachedLengths): LargeMessage {
    const number = this.#large.nextNumber();
    const payload = { ...this.#takePayload(writer, at), attached };
    const message = new LargeMessage(number, this.#openCode, purpose, payload);
    this.#large.add(message);
    this.#beginWaiting();
    return message;
  }

  /** The payload of the frame at `at`, which leaves the batch: in place, unless that held on to much else. */
  #takePayload(writer: ByteWriter, at: number): Memory {
    const [start, end] = [at + frameHeaderBytes, writer.position];
    const { bytes } = writer;
    if (at - writer.start > maxAlongBytes || bytes.length > 2 * (end - start)) {
      const memory = this.#options.slabs.blocks.borrow(end - start);
      memory.set(bytes.subarray(start, end));
      writer.position = at;
      return { memory, start: 0, end: end - start };
    }
    const before = bytes.subarray(writer.start, at);
    if (!writer.shrink()) this.#writer = undefined;
    if (before.length > 0) this.#batchWriter().raw(before);
    return { memory: bytes, start, end };
  }

  #beginWaiting(): void {
    if (this.#large.isEmpty) return;
    this.#large.beginWaiting((message) => {
      this.#pingBeyond(unpingedBytes); // not behind it: its next fragment brings a ping
      const writer = this.#batchWriter();
      const before = writer.length;
      message.begun = { batch: this.#batch, offset: before };
      message.writeFirst(writer);
      this.#unsent.add(message.purpose, writer.length - before);
      this.#unpingedBytes += writer.length - before;
    });
  }

  #writeBatch(): void {
    const writer = this.#writer;
    if (!writer || writer.length === 0) return;
    this.#writer = undefined;
    this.#batch++;
    this.#unsent.batchWritten(writer.length);
    this.#write(writer.written());
    if (!this.#rest && this.#options.isFlushed()) this.#options.slabs.reuse(writer);
    else this.#options.slabs.giveBack(writer);
  }

  #writeFragment(): void {
    this.#unpingedBytes = maxFragmentBytes; // its ping is before it
    const done = this.#large.sendNext((message) => this.#write(message.next(this.#options.isFlushed())));
    if (!done) return;
    if (this.#options.isFlushed()) this.#options.slabs.blocks.giveBack(done.memory);
    this.#pingHere();
    this.#beginWaiting();
    if (!this.#isBlocked) this.#writeBatch();
  }

  /**
   * Writes piece by piece: a channel tells that it has room only when all it was given is gone, and a slow reader who
   * takes a piece in time must not count as one who takes nothing.
   */
  #write(bytes: Uint8Array): void {
    let written = 0;
    while (written < bytes.length && !this.#isBlocked) {
      const piece = bytes.subarray(written, written + maxPieceBytes);
      written += piece.length;
      this.bytesOut += piece.length;
      if (!this.#options.write(piece)) this.#block();
    }
    this.#rest = written < bytes.length ? bytes.subarray(written) : undefined;
  }

  #block(): void {
    this.#isBlocked = true;
    this.#stall.begin();
  }

  /** All at once: nothing follows. */
  #writeLast(): void {
    const rest = this.#rest;
    this.#rest = undefined;
    if (rest) this.#options.write(rest);
    const writer = this.#writer;
    this.#writer = undefined;
    if (writer && writer.length > 0) this.#options.write(writer.written());
  }
}
