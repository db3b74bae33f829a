/**
 * The calls we make: numbered, sent in order, held back while the peer has as many as it takes, given up by their caller
 * or, all at once, when the session ends.
 */
import { RpcError } from "../errors/rpc-error.ts";
import type { CallerContract } from "../references/contracts.ts";
import type { CallOptions } from "../types/session.ts";
import { encodeName } from "../wire/names.ts";
import type { Outbox } from "../wire/outbox.ts";
import { CallWriter, type EncodedArguments } from "./call-writer.ts";
import { depthOfNextCall } from "./current-call.ts";
import type { Departures } from "./departures.ts";
import type { Agreement, SessionEnvironment } from "./environment.ts";
import type { HeldCalls } from "./held-calls.ts";
import { type CallTarget, PendingCall } from "./pending-call.ts";
import { PendingCalls } from "./pending-calls.ts";
import { PipelineStep } from "./pipeline-step.ts";
import { SentCalls } from "./sent-calls.ts";
import { SharedSignals } from "./shared-signals.ts";

/** Arguments that may wait unsent, in bytes. */
const maxUnsentBytes = 256 * 1024 * 1024;

export interface OutgoingCallsOptions {
  readonly environment: SessionEnvironment;
  readonly agreement: Agreement;
  readonly outbox: Outbox;
  readonly departures: Departures;
  readonly held: HeldCalls;
  /** Calls we run for the peer: it may have to run as many more of ours to finish them. */
  runningForPeer(): number;
  /** A call of ours awaits the peer now: it may run one more of its own. */
  awaiting(): void;
  unheard(error: Error): void;
}

export class OutgoingCalls {
  /** Calls sent, for the statistics. */
  count = 0;
  /** Those that have not settled. */
  readonly pending: PendingCalls;
  readonly #options: OutgoingCallsOptions;
  readonly #outbox: Outbox;
  readonly #writer: CallWriter;
  readonly #signals: SharedSignals;
  readonly #sent: SentCalls;
  readonly #held: HeldCalls;
  /** Nothing is sent before the peer knows of the session. */
  #hasBegun = false;
  #lastId = 0;
  #isWriting = false;
  /** How calls fail once the session is over. */
  #failure: ((call: PendingCall, hasLeft: boolean) => RpcError) | undefined;

