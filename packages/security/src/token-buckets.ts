/**
 * Allowances that fill again by themselves: a bucket of tokens for each key. A full one carries no news, so it is
 * forgotten. Only so many are remembered; when there is no room for one more, the fullest goes: who has used least gains
 * least by beginning anew.
 *
 *     time ──►  … │ slot │ slot │ slot │ …     a bucket lies in the slot of the moment at which it will be full;
 *                 now                          slots that lie behind us hold full ones
 */
import type { Clock } from "@farref/core";

export interface TokenBucketsOptions {
  readonly perSecond: number;
  /** What a full bucket holds; one token at least. */
  readonly burst: number;
  /** Buckets remembered at a time. */
  readonly maxBuckets: number;
  readonly clock: Pick<Clock, "now">;
}

interface Bucket {
  readonly fullAt: number;
  readonly slot: number;
}

/** As many as it takes to fill an empty bucket: how finely the fullest is told from the next. */
const slotsInAll = 64;
/** Sums of fractions are not exact: what nobody gains anything by, in milliseconds and as a share of a token. */
const slack = { ms: 1e-5, tokens: 1e-3 };

export class TokenBuckets {
  readonly #clock: Pick<Clock, "now">;
  readonly #maxBuckets: number;
  readonly #tokenMs: number;
  /** From an empty bucket to a full one. */
  readonly #capacityMs: number;
  readonly #slackMs: number;
  /** A key that is not here has a full bucket. */
  readonly #buckets = new Map<string, Bucket>();
  readonly #slots = new Map<number, Set<string>>();
  /** No bucket lies in a slot before this one. */
  #firstSlot = Number.NEGATIVE_INFINITY;

  constructor({ perSecond, burst, maxBuckets, clock }: TokenBucketsOptions) {
    this.#clock = clock;
    this.#maxBuckets = maxBuckets;
    this.#tokenMs = 1_000 / perSecond;
    this.#capacityMs = burst * this.#tokenMs;
    this.#slackMs = Math.max(slack.ms, slack.tokens * this.#tokenMs);
  }

  /** Buckets remembered. */
  get size(): number {
    return this.#buckets.size;
  }

  /** Takes a token from the key's bucket; `false` when it does not hold a whole one. */
  take(key: string): boolean {
    const now = this.#clock.now();
    this.#forgetFull(now);
    const bucket = this.#buckets.get(key);
    const fullAt = Math.max(bucket?.fullAt ?? now, now) + this.#tokenMs;
    if (fullAt - now > this.#capacityMs + this.#slackMs) return false;
    if (bucket) this.#forget(key, bucket.slot);
    else if (this.#buckets.size >= this.#maxBuckets) this.#forgetFullest();
    this.#remember(key, fullAt);
    return true;
  }

  #remember(key: string, fullAt: number): void {
    const slot = this.#slotOf(fullAt);
    this.#buckets.set(key, { fullAt, slot });
    const keys = this.#slots.get(slot);
    if (keys) keys.add(key);
    else this.#slots.set(slot, new Set([key]));
  }

  #forget(key: string, slot: number): void {
    this.#buckets.delete(key);
    const keys = this.#slots.get(slot);
    keys?.delete(key);
    if (keys?.size === 0) this.#slots.delete(slot);
  }

  /** Whole slots at a time, and there are few: every bucket is looked at once. */
  #forgetFull(now: number): void {
    const current = this.#slotOf(now);
    if (current <= this.#firstSlot) return;
    this.#firstSlot = current;
    for (const [slot, keys] of this.#slots) {
      if (slot >= current) continue;
      this.#slots.delete(slot);
      for (const key of keys) this.#buckets.delete(key);
    }
  }

  #forgetFullest(): void {
    const slot = Math.min(...this.#slots.keys());
    const [key] = this.#slots.get(slot) as Set<string>;
    this.#forget(key as string, slot);
  }

  #slotOf(time: number): number {
    return Math.floor((time * slotsInAll) / this.#capacityMs);
  }
}
