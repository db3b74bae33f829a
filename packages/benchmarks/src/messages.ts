/** What the benchmark and its two kinds of child process say to each other. */
import type { Bounds } from "./load.ts";

/** Asks a client process for one round of a scenario. */
export interface RunRequest {
  /** Index in `scenarios`. */
  readonly scenario: number;
  readonly bounds: Bounds;
}

export type Answer =
  /** A server listens, a client is connected. */
  | { readonly kind: "ready"; readonly address: string }
  | { readonly kind: "measured"; readonly callsPerSecond: number }
  | { readonly kind: "failed"; readonly message: string };

/** To the parent. A child process whose parent is gone ends. */
export function answer(message: Answer): void {
  process.send?.(message);
}

export function failure(error: unknown): Answer {
  return { kind: "failed", message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}
