/** What the benchmark and its two kinds of child process say to each other: one request, one answer. */
import type { Bounds } from "./load.ts";

export type Request =
  /** Asks a client process for one round of a scenario, by its index in `scenarios`. */
  | { readonly kind: "run"; readonly scenario: number; readonly bounds: Bounds }
  /** Asks a client process how long calls take, one after another. */
  | { readonly kind: "time"; readonly bounds: Bounds }
  /** Asks a client process to flood its server, by the index in `attacks`. */
  | { readonly kind: "flood"; readonly attack: number; readonly seconds: number }
  /** Asks a server process how large it is. */
  | { readonly kind: "weigh" };

export type Answer =
  /** A server listens, a client is connected. */
  | { readonly kind: "ready"; readonly address: string }
  | { readonly kind: "measured"; readonly callsPerSecond: number }
  | { readonly kind: "timed"; readonly p99Ms: number }
  | { readonly kind: "flooded"; readonly bytes: number }
  | { readonly kind: "weighed"; readonly rssBytes: number }
  | { readonly kind: "failed"; readonly message: string };

/** To the parent. A child process whose parent is gone ends. */
export function answer(message: Answer): void {
  process.send?.(message);
}

export function failure(error: unknown): Answer {
  return { kind: "failed", message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}
