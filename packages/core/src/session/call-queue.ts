/**
 * When a call may begin: in the order of arrival, when a slot is free, and not before an earlier call on the same target
 * that can't begin yet, because its rest is still to come or because somebody has to be asked about it.
 */
import type { IncomingCall } from "./incoming-call.ts";

export interface CallQueueOptions {
  readonly maxRunningCalls: number;
  readonly maxQueuedCalls: number;
  /** Calls of ours that await the peer: as many more of its calls may run, so that neither waits for the other. */
  awaitedCalls(): number;
  /** The peer leaves answers unread: what begins now would only add to them. */
  isBacklogged(): boolean;
  /** Bytes of calls that may wait. */
  readonly maxQueuedBytes: number;
  begin(call: IncomingCall): void;
  /** There is no room for the call to wait in. */
  overloaded(call: IncomingCall): void;
}

/** The call that keeps its target closed, and those that wait behind it. */
interface Gate {
  readonly holder: IncomingCall;
  readonly behind: IncomingCall[];
}

export class CallQueue {
  readonly #options: CallQueueOptions;
  #queue: IncomingCall[] = [];
  readonly #gates = new Map<number, Gate>();
  #behindGates = 0;
  #running = 0;
  /** Of those that run, the ones that wait for their object. */
  #aside = 0;

  constructor(options: CallQueueOptions) {
    this.#options = options;
  }

  /** Nothing runs and nothing waits. */
  get isIdle(): boolean {
    return this.#running === 0 && this.#queue.length === 0 && this.#gates.size === 0;
  }

  /** Nothing waits for a slot. */
  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  /** A call has come, whole or in its first fragment. */
  enter(call: IncomingCall): void {
    if (this.#queue.length === 0 && this.#hasSlot) this.#advance(call);
    else if (this.#hasRoomFor(call)) this.#queue.push(call);
  }

  /** The rest of a call has come, or what it waited for. */
  completed(call: IncomingCall): void {
    if (this.#gates.get(call.targetId)?.holder === call) {
      this.#queue.unshift(call);
      this.pump();
    } else if (this.#queuedBytes > this.#maxBytes && this.remove(call.id)) {
      this.#options.overloaded(call);
    }
  }

  /** Keeps later calls on the call's target waiting until `pass`. */
  hold(call: IncomingCall): void {
    if (!this.#gates.has(call.targetId)) this.#gates.set(call.targetId, { holder: call, behind: [] });
  }

  /** The call has begun, or never will: those behind it may go on. */
  pass(call: IncomingCall): void {
    if (this.#gates.size === 0) return;
    const gate = this.#gates.get(call.targetId);
    if (gate?.holder !== call) return;
    this.#gates.delete(call.targetId);
    this.#behindGates -= gate.behind.length;
    // They came before everything that is still queued.
    this.#queue = [...gate.behind, ...this.#queue];
    this.pump();
  }

  /** A call runs on after its turn. */
  occupy(): void {
    this.#running++;
  }

  free(): void {
    this.#running--;
    this.pump();
  }

  /** A running call waits for its object: meanwhile it needs no slot, and counts as queued. */
  stepAside(): void {
    this.#aside++;
  }

  stepBack(): void {
    this.#aside--;
  }

  /** Begins what can begin. */
  pump(): void {
    while (this.#queue.length > 0 && this.#hasSlot) this.#advance(this.#queue.shift() as IncomingCall);
  }

  /** Takes a waiting call out. */
  remove(id: number): IncomingCall | undefined {
    const queued = takeOut(this.#queue, id);
    if (queued) return queued;
    for (const gate of this.#gates.values()) {
      const waiting = takeOut(gate.behind, id);
      if (!waiting) continue;
      this.#behindGates--;
      return waiting;
    }
    return undefined;
  }

  /** Empties the queue; returns who was in it. */
  clear(): IncomingCall[] {
    const waiting = [...this.#queue];
    for (const gate of this.#gates.values()) waiting.push(...gate.behind);
    this.#queue.length = 0;
    this.#gates.clear();
    this.#behindGates = 0;
    return waiting;
  }

  get #slots(): number {
    return this.#options.maxRunningCalls + this.#options.awaitedCalls();
  }

  get #hasSlot(): boolean {
    if (this.#options.isBacklogged()) return false;
    if (this.#running < this.#slots) return true;
    return this.#running - this.#aside < this.#slots && this.#hasRoom;
  }

  /** Whether another call may wait. Slots that nobody may take now are room: a caller sends as many as both together. */
  get #hasRoom(): boolean {
    const present = this.#queue.length + this.#behindGates + this.#running;
    return present < this.#slots + this.#options.maxQueuedCalls;
  }

  /** A caller that runs a call of ours sends what it has, so that what it is asked for gets through. */
  get #maxBytes(): number {
    const { maxQueuedBytes, awaitedCalls } = this.#options;
    return awaitedCalls() > 0 ? calledBackTimes * maxQueuedBytes : maxQueuedBytes;
  }

  /** Added up anew: only large calls ask. */
  get #queuedBytes(): number {
    let bytes = 0;
    for (const call of this.#queue) bytes += call.bodyBytes;
    for (const { behind } of this.#gates.values()) for (const call of behind) bytes += call.bodyBytes;
    return bytes;
  }

  #advance(call: IncomingCall): void {
    if (call.isFinished) return;
    const gate = this.#gates.size > 0 ? this.#gates.get(call.targetId) : undefined;
    if (gate && gate.holder !== call) {
      if (!this.#hasRoomFor(call)) return;
      gate.behind.push(call);
      this.#behindGates++;
    } else if (call.body) {
      this.#options.begin(call);
    } else {
      this.hold(call);
    }
  }

  #hasRoomFor(call: IncomingCall): boolean {
    const isSmall = call.bodyBytes < smallBytes;
    const hasRoom = this.#hasRoom && (isSmall || this.#queuedBytes + call.bodyBytes <= this.#maxBytes);
    if (!hasRoom) this.#options.overloaded(call);
    return hasRoom;
  }
}

/** So many times as many bytes may wait while we await an answer of the peer's. */
const calledBackTimes = 4;
/** Of calls smaller than this, as many as may queue are no burden. */
const smallBytes = 4_096;

function takeOut(calls: IncomingCall[], id: number): IncomingCall | undefined {
  const index = calls.findIndex((call) => call.id === id);
  return index < 0 ? undefined : calls.splice(index, 1)[0];
}
