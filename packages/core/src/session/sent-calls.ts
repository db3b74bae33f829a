/** The calls that the peer has and has not answered, settled or not: no more than it takes at once. */
import { maxIncompleteBytes } from "../wire/fragments.ts";
import { Numbered } from "../wire/numbered.ts";
import type { SharedLimits } from "./environment.ts";
import type { PendingCall } from "./pending-call.ts";

export class SentCalls {
  readonly #peerLimits: SharedLimits;
  readonly #runningForPeer: () => number;
  readonly #calls = new Numbered<PendingCall>("ours");
  #bytes = 0;

  /** `runningForPeer` are calls we run for the peer: it may have to run as many more of ours to finish them. */
  constructor(peerLimits: SharedLimits, runningForPeer: () => number) {
    this.#peerLimits = peerLimits;
    this.#runningForPeer = runningForPeer;
  }

  get size(): number {
    return this.#calls.size;
  }

  /** The peer takes no more calls for now. */
  get isFull(): boolean {
    const { maxRunningCalls, maxQueuedCalls } = this.#peerLimits;
    return this.size >= maxRunningCalls + maxQueuedCalls + this.#runningForPeer() || this.#isBytesFull;
  }

  /** One more message of any size then still fits where the peer lets calls wait; while it calls us, that goes first. */
  get #isBytesFull(): boolean {
    const { maxMessageBytes } = this.#peerLimits;
    if (this.#bytes + maxMessageBytes <= maxIncompleteBytes(maxMessageBytes)) return false;
    return this.#runningForPeer() === 0;
  }

  get(id: number): PendingCall | undefined {
    return this.#calls.get(id);
  }

  add(call: PendingCall): void {
    this.#calls.set(call.id, call);
    this.#bytes += call.bytes;
  }

  delete(call: PendingCall): void {
    this.#calls.delete(call.id);
    this.#bytes -= call.bytes;
  }

  /** The session is over. Returns the calls that will not be answered. */
  clear(): PendingCall[] {
    const calls = [...this.#calls.values()];
    this.#calls.clear();
    return calls;
  }
}
