/** The platform's clock. In Node the end of a turn is known exactly; elsewhere a microtask comes close. */
import type { Clock, Timer } from "./clock.ts";

interface NodeLike {
  readonly process?: { nextTick?(task: () => void): void };
  setImmediate?(task: () => void): unknown;
}

export const systemClock: Clock = createSystemClock(globalThis as NodeLike);

function createSystemClock(platform: NodeLike): Clock {
  const nextTick = platform.process?.nextTick;
  return {
    now: () => performance.now(),
    setTimer,
    // A tick queued from a microtask runs when all microtasks are done: one write then carries the whole turn.
    endOfTurn: nextTick ? (task) => queueMicrotask(() => nextTick(task)) : (task) => queueMicrotask(task),
    nextTurn: platform.setImmediate ? (task) => void platform.setImmediate?.(task) : postTask(),
  };
}

/** setTimeout holds at most 2^31 - 1 ms (25 days); a longer wait would fire at once. */
const longestTimeoutMs = 0x7fffffff;

function setTimer(delayMs: number, task: () => void): Timer {
  const handle: unknown = setTimeout(task, Math.min(Math.max(delayMs, 0), longestTimeoutMs));
  if (typeof handle === "object" && handle !== null && "unref" in handle && typeof handle.unref === "function") {
    handle.unref();
  }
  return { cancel: () => clearTimeout(handle as number) };
}

/** A browser clamps nested zero timeouts to 4 ms; a message port does not. */
function postTask(): (task: () => void) => void {
  const tasks: (() => void)[] = [];
  let channel: MessageChannel | undefined;
  return (task) => {
    tasks.push(task);
    channel ??= openTaskChannel(tasks);
    channel.port2.postMessage(0);
  };
}

function openTaskChannel(tasks: (() => void)[]): MessageChannel {
  const channel = new MessageChannel();
  channel.port1.onmessage = () => tasks.shift()?.();
  return channel;
}
