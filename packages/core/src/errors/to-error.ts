/** Whatever was thrown, as an Error: programs throw strings, and objects that can't even be printed. */
export function toError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown;
  try {
    return new Error(String(thrown), { cause: thrown });
  } catch {
    return new Error("something was thrown that can't be printed", { cause: thrown });
  }
}
