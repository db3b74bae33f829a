/** Telling what has to be waited for. */

/** Asking calls nothing far away: a stub and a decoded value have no `then` that is a function. */
export function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  if ((typeof value !== "object" || value === null) && typeof value !== "function") return false;
  return typeof (value as { then?: unknown }).then === "function";
}
