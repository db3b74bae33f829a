/**
 * Keeps references out of places that were not made for them. A library's schema may let any value through, a far
 * function among data too; so each reference that a message brought has to have been seen by one of our own schemas.
 */
import type { Place } from "./place.ts";
import type { Checked } from "./schema.ts";

/** What one message brought, as what, and what of it was seen. */
export class Sightings {
  readonly as: "argument" | "result";
  readonly #brought: readonly unknown[];
  readonly #kinds: ReadonlySet<unknown>;
  readonly #seen = new Map<unknown, number>();

  constructor(brought: readonly unknown[], as: "argument" | "result") {
    this.as = as;
    this.#brought = brought;
    this.#kinds = new Set(brought);
  }

  has(value: unknown): boolean {
    return this.#kinds.has(value);
  }

  see(value: unknown): void {
    if (this.has(value)) this.#seen.set(value, (this.#seen.get(value) ?? 0) + 1);
  }

  /** Whether each reference was seen as often as it came. */
  get isComplete(): boolean {
    const left = new Map(this.#seen);
    return this.#brought.every((value) => {
      const count = left.get(value) ?? 0;
      left.set(value, count - 1);
      return count > 0;
    });
  }
}

/** Set while a schema validates, never across a turn: a schema inside another's is asked without a word of why. */
let current: Sightings | undefined;

/** Asks a place about a value of the peer's. Without sightings there is no reference in it. */
export function arriveAt(place: Place, value: unknown, sightings: Sightings | undefined): Checked | Promise<Checked> {
  if (!sightings) return place.arriving(value);
  const before = current;
  current = sightings;
  try {
    return place.arriving(value);
  } finally {
    current = before;
  }
}

/** What the message that is being validated brought; `undefined` when a value of our own is. */
export function currentSightings(): Sightings | undefined {
  return current;
}
