/** Calls of ours that wait to be sent, in order, and what must not overtake them. */
import type { EncodedArguments } from "./call-writer.ts";
import { PendingCall } from "./pending-call.ts";

export class HeldCalls {
  /** A function stands for something that must not overtake the calls before it. */
  readonly #items: (PendingCall | (() => void))[] = [];
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#items.length === 0;
  }

  /** Of arguments that are encoded and not sent. */
  get bytes(): number {
    return this.#bytes;
  }

  add(call: PendingCall): void {
    this.#items.push(call);
    if (!call.heldArguments) return;
    this.#bytes += call.heldArguments.bytes.length;
    for (const base of call.bases ?? []) base.heldDependents++;
  }

  /** Runs `task` behind every call made so far. */
  behind(task: () => void): void {
    if (this.isEmpty) task();
    else this.#items.push(task);
  }

  /** What is next to be sent, or to be run. */
  shift(): PendingCall | (() => void) | undefined {
    return this.#items.shift();
  }

  /** The encoded arguments of a call that waits no longer. */
  takeArguments(call: PendingCall): EncodedArguments | undefined {
    const args = call.heldArguments;
    if (!args) return undefined;
    call.heldArguments = undefined;
    this.#bytes -= args.bytes.length;
    for (const base of call.bases ?? []) base.heldDependents--;
    return args;
  }

  /** Takes a call out. Returns whether it was there. */
  remove(call: PendingCall): boolean {
    if (!this.takeArguments(call)) return false;
    this.#items.splice(this.#items.indexOf(call), 1);
    return true;
  }

  /** Nothing is sent any more. Returns the calls that were to be. */
  clear(): PendingCall[] {
    const calls = this.#items.filter((item) => item instanceof PendingCall);
    this.#items.length = 0;
    return calls;
  }
}
