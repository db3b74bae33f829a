/**
 * The calls we make: numbered, sent in order, held back while the peer has as many as it takes, settled by its answers or
 * all at once when the session ends.
 */
import { RpcError } from "../errors/rpc-error.ts";
import type { CallerContract } from "../references/contracts.ts";
import type { CallOptions } from "../types/session.ts";
import type { Decoded } from "../values/codec.ts";
import { maxIncompleteBytes } from "../wire/fragments.ts";
import { encodeName } from "../wire/names.ts";
import { Numbered } from "../wire/numbered.ts";
import type { Outbox } from "../wire/outbox.ts";
import { CallWriter } from "./call-writer.ts";
import { depthOfNextCall } from "./current-call.ts";
import type { Departures } from "./departures.ts";
import type { Agreement, SessionEnvironment } from "./environment.ts";
import { notExecuted, StepFailure } from "./not-executed.ts";
import { type CallTarget, PendingCall } from "./pending-call.ts";
import { PipelineStep } from "./pipeline-step.ts";
import { SharedSignals } from "./shared-signals.ts";

/** Arguments that may wait unsent, in bytes. */
const maxUnsentBytes = 256 * 1024 * 1024;

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

interface BrokenStep {
  readonly step: PipelineStep;
  readonly error: Error;
  readonly fate: "certain" | "open";
}

export class OutgoingCalls {
  /** Calls sent, for the statistics. */
  count = 0;
  readonly #options: OutgoingCallsOptions;
  readonly #outbox: Outbox;
  readonly #writer: CallWriter;
  readonly #signals: SharedSignals;
  /** Sent and not answered, settled or not. */
  readonly #sent = new Numbered<PendingCall>("ours");
  /** Answered, and being checked by a contract that takes its time. */
  readonly #checking = new Set<PendingCall>();
  /** Not sent yet, in order; a function stands for something that must not overtake the calls before it. */
  readonly #held: (PendingCall | (() => void))[] = [];
  #heldBytes = 0;
  /** Bytes of calls that are sent and not answered. */
  #sentBytes = 0;
  /** Nothing is sent before the peer knows of the session. */
  #hasBegun = false;
  #lastId = 0;
  #unsettled = 0;
  /** Steps whose dependents are being failed. */
  readonly #broken: BrokenStep[] = [];
  /** How calls fail once the session is over. */
  #failure: ((call: PendingCall, hasLeft: boolean) => RpcError) | undefined;

