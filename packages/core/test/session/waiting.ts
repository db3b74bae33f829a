/** Promises a test settles itself, and waiting for a state that is reached by events, never by time. */
import { turnsUntil } from "../../../conformance/src/index.ts";

export interface Gate<T = void> {
  readonly opened: Promise<T>;
  open(value: T): void;
  fail(error: unknown): void;
}

/** What a test holds shut until it wants it open. */
export function gate<T = void>(): Gate<T> {
  let open!: (value: T) => void;
  let fail!: (error: unknown) => void;
  const opened = new Promise<T>((resolve, reject) => {
    open = resolve;
    fail = reject;
  });
  opened.catch(() => {});
  return { opened, open, fail };
}

/** Waits until `isMet`; throws when it never is. */
export async function until(isMet: () => boolean, what = "what the test waits for"): Promise<void> {
  if (!(await turnsUntil(isMet, 5_000))) throw new Error(`${what} does not happen`);
}

/** The error a promise fails with; throws when it doesn't. */
export async function failureOf(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error("expected a failure");
}
