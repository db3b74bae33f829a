/** Tells whether everything a test opened is closed again: sockets, servers, timers that keep a process alive. */
import { turnsUntil } from "./turns.ts";

const watched: ReadonlySet<string> = new Set([
  "TCPSocketWrap",
  "TCPServerWrap",
  "TLSWrap",
  "PipeWrap",
  "PipeServerWrap",
  "TCPConnectWrap",
  "PipeConnectWrap",
  "Timeout",
  "MessagePort",
  "Worker",
  "ProcessWrap",
]);

const defaultBoundMs = 3_000;

export interface HandleWatch {
  /** Waits for closings under way and throws when more is open than when the watch began. */
  assertClosed(): Promise<void>;
}

/** @example const watch = handleWatch(); await useSockets(); await watch.assertClosed(); */
export function handleWatch(boundMs = defaultBoundMs): HandleWatch {
  const before = countHandles();
  return {
    async assertClosed() {
      if (await turnsUntil(() => left(before).length === 0, boundMs)) return;
      throw new Error(`still open: ${left(before).join(", ")}`);
    },
  };
}

/** How many of each kind keep this process alive. */
export function countHandles(): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) {
    if (watched.has(kind)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}

function left(before: ReadonlyMap<string, number>): string[] {
  return [...countHandles()]
    .map(([kind, count]) => ({ kind, more: count - (before.get(kind) ?? 0) }))
    .filter(({ more }) => more > 0)
    .map(({ kind, more }) => `${more} ${kind}`);
}