  constructor(options: OutgoingCallsOptions) {
    this.#options = options;
    const { environment, agreement, outbox, departures } = options;
    this.#outbox = outbox;
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

  /** Calls that have not settled. */
  get pendingCount(): number {
    return this.#unsettled;
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
    this.#unsettled++;
    try {
      this.#checkRoom(call);
      call.issued = passes?.issue();
      if (this.#mustHold) this.#hold(call, args);
      else this.#send(call, args);
      if (call.options && !call.isSettled) call.watch(clock, this.#signals, (error) => this.#giveUp(call, error));
    } catch (error) {
      this.#reject(call, asRefusal(call, error));
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
      return this.refuse(call, asRefusal(call, error));
    }
  }

  /** Asks for a published object: answered like a call. */
  lookup(target: CallTarget, name: string): Promise<unknown> {
    const call = this.create(target, `lookup of ${JSON.stringify(name)}`, undefined);
    this.#unsettled++;
    try {
      this.#checkRoom(call);
      call.lookupName = encodeName(name, "the name");
      if (this.#mustHold) this.#enqueue(call);
      else this.#sendLookup(call, call.lookupName);
    } catch (error) {
      this.#reject(call, asRefusal(call, error));
    }
    return call.promise;
  }

  #sendLookup(call: PendingCall, name: Uint8Array): void {
    call.lookupName = undefined;
    this.#number(call);
    this.#writer.writeLookup(call, name);
    this.#sent.set(call.id, call);
  }

  /** Settles a call that is not even made. */
  refuse(call: PendingCall, error: Error): Promise<unknown> {
    this.#unsettled++;
    this.#reject(call, error);
    return call.promise;
  }

  /** A call that was answered, out of the table; `undefined` for a number that is not awaited. */
  take(id: number): PendingCall | undefined {
    const call = this.#sent.get(id);
    if (call) this.#unsend(call);
    if (call?.step) this.#forgetAtFarSide(call.step);
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
    call.resolve(value);
    this.#settled(call);
  }

  /** The result of a step: nobody may want it. */
  arrived(call: PendingCall, step: PipelineStep, decoded: Decoded): void {
    call.settle();
    step.arrived(decoded);
    this.#settled(call);
  }

  reject(call: PendingCall, error: Error): void {
    this.#checking.delete(call);
    if (!call.isSettled) this.#reject(call, error);
  }

  /** Nobody waits for a oneway call: that it failed is told here. */
  failedUnheard(error: Error): void {
    this.#options.unheard(error);
  }

  /** The far side says that a step failed which the call depends on. How it failed may be heard later. */
  brokenStep(call: PendingCall, refusal: RpcError): void {
    const failure = call.bases?.find((step) => step.failure)?.failure;
    if (failure) {
      this.reject(call, notExecuted(failure));
      return;
    }
    if (!call.bases?.some((step) => !step.call.isSettled)) {
      this.reject(call, refusal);
      return;
    }
    call.refusal = refusal;
    this.#checking.add(call);
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
      this.reject(call, failure(call, false));
    };
    const sent = [...this.#sent.values()];
    const held = this.#held.filter((item) => item instanceof PendingCall);
    for (const call of [...this.#checking]) this.reject(call, call.refusal ?? failure(call, true));
    this.#sent.clear();
    this.#held.length = 0;
    for (const call of sent) {
      // What was accepted for sending leaves, with the last batch.
      if (call.isOneway) continue;
      if (this.#outbox.takeBack(call)) neverLeft(call);
      else this.reject(call, failure(call, true));
    }
    for (const call of held) neverLeft(call);
  }

  /** @param fate of the calls that depend on this one: `certain` where the far side will run none of them */
  #reject(call: PendingCall, error: Error, fate: "certain" | "open" = "certain"): void {
    call.step?.failed(error);
    call.reject(error, this.#options.environment.clock, this.#options.unheard);
    this.#settled(call);
    if (call.step && !this.#failure) this.#breakOff(call.step, error, fate);
  }

  /** What every call comes to, once. */
  #settled(call: PendingCall): void {
    this.#unsettled--;
    for (const base of call.bases ?? []) base.dependentSettled(call);
    if (!call.step?.failure) for (const dependent of call.step?.dependents ?? []) this.#refuseAsTold(dependent);
  }

  /** The far side spoke of a failed step, and this one has not failed. */
  #refuseAsTold(dependent: PendingCall): void {
    if (dependent.refusal) this.reject(dependent, dependent.refusal);
  }

  /** One step after the other, so that a long chain takes no deep stack. */
  #breakOff(step: PipelineStep, error: Error, fate: "certain" | "open"): void {
    if (this.#broken.push({ step, error, fate }) > 1) return;
    for (let i = 0; i < this.#broken.length; i++) {
      const next = this.#broken[i] as BrokenStep;
      this.#failDependents(next.step, next.error, next.fate);
    }
    this.#broken.length = 0;
  }

  /** Where it is open whether the far side has run them, it says so itself. */
  #failDependents(step: PipelineStep, error: Error, fate: "certain" | "open"): void {
    for (const call of [...step.dependents]) {
      if (call.isSettled) continue;
      if (!this.#hasLeft(call)) call.departed?.undo();
      else if (fate === "open" && !call.refusal) continue;
      this.reject(call, notExecuted(error));
    }
  }

  /** Every step is forgotten once: when its answer is here, and the calls on it are all there. */
  #forgetAtFarSide(step: PipelineStep): void {
    if (step.isForgotten || step.heldDependents > 0 || this.#sent.has(step.id) || this.#failure) return;
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
      this.#outbox.hasWaitingCall ||
      this.#isBytesFull
    );
  }

  /** One more message of any size then still fits where the peer lets calls wait; while it calls us, that goes first. */
  get #isBytesFull(): boolean {
    const { maxMessageBytes } = this.#options.agreement.peerLimits;
    if (this.#sentBytes + maxMessageBytes <= maxIncompleteBytes(maxMessageBytes)) return false;
    return this.#options.runningForPeer() === 0;
  }

  get #mustHold(): boolean {
    return this.#held.length > 0 || this.#isWindowFull;
  }

  /** Encodes now, as the arguments are now, and sends later. */
  #hold(call: PendingCall, args: readonly unknown[]): void {
    call.heldBody = this.#writer.encodeAhead(call, args);
    this.#heldBytes += call.heldBody.length;
    this.#depend(call);
    for (const base of call.bases ?? []) base.heldDependents++;
    this.#enqueue(call);
  }

  /** Numbers are given in the order of sending, so that calls held back behind this one can name it. */
  #enqueue(call: PendingCall): void {
    this.#number(call);
    this.#held.push(call);
  }

  /** Nothing is left that could go wrong; if it does, it is this call's matter alone. */
  #sendHeld(call: PendingCall): void {
    const body = this.#takeHeld(call) as Uint8Array;
    try {
      this.#write(call, call.id, body);
    } catch (error) {
      call.departed?.undo();
      this.#reject(call, asRefusal(call, error));
    }
    for (const base of call.bases ?? []) this.#forgetAtFarSide(base);
  }

