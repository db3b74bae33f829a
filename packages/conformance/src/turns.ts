/** Waiting in tests: whole turns of the event loop, never a length of time. */

/** Lets `count` turns pass, each with its reads, writes and closings. */
export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise<void>((resolve) => void setImmediate(resolve));
}

/** Waits turn by turn until `isMet`; gives up when `boundMs` have gone by, and says whether it was met. */
export async function turnsUntil(isMet: () => boolean, boundMs: number): Promise<boolean> {
  const giveUpAt = performance.now() + boundMs;
  while (!isMet()) {
    if (performance.now() > giveUpAt) return false;
    await turns(1);
  }
  return true;
}
