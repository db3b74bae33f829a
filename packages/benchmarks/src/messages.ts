/** What the benchmark and its child processes say to each other: one request, one answer. */
import type { Victim } from "./attack/flood.ts";
import type { Bounds } from "./load.ts";

export type Request =
  /** Asks a client process for one round of a scenario, by its index in `scenarios`. */
  | { readonly kind: "run"; readonly scenario: number; readonly bounds: Bounds }
  /** Asks a client process how long calls take, one after another. */
  | { readonly kind: "time"; readonly bounds: Bounds }
  /** Asks a client process to flood somebody, by the index in `attacks`. */
  | { readonly kind: "flood"; readonly attack: number; readonly victim: Victim; readonly seconds: number }
  /** Asks a server process for a bare socket that throws away what it reads. */
  | { readonly kind: "sink" }
  /** Asks a server process how large it is. */
  | { readonly kind: "weigh" }
  /** Asks the holder of references to have so many objects and as much room for their stubs ready. */
  | { readonly kind: "prepare"; readonly count: number }
  /** … to take hold of all of them. */
  | { readonly kind: "take" }
  /** … to make, call and release so many others. */
  | { readonly kind: "churn"; readonly count: number }
  /** Asks either end to collect garbage and to tell what is left. */
  | { readonly kind: "settle" }
  /** Asks a reader of streams to read so many chunks of one … */
  | { readonly kind: "readChunks"; readonly count: number }
  /** … or so many numbers of each of many at once. */
  | { readonly kind: "readNumbers"; readonly streams: number; readonly count: number }
  /** Asks either end of streams how large it was at its largest. */
  | { readonly kind: "peak" };

export type Answer =
  /** A server listens, a client is connected. */
  | { readonly kind: "ready"; readonly address: string }
  | { readonly kind: "measured"; readonly callsPerSecond: number }
  | { readonly kind: "timed"; readonly p99Ms: number }
  | { readonly kind: "flooded"; readonly bytes: number }
  | { readonly kind: "sunk"; readonly address: string }
  | { readonly kind: "weighed"; readonly rssBytes: number }
  | { readonly kind: "done" }
  | { readonly kind: "settled"; readonly heldBytes: number; readonly references: number }
  /** Streams were read, each to its end so long after the beginning. */
  | { readonly kind: "ended"; readonly timesMs: readonly number[] }
  | { readonly kind: "peaked"; readonly rssBytes: number }
  | { readonly kind: "failed"; readonly message: string };

/** To the parent. A child process whose parent is gone ends. */
export function answer(message: Answer): void {
  process.send?.(message);
}

export function failure(error: unknown): Answer {
  return { kind: "failed", message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}

/** Serves the parent, one request after another. */
export function answerEach(serve: (request: Request) => Promise<Answer>): void {
  process.on(
    "message",
    (request: Request) => void serve(request).then(answer, (error: unknown) => answer(failure(error))),
  );
}
