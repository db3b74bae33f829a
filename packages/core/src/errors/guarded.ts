/** Functions of a program's that are run where nobody waits for them. */
import { toError } from "./to-error.ts";

/** Runs `task`. What it throws, or the promise it returns rejects with, goes to `onError` and changes nothing here. */
export function runGuarded(task: () => unknown, onError: (error: Error) => void): void {
  const report = (error: unknown) => onError(toError(error));
  try {
    const result = task();
    if (isThenable(result)) result.then(undefined, report);
  } catch (error) {
    report(error);
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";
}
