/**
 * The calls we make: numbered, sent in order, held back while the peer has as many as it takes, settled by its answers or
 * all at once when the session ends.
 */
import { RpcError } from "../errors/rpc-error.ts";
import type { CallerContract } from "../references/contracts.ts";
import type { CallOptions } from "../types/session.ts";
import type { Codec } from "../values/codec.ts";
import { ByteWriter } from "../wire/byte-writer.ts";
import { callFlag, frame } from "../wire/frames.ts";
import { encodeName, writeContext, writeName } from "../wire/names.ts";
import type { Outbox } from "../wire/outbox.ts";
import { depthOfNextCall } from "./current-call.ts";
import type { Departures } from "./departures.ts";
import type { Agreement, SessionEnvironment } from "./environment.ts";
import { SentMethodNames } from "./method-names.ts";
import { type CallTarget, PendingCall } from "./pending-call.ts";
import { SharedSignals } from "./shared-signals.ts";

/** Arguments that may wait unsent, in bytes. */
const maxUnsentBytes = 256 * 1024 * 1024;
const maxCallNumberBytes = 8;

export interface OutgoingCallsOptions {
  readonly environment: SessionEnvironment;
  readonly agreement: Agreement;
  readonly outbox: Outbox;
  readonly departures: Departures;
  /** Calls we run for the peer: it may have to run as many more of ours to finish them. */
  runningForPeer(): number;
  /** A call of ours awaits the peer now: it may run one more of its own. */
  awaiting(): void;
  unheard(error: Error): void;
}

export class OutgoingCalls {
  /** Calls sent, for the statistics. */
  count = 0;
  readonly #options: OutgoingCallsOptions;
  readonly #codec: Codec;
  readonly #outbox: Outbox;
  readonly #departures: Departures;
  readonly #names = new SentMethodNames();
  readonly #signals = new SharedSignals();
  /** Sent and not answered, settled or not. */
  readonly #sent = new Map<number, PendingCall>();
  /** Answered, and being checked by a contract that takes its time. */
  readonly #checking = new Set<PendingCall>();
  /** Not sent yet, in order; a function stands for something that must not overtake the calls before it. */
  readonly #held: (PendingCall | (() => void))[] = [];
  #heldBytes = 0;
  /** Nothing is sent before the peer knows of the session. */
  #hasBegun = false;
  #lastId = 0;
  #unsettled = 0;
  /** How calls fail once the session is over. */
  #failure: ((call: PendingCall, hasLeft: boolean) => RpcError) | undefined;

  constructor(options: OutgoingCallsOptions) {
    this.#options = options;
    this.#codec = options.environment.codec;
    this.#outbox = options.outbox;
    this.#departures = options.departures;
  }

  /** The peer is ready: what was called so far is sent. */
  begin(): void {
    this.#hasBegun = true;
    this.pump();
  }

  /** Calls that have not settled. */
  get pendingCount(): number {
    return this.#unsettled;
  }

  /** Calls the peer has and has not answered. */
  get awaitedCount(): number {
    return this.#sent.size;
  }

  /** Calls a method. Every failure is a rejection. */
  call(
    target: CallTarget,
    method: string,
    args: readonly unknown[],
    options: CallOptions | undefined,
  ): Promise<unknown> {
    const { clock } = this.#options.environment;
    const call = new PendingCall(target, method, options, depthOfNextCall(), clock.now());
    return this.#make(call, args);
  }

  /** The same for an object that has a contract at this side. */
  callUnder(
    contract: CallerContract,
    target: CallTarget,
    method: string,
    args: readonly unknown[],
    given: CallOptions | undefined,
  ): Promise<unknown> {
    const { clock } = this.#options.environment;
    try {
      const check = contract.method(method);
      const options = check.options ? { ...check.options, ...given } : given;
      const call = new PendingCall(target, method, options, depthOfNextCall(), clock.now());
      call.check = check;
      return this.#make(call, check.outgoing(args));
    } catch (error) {
      return this.refuse(target, method, (call) => asRefusal(call, error));
    }
  }