  /** The body of a call that is held back no longer. */
  #takeHeld(call: PendingCall): Uint8Array | undefined {
    const body = call.heldBody;
    if (!body) return undefined;
    call.heldBody = undefined;
    this.#heldBytes -= body.length;
    for (const base of call.bases ?? []) base.heldDependents--;
    return body;
  }

  #send(call: PendingCall, args: readonly unknown[]): void {
    this.#write(call, this.#lastId + 1, args);
    this.#depend(call);
  }

  #write(call: PendingCall, id: number, content: readonly unknown[] | Uint8Array): void {
    call.bytes = this.#writer.write(call, id, content);
    this.#number(call);
    this.#sent.set(call.id, call);
    this.#sentBytes += call.bytes;
    this.count++;
    this.#options.awaiting();
    if (call.isOneway) this.resolve(call, undefined);
  }

  #unsend(call: PendingCall): void {
    this.#sent.delete(call.id);
    this.#sentBytes -= call.bytes;
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
    if (!this.#hasLeft(call)) {
      call.departed?.undo();
      this.reject(call, new RpcError(error.code, error.detail, "not-sent", { cause: error.cause }));
      return;
    }
    this.#reject(call, error, "open");
    // Not at once: the signal may have been aborted in the middle of a value that is being written.
    this.#options.environment.clock.endOfTurn(() => this.#outbox.afterBegun(() => this.#cancel(call)));
  }

  #cancel(call: PendingCall): void {
    if (!this.#sent.has(call.id)) return;
    if (call.step) call.step.isForgotten = true;
    this.#writer.writeCancel(call.id);
  }

  #hasLeft(call: PendingCall): boolean {
    if (this.#takeHeld(call)) {
      this.#held.splice(this.#held.indexOf(call), 1);
      for (const base of call.bases ?? []) this.#forgetAtFarSide(base);
      return false;
    }
    if (!this.#outbox.takeBack(call)) return true;
    this.#unsend(call);
    return false;
  }
}

/** A sender's refusal, naming the call. */
function asRefusal(call: PendingCall, error: unknown): Error {
  if (error instanceof StepFailure) return error.error;
  if (!(error instanceof RpcError)) return call.error("unsupported-value", String(error), "not-sent", error);
  if (error.detail.startsWith(call.describe())) return error;
  return call.error(error.code, error.detail, "not-sent", error.cause);
}
