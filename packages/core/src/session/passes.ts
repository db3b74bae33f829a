/**
 * Passes: how a call that comes back to a serialized object is known for part of the one that holds its line. A call
 * made from within a turn takes a pass along, whoever runs it takes that along with its own calls, and who shows a pass
 * that is still good is let in. Sessions only carry passes; what they are good for is the business of whoever makes them.
 */

/** What leaves with a call of ours. */
export interface IssuedPasses {
  readonly passes: readonly string[];
  /** The call is settled: what was made for it is void. */
  withdraw(): void;
}

/** What knows of turns, and of which call's method runs, also after its first await where the platform can tell. */
export interface CallPasses {
  /** The passes of a call that is made here; `undefined` for none, as nearly always. */
  issue(): IssuedPasses | undefined;
  /** Whether a method that came with these passes must be run by `within`: else it would be taken for part of another. */
  mustSeparate(passes: readonly string[]): boolean;
  /** Runs the method of a call as part of nothing but what its passes say. */
  within<T>(passes: readonly string[], method: () => T): T;
}
