/**
 * Results that the peer may still call, or pass on, before it has them: kept from the arrival of the call until the peer
 * says that it needs them no more. Bounded in number and in bytes.
 */
import { refusal } from "../errors/refusal.ts";
import type { IncomingCall } from "./incoming-call.ts";

export interface KeptResultLimits {
  readonly maxResults: number;
  readonly maxBytes: number;
}

type State =
  | { readonly kind: "pending" }
  | { readonly kind: "kept"; readonly value: unknown }
  /** The call failed, or was given up. */
  | { readonly kind: "broken" }
  /** There was no room to keep it. */
  | { readonly kind: "dropped" };

export class KeptResult {
  readonly callId: number;
  /** Calls that wait for it, in the order they came. */
  readonly waiting: IncomingCall[] = [];
  bytes = 0;
  #state: State = { kind: "pending" };

  constructor(callId: number) {
    this.callId = callId;
  }

  get state(): State {
    return this.#state;
  }

  /** What becomes of it, once. */
  become(state: State): void {
    if (this.#state.kind === "pending") this.#state = state;
  }
}

export class KeptResults {
  readonly #limits: KeptResultLimits;
  readonly #byCall = new Map<number, KeptResult>();
  #bytes = 0;

  constructor(limits: KeptResultLimits) {
    this.#limits = limits;
  }

  /** A call has come whose result is to be kept. An honest peer has no more of them than calls it awaits. */
  open(callId: number): KeptResult {
    if (this.#byCall.size >= this.#limits.maxResults) {
      throw refusal("limit-exceeded", `${this.#byCall.size} results are kept for further calls`, "not-executed");
    }
    const result = new KeptResult(callId);
    this.#byCall.set(callId, result);
    return result;
  }

  get(callId: number): KeptResult | undefined {
    return this.#byCall.get(callId);
  }

  /** Keeps what a call returned, and took `bytes` to send, where there is room. */
  keep(result: KeptResult, value: unknown, bytes: number): void {
    if (!this.#byCall.has(result.callId)) return;
    if (this.#bytes + bytes > this.#limits.maxBytes) {
      result.become({ kind: "dropped" });
      return;
    }
    result.bytes = bytes;
    this.#bytes += bytes;
    result.become({ kind: "kept", value });
  }

  /** The peer needs it no more. */
  forget(callId: number): KeptResult | undefined {
    const result = this.#byCall.get(callId);
    if (!result) return undefined;
    this.#byCall.delete(callId);
    this.#bytes -= result.bytes;
    return result;
  }

  clear(): void {
    this.#byCall.clear();
    this.#bytes = 0;
  }
}
