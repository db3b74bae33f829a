/**
 * The calls of the peer's that run on after their turn, and what follows when one is over: its slot is free, those that
 * waited for its result go on, and who drains hears of the last one.
 */
import { Numbered } from "../wire/numbered.ts";
import type { CallQueue } from "./call-queue.ts";
import type { DependentCalls } from "./dependent-calls.ts";
import type { IncomingCall } from "./incoming-call.ts";

export interface RunningCallsHost {
  /** More calls run than before: the peer may have to take more of ours. */
  occupied(): void;
  /** The answer is given: what was kept for the call may go. */
  finished(call: IncomingCall): void;
}

type State =
  | { readonly kind: "open" }
  /** No calls from outside are let in. */
  | { readonly kind: "draining"; whenIdle(): void }
  | { readonly kind: "closed" };

export class RunningCalls {
  readonly #queue: CallQueue;
  readonly #dependents: DependentCalls;
  readonly #host: RunningCallsHost;
  readonly #calls = new Numbered<IncomingCall>("the peer's");
  #state: State = { kind: "open" };

  constructor(queue: CallQueue, dependents: DependentCalls, host: RunningCallsHost) {
    this.#queue = queue;
    this.#dependents = dependents;
    this.#host = host;
  }

  get size(): number {
    return this.#calls.size;
  }

  get(id: number): IncomingCall | undefined {
    return this.#calls.get(id);
  }

  get isDraining(): boolean {
    return this.#state.kind === "draining";
  }

  /** It drains, and nothing runs or waits. */
  get isDrained(): boolean {
    return this.isDraining && this.#queue.isIdle;
  }

  /** No calls from outside are let in from now on; calls back when the last one is answered. */
  drain(whenIdle: () => void): void {
    if (this.#state.kind !== "open") return;
    this.#state = { kind: "draining", whenIdle };
    this.#tellIfIdle();
  }

  /** The call runs on after its turn: it takes a slot until it is finished. */
  occupy(call: IncomingCall): void {
    if (this.#calls.has(call.id)) return;
    this.#calls.set(call.id, call);
    this.#queue.occupy();
    this.#host.occupied();
  }

  /** The call has begun, or never will: later ones on its target may go on. */
  pass(call: IncomingCall): void {
    this.#queue.pass(call);
    this.#tellIfIdle();
  }

  /** The call is answered, or never will be. */
  finish(call: IncomingCall): void {
    if (call.isFinished) return;
    call.finish();
    this.#host.finished(call);
    const isSlotFree = this.#calls.delete(call.id);
    if (isSlotFree) this.#queue.free();
    // Behind the slot: who has waited for the result may need one.
    if (call.kept) this.#dependents.settle(call.kept);
    if (isSlotFree) this.#tellIfIdle();
  }

  /** The session is over. Returns the calls that run. */
  close(): IncomingCall[] {
    this.#state = { kind: "closed" };
    const running = [...this.#calls.values()];
    this.#calls.clear();
    return running;
  }

  #tellIfIdle(): void {
    if (this.#state.kind === "draining" && this.#queue.isIdle) this.#state.whenIdle();
  }
}
