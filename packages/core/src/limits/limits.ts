/** Every bound of an endpoint, with its default: nothing grows without one. */
import { RpcError } from "../errors/rpc-error.ts";

export interface Limits {
  /** Longest payload of one message, its fragments together, in bytes. */
  readonly maxMessageBytes: number;
  /** Deepest nesting of one value. */
  readonly maxDepth: number;
  /** Most values (containers, leaves and keys' values counted) in one message. */
  readonly maxNodes: number;
  /** Most calls of one peer running at a time; calls we await from that peer come on top. */
  readonly maxRunningCalls: number;
  /** Most calls of one peer waiting for a running slot. */
  readonly maxQueuedCalls: number;
  /** Most calls of ours awaiting an answer from one peer. */
  readonly maxPendingCalls: number;
  /** Most objects held for one peer. */
  readonly maxExports: number;
  /** Most stubs of one peer's objects. */
  readonly maxImports: number;
  /** Deepest chain of calls within calls, counted over both directions. */
  readonly maxCallDepth: number;
  /** Most open streams of one session. */
  readonly maxStreams: number;
  /**
   * Most bytes of replies that one peer leaves unread, the largest and the newest not counted: more end its session. Items of
   * streams do not count, for no more of them are sent than the consumer has granted.
   */
  readonly maxSendBufferBytes: number;
  /** Most sessions of one service. */
  readonly maxConnections: number;
  /** Longest time from accepting a channel to an established session, in milliseconds. */
  readonly handshakeTimeoutMs: number;
  /** Longest time a message may stand half received or half sent without progress, in milliseconds. */
  readonly stallTimeoutMs: number;
}

/** Limits a program sets; the others keep their defaults. */
export type LimitOptions = { readonly [K in keyof Limits]?: Limits[K] | undefined };

export const defaultLimits: Limits = {
  maxMessageBytes: 16 * 1024 * 1024,
  maxDepth: 64,
  maxNodes: 131_072,
  maxRunningCalls: 256,
  maxQueuedCalls: 1_024,
  maxPendingCalls: 16_384,
  maxExports: 100_000,
  maxImports: 100_000,
  maxCallDepth: 32,
  maxStreams: 256,
  maxSendBufferBytes: 16 * 1024 * 1024,
  maxConnections: 10_000,
  handshakeTimeoutMs: 5_000,
  stallTimeoutMs: 10_000,
};

/** Completes and checks limits given by a program. @throws RpcError `invalid-argument` for anything but a positive integer. */
export function resolveLimits(given: LimitOptions = {}): Limits {
  const limits = { ...defaultLimits };
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    if (!Object.hasOwn(defaultLimits, name)) {
      throw new RpcError("invalid-argument", `limits.${name}: there is no such limit`, "not-sent");
    }
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RpcError("invalid-argument", `limits.${name}: expected a positive integer, got ${value}`, "not-sent");
    }
    Object.assign(limits, { [name]: value });
  }
  return limits;
}
