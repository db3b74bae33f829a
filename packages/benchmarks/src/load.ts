/** Loads: calls one after the other, or a number at a time, for a while. Bounded in time and in calls. */

export interface Bounds {
  readonly seconds: number;
  readonly maxCalls: number;
}

type Call = (n: number) => Promise<unknown>;

/** Runs a call again and again, and returns a figure of it: how often a second it was answered, or how long it took. */
export type Load = (call: Call, bounds: Bounds) => Promise<number>;

/** Looking at the clock costs something too. */
const callsPerLook = 16;

export const oneAtATime: Load = (call, bounds) => atATime(1)(call, bounds);

export function atATime(width: number): Load {
  return async (call, { seconds, maxCalls }) => {
    const start = performance.now();
    const end = start + seconds * 1000;
    let begun = 0;
    let isOver = false;
    async function worker(): Promise<void> {
      while (!isOver) {
        await call(begun++);
        if (begun % callsPerLook === 0) isOver = begun >= maxCalls || performance.now() >= end;
      }
    }
    await Promise.all(Array.from({ length: width }, worker));
    return (begun / (performance.now() - start)) * 1000;
  };
}

/** Runs a call again and again, and returns the time in milliseconds that all but one in a hundred stayed within. */
export const p99OneAtATime: Load = async (call, { seconds, maxCalls }) => {
  const times: number[] = [];
  const end = performance.now() + seconds * 1000;
  for (let now = performance.now(); now < end && times.length < maxCalls; ) {
    await call(times.length);
    const then = performance.now();
    times.push(then - now);
    now = then;
  }
  return percentile(99, times);
};

/** The least of the numbers that so many in a hundred do not pass. */
export function percentile(percent: number, numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN;
}

export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}