  #make(call: PendingCall, args: readonly unknown[]): Promise<unknown> {
    const { clock } = this.#options.environment;
    this.#unsettled++;
    try {
      this.#checkRoom(call);
      if (this.#mustHold) this.#hold(call, args);
      else this.#send(call, args);
      if (call.options) call.watch(clock, this.#signals, (error) => this.#giveUp(call, error));
    } catch (error) {
      this.#reject(call, asRefusal(call, error));
    }
    return call.promise;
  }

  /** Asks for a published object: answered like a call. */
  lookup(target: CallTarget, name: string): Promise<unknown> {
    const { clock } = this.#options.environment;
    const call = new PendingCall(target, `lookup of ${JSON.stringify(name)}`, undefined, 0, clock.now());
    this.#unsettled++;
    try {
      this.#checkRoom(call);
      const bytes = encodeName(name, "the name");
      call.lookupName = bytes;
      if (this.#mustHold) this.#held.push(call);
      else this.#sendLookup(call, bytes);
    } catch (error) {
      this.#reject(call, asRefusal(call, error));
    }
    return call.promise;
  }

  #sendLookup(call: PendingCall, name: Uint8Array): void {
    call.lookupName = undefined;
    const writer = this.#outbox.begin(frame.lookup);
    this.#number(call);
    writer.varint(call.id);
    writeName(writer, name);
    this.#outbox.endAt(call, "call");
  }

  /** A call that is refused before it is made. */
  refuse(target: CallTarget, method: string, refusal: (call: PendingCall) => RpcError): Promise<unknown> {
    const call = new PendingCall(target, method, undefined, 0, this.#options.environment.clock.now());
    this.#unsettled++;
    this.#reject(call, refusal(call));
    return call.promise;
  }

  /** A call that was answered, out of the table; `undefined` for a number that is not awaited. */
  take(id: number): PendingCall | undefined {
    const call = this.#sent.get(id);
    this.#sent.delete(id);
    return call;
  }

  /** Settles a call whose answer is still being checked, unless the session ends first. */
  settleChecked(call: PendingCall, checked: Promise<unknown>, unreadable: (error: unknown) => RpcError): void {
    this.#checking.add(call);
    checked.then(
      (value) => this.resolve(call, value),
      (error) => this.reject(call, unreadable(error)),
    );
  }

  resolve(call: PendingCall, value: unknown): void {
    this.#checking.delete(call);
    if (call.isSettled) return;
    this.#unsettled--;
    call.resolve(value);
  }

  reject(call: PendingCall, error: Error): void {
    this.#checking.delete(call);
    if (!call.isSettled) this.#reject(call, error);
  }

  /** Whether calls wait to be sent. */
  get isHolding(): boolean {
    return this.#held.length > 0;
  }

  /** Runs `task` behind every call made so far. */
  afterHeld(task: () => void): void {
    if (this.#held.length === 0) task();
    else this.#held.push(task);
  }

  /** Sends what was held back, as far as the peer takes it. */
  pump(): void {
    while (this.#held.length > 0 && !this.#isWindowFull) {
      const next = this.#held.shift() as PendingCall | (() => void);
      if (typeof next === "function") next();
      else if (next.lookupName) this.#sendLookup(next, next.lookupName);
      else if (!next.isSettled) this.#sendHeld(next);
    }
  }

  /** The session is over: settles every call, telling of each whether it may have run. */
  failAll(failure: (call: PendingCall, hasLeft: boolean) => RpcError): void {
    this.#failure = failure;
    const sent = [...this.#sent.values()];
    const held = this.#held.filter((item) => item instanceof PendingCall);
    for (const call of [...this.#checking]) this.reject(call, failure(call, true));
    this.#sent.clear();
    this.#held.length = 0;
    for (const call of sent) {
      const hasLeft = !this.#outbox.takeBack(call);
      this.reject(call, failure(call, hasLeft));
    }
    for (const call of held) this.reject(call, failure(call, false));
  }

  #reject(call: PendingCall, error: Error): void {
    const { clock } = this.#options.environment;
    this.#unsettled--;
    call.reject(error, clock, this.#options.unheard);
  }

  /** @throws RpcError when the call must not even be encoded. */
  #checkRoom(call: PendingCall): void {
    const { limits } = this.#options.environment;
    const { peerLimits } = this.#options.agreement;
    const signal = call.options?.signal;
    if (signal?.aborted) throw call.error("cancelled", "cancelled before it was made", "not-sent", signal.reason);
    if (call.depth > Math.min(limits.maxCallDepth, peerLimits.maxCallDepth)) {
      throw call.error("limit-exceeded", `a call ${call.depth} deep (limits.maxCallDepth)`, "not-sent");
    }
    this.#checkSession(call);
    if (this.#unsettled > limits.maxPendingCalls) {
      throw call.error(
        "overloaded",
        `${limits.maxPendingCalls} calls are pending (limits.maxPendingCalls)`,
        "not-sent",
      );
    }
    if (this.#heldBytes + this.#outbox.unsentBytes("call") > maxUnsentBytes) {
      throw call.error("overloaded", `${maxUnsentBytes} bytes of arguments are unsent`, "not-sent");
    }
  }

  /** A value may have ended the session while it was being encoded. @throws RpcError `closed` */
  #checkSession(call: PendingCall): void {
    if (this.#failure) throw this.#failure(call, false);
  }

  get #isWindowFull(): boolean {
    const { maxRunningCalls, maxQueuedCalls } = this.#options.agreement.peerLimits;
    return (
      !this.#hasBegun ||
      this.#sent.size >= maxRunningCalls + maxQueuedCalls + this.#options.runningForPeer() ||
      this.#outbox.hasWaitingCall
    );
  }

  get #mustHold(): boolean {
    return this.#held.length > 0 || this.#isWindowFull;
  }

  /** Encodes now, as the arguments are now, and sends later. */
  #hold(call: PendingCall, args: readonly unknown[]): void {
    const writer = new ByteWriter(new Uint8Array(256));
    try {
      // Written for its size and its errors only: it is written again, with its number, when the call is sent.
      this.#writeHeader(writer, call, 0);
      const headerBytes = writer.length + maxCallNumberBytes;
      writer.position = writer.start;
      this.#encode(writer, args);
      this.#checkSession(call);
      this.#checkSize(call, headerBytes + writer.length);
    } catch (error) {
      this.#departures.undo();
      throw error;
    }
    call.departed = this.#departures.take();
    call.heldBody = writer.bytes.slice(writer.start, writer.position);
    this.#heldBytes += call.heldBody.length;
    this.#held.push(call);
  }

  /** Nothing is left that could go wrong; if it does, it is this call's matter alone. */
  #sendHeld(call: PendingCall): void {
    const body = call.heldBody as Uint8Array;
    const { departed } = call;
    this.#heldBytes -= body.length;
    call.heldBody = undefined;
    try {
      this.#send(call, body);
      call.departed = departed;
    } catch (error) {
      departed?.undo();
      this.#reject(call, asRefusal(call, error));
    }
  }

  #encode(writer: ByteWriter, args: readonly unknown[]): void {
    this.#codec.encodeList(writer, args, this.#departures, this.#options.agreement.peerLimits, "args");
  }

