/** Waiting in tests: whole turns of the event loop, never a length of time. */

/** Lets `count` turns pass, each with its reads, writes and closings. */
export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise<void>((resolve) => void setImmediate(resolve));
}

/**
 * Waits turn by turn until `isMet`, and says whether it was met. It gives up when `boundMs` have gone by in which this process
 * could work: the time that a busy machine gives to others does not count.
 */
export async function turnsUntil(isMet: () => boolean, boundMs: number): Promise<boolean> {
  const giveUpAt = performance.now() + boundMs;
  const workedOutAt = workedMs() + boundMs;
  while (!isMet()) {
    if (performance.now() > giveUpAt && workedMs() > workedOutAt) return false;
    await turns(1);
  }
  return true;
}

/** All its threads together. */
function workedMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
