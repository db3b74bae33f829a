/** What a stream brings, step by step, and who is told of it. */

/** An item, or the end with what the producer returned. */
export type Step = IteratorResult<unknown, unknown>;

/** The last step of an iterator. */
export function done(value: unknown): Step {
  return { done: true, value };
}

/** The end with an error. */
export interface Failure {
  readonly error: Error;
  /** It was thrown when the producer was told to end. */
  readonly isOfEnding: boolean;
}

export interface Settler<T> {
  resolve(value: T): void;
  reject(error: unknown): void;
}