  /** Writes the call's frame, with arguments to encode or a body that was. What throws leaves nothing behind. */
  #send(call: PendingCall, content: readonly unknown[] | Uint8Array): void {
    const methodNumber = this.#methodNumber(call.method);
    const writer = this.#outbox.begin(frame.call);
    try {
      writer.varint(this.#lastId + 1);
      this.#writeHeader(writer, call, methodNumber);
      if (content instanceof Uint8Array) writer.raw(content);
      else this.#encode(writer, content);
      this.#checkSession(call);
      this.#checkSize(call, this.#outbox.openBytes);
    } catch (error) {
      this.#outbox.abandon();
      this.#departures.undo();
      throw error;
    }
    this.#number(call);
    call.departed = this.#departures.take();
    this.#outbox.endAt(call, "call");
    this.count++;
    this.#options.awaiting();
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

  #number(call: PendingCall): void {
    call.id = ++this.#lastId;
    this.#sent.set(call.id, call);
  }

  #writeHeader(writer: ByteWriter, call: PendingCall, methodNumber: number): void {
    const remainingMs = call.options ? call.remainingMs(this.#options.environment.clock.now()) : undefined;
    const context = call.options?.context;
    let flags = 0;
    if (remainingMs !== undefined) flags |= callFlag.timeout;
    if (call.depth > 0) flags |= callFlag.depth;
    if (context) flags |= callFlag.context;
    if (methodNumber === 0) flags |= callFlag.inlineMethod;
    writer.varint(call.target.id);
    writer.varint(methodNumber);
    writer.u8(flags);
    if (methodNumber === 0) writeName(writer, encodeName(call.method, "the method's name"));
    if (remainingMs !== undefined) writer.varint(remainingMs);
    if (call.depth > 0) writer.varint(call.depth);
    if (context) writeContext(writer, context);
  }

  #checkSize(call: PendingCall, bytes: number): void {
    const { maxMessageBytes } = this.#options.agreement.peerLimits;
    if (bytes <= maxMessageBytes) return;
    const detail = `a message of ${bytes} bytes, the peer takes ${maxMessageBytes} (limits.maxMessageBytes)`;
    throw call.error("limit-exceeded", detail, "not-sent");
  }

  /** The caller waits no longer. What has not left never will; what has is told to the peer, whose answer is dropped. */
  #giveUp(call: PendingCall, error: RpcError): void {
    if (call.isSettled) return;
    if (!this.#hasLeft(call)) {
      call.departed?.undo();
      this.reject(call, new RpcError(error.code, error.detail, "not-sent", { cause: error.cause }));
      return;
    }
    this.reject(call, error);
    // Not at once: the signal may have been aborted in the middle of a value that is being written.
    this.#options.environment.clock.endOfTurn(() => this.#outbox.afterBegun(() => this.#sendCancel(call)));
  }

  #sendCancel(call: PendingCall): void {
    if (!this.#sent.has(call.id)) return;
    this.#outbox.begin(frame.cancel).varint(call.id);
    this.#outbox.end("control");
  }

  #hasLeft(call: PendingCall): boolean {
    if (call.heldBody) {
      this.#heldBytes -= call.heldBody.length;
      call.heldBody = undefined;
      this.#held.splice(this.#held.indexOf(call), 1);
      return false;
    }
    if (!this.#outbox.takeBack(call)) return true;
    this.#sent.delete(call.id);
    return false;
  }
}

/** A sender's refusal, naming the call. */
function asRefusal(call: PendingCall, error: unknown): RpcError {
  if (!(error instanceof RpcError)) return call.error("unsupported-value", String(error), "not-sent", error);
  if (error.detail.startsWith(call.describe())) return error;
  return call.error(error.code, error.detail, "not-sent", error.cause);
}