  constructor(options: OutgoingCallsOptions) {
    this.#options = options;
    const { environment, agreement, outbox, departures } = options;
    this.#outbox = outbox;
    this.#held = options.held;
    this.#sent = new SentCalls(agreement.peerLimits, () => options.runningForPeer());
    this.pending = new PendingCalls({
      clock: environment.clock,
      withdraw: (call) => this.#withdraw(call),
      unheard: options.unheard,
    });
    this.#signals = new SharedSignals((signal) => environment.expectListeners(signal));
    this.#writer = new CallWriter({
      clock: environment.clock,
      codec: environment.codec,
      outbox,
      departures,
      peerLimits: agreement.peerLimits,
      requireSession: (call) => this.#checkSession(call),
    });
  }

  /** The peer is ready: what was called so far is sent. */
  begin(): void {
    this.#hasBegun = true;
    this.pump();
  }

  /** Calls the peer has and has not answered. */
  get awaitedCount(): number {
    return this.#sent.size;
  }

  /** A call to be made, or to be refused. */
  create(target: CallTarget, method: string, options: CallOptions | undefined): PendingCall {
    return new PendingCall(target, method, options, depthOfNextCall(), this.#options.environment.clock.now());
  }

  /** Makes a call. Every failure is a rejection. */
  make(call: PendingCall, args: readonly unknown[]): Promise<unknown> {
    const { clock, passes } = this.#options.environment;
    this.pending.open();
    try {
      this.#checkRoom(call);
      call.issued = passes?.issue();
      if (this.#mustHold) this.#encodeAhead(call, args);
      else this.#send(call, args);
      if (call.options && !call.isSettled) call.watch(clock, this.#signals, (error) => this.#giveUp(call, error));
    } catch (error) {
      this.pending.reject(call, call.unsendable(error));
    }
    return call.promise;
  }

  /** The same for an object that has a contract at this side. */
  makeUnder(contract: CallerContract, call: PendingCall, args: readonly unknown[]): Promise<unknown> {
    try {
      const check = contract.method(call.method);
      if (check.options) call.options = { ...check.options, ...call.options };
      call.check = check;
      if (check.isOneway && !call.step) call.isOneway = true;
      return this.make(call, check.outgoing(args));
    } catch (error) {
      return this.refuse(call, call.unsendable(error));
    }
  }

  /** Asks for a published object: answered like a call. */
  lookup(target: CallTarget, name: string): Promise<unknown> {
    const call = this.create(target, `lookup of ${JSON.stringify(name)}`, undefined);
    this.pending.open();
    try {
      this.#checkRoom(call);
      call.lookupName = encodeName(name, "the name");
      if (this.#mustHold) this.#hold(call);
      else this.#sendLookup(call, call.lookupName);
    } catch (error) {
      this.pending.reject(call, call.unsendable(error));
    }
    return call.promise;
  }

  #sendLookup(call: PendingCall, name: Uint8Array): void {
    call.lookupName = undefined;
    this.#number(call);
    this.#writer.writeLookup(call, name);
    this.#sent.add(call);
  }

  /** Settles a call that is not even made. */
  refuse(call: PendingCall, error: Error): Promise<unknown> {
    this.pending.open();
    this.pending.reject(call, error);
    return call.promise;
  }

  /** A call that was answered, out of the table; `undefined` for a number that is not awaited. */
  take(id: number): PendingCall | undefined {
    const call = this.#sent.get(id);
    if (call) this.#sent.delete(call);
    if (call?.step) this.#forgetAtFarSide(call.step);
    return call;
  }

  /** Sends what was held back, as far as the peer takes it; not in the middle of a call that it has not been charged for. */
  pump(): void {
    if (this.#isWriting) return;
    while (!this.#held.isEmpty && !this.#isWindowFull) {
      const next = this.#held.shift() as PendingCall | (() => void); // it is not empty
      if (typeof next === "function") next();
      else if (next.isSettled) continue;
      else if (next.lookupName) this.#sendLookup(next, next.lookupName);
      else this.#sendHeld(next);
    }
  }

  /** The session is over: settles every call, telling of each whether it may have run. */
  failAll(failure: (call: PendingCall, hasLeft: boolean) => RpcError): void {
    this.#failure = failure;
    // What the peer was to hold is as it was.
    const neverLeft = (call: PendingCall) => {
      call.departed?.undo();
      this.pending.reject(call, failure(call, false));
    };
    this.pending.close((call) => failure(call, true));
    const held = this.#held.clear();
    for (const call of this.#sent.clear()) {
      // What was accepted for sending leaves, with the last batch.
      if (call.isOneway) continue;
      if (this.#outbox.takeBack(call)) neverLeft(call);
      else this.pending.reject(call, failure(call, true));
    }
    for (const call of held) neverLeft(call);
  }

  /** Every step is forgotten once: when its answer is here, and the calls on it are all there. */
  #forgetAtFarSide(step: PipelineStep): void {
    if (step.isForgotten || step.heldDependents > 0 || this.#sent.get(step.id) || this.#failure) return;
    step.isForgotten = true;
    this.#outbox.afterBegun(() => {
      if (!this.#failure) this.#writer.writeCancel(step.id);
    });
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
    if (this.pending.size > limits.maxPendingCalls) {
      throw call.error(
        "overloaded",
        `${limits.maxPendingCalls} calls are pending (limits.maxPendingCalls)`,
        "not-sent",
      );
    }
    if (this.#held.bytes + this.#outbox.unsentBytes("call") > maxUnsentBytes) {
      throw call.error("overloaded", `${maxUnsentBytes} bytes of arguments are unsent`, "not-sent");
    }
  }

  /** A value may have ended the session while it was being encoded. @throws RpcError `closed` */
  #checkSession(call: PendingCall): void {
    if (this.#failure) throw this.#failure(call, false);
  }

  get #isWindowFull(): boolean {
    return !this.#hasBegun || this.#sent.isFull || this.#outbox.hasWaitingCall;
  }

  get #mustHold(): boolean {
    return !this.#held.isEmpty || this.#isWindowFull;
  }

  /** Encodes now, as the arguments are now, and sends later. */
  #encodeAhead(call: PendingCall, args: readonly unknown[]): void {
    call.heldArguments = this.#writer.encodeAhead(call, args);
    this.#depend(call);
    this.#hold(call);
  }

  /** Numbers are given in the order of sending, so that calls held back behind this one can name it. */
  #hold(call: PendingCall): void {
    this.#number(call);
    this.#held.add(call);
  }

  /** Nothing is left that could go wrong; if it does, it is this call's matter alone. */
  #sendHeld(call: PendingCall): void {
    const args = this.#held.takeArguments(call) as EncodedArguments; // it has them until it is sent or given up
    try {
      this.#write(call, call.id, args);
    } catch (error) {
      call.departed?.undo();
      this.pending.reject(call, call.unsendable(error));
    }
    for (const base of call.bases ?? []) this.#forgetAtFarSide(base);
  }

  #send(call: PendingCall, args: readonly unknown[]): void {
    this.#write(call, this.#lastId + 1, args);
    this.#depend(call);
  }

  #write(call: PendingCall, id: number, args: readonly unknown[] | EncodedArguments): void {
    this.#isWriting = true;
    try {
      call.bytes = this.#writer.write(call, id, args);
    } finally {
      this.#isWriting = false;
    }
    this.#number(call);
    this.#sent.add(call);
    this.count++;
    this.#options.awaiting();
    if (call.isOneway) this.pending.resolve(call, undefined);
  }

  #number(call: PendingCall): void {
    if (call.id === 0) call.id = ++this.#lastId;
  }

  /** Notes which steps the call needs the results of. */
  #depend(call: PendingCall): void {
    const { target, departed } = call;
    if (!departed?.results && !(target instanceof PipelineStep)) return;
    call.bases = [...(departed?.results ?? [])];
    if (target instanceof PipelineStep) call.bases.push(target);
    for (const base of call.bases) base.dependentMade(call);
  }

  /** The caller waits no longer. What has not left never will; what has is told to the peer, whose answer is dropped. */
  #giveUp(call: PendingCall, error: RpcError): void {
    if (call.isSettled) return;
    if (this.#withdraw(call)) {
      call.departed?.undo();
      this.pending.reject(call, new RpcError(error.code, error.detail, "not-sent", { cause: error.cause }));
      return;
    }
    this.pending.reject(call, error, "open");
    // Not at once: the signal may have been aborted in the middle of a value that is being written.
    this.#options.environment.clock.endOfTurn(() => this.#outbox.afterBegun(() => this.#cancel(call)));
  }

  #cancel(call: PendingCall): void {
    if (!this.#sent.get(call.id)) return;
    if (call.step) call.step.isForgotten = true;
    this.#writer.writeCancel(call.id);
  }

  /** Takes a call back that has not left. Returns whether it could. */
  #withdraw(call: PendingCall): boolean {
    if (this.#held.remove(call)) {
      for (const base of call.bases ?? []) this.#forgetAtFarSide(base);
      return true;
    }
    if (!this.#outbox.takeBack(call)) return false;
    this.#sent.delete(call);
    return true;
  }
}
