/**
 * Engines hash numbers and bigints without a secret, so a peer can choose keys that all fall into one bucket: adding n of
 * them takes n² steps, seconds for a small message. Strings are hashed with a secret by most engines, and not by all of
 * them all strings: V8 once took those that look like integers for what they look like. Looking a few keys up now and
 * then shows it, however the engine hashes. Objects are hashed by none of their content.
 */
import { beyondLimit } from "./malformation.ts";

/** Keys added between two looks. That many in one bucket cost less than a millisecond. */
const keysPerLook = 512;
const sampled = 64;
/** A lookup takes a twentieth of this among keys that are spread; a bucket of 512 takes this and more. */
const maxLookupMs = 0.002;

/** What a peer chooses the content of, and the engine hashes by it. */
type Hashed = number | bigint | string;

function isHashed(key: unknown): key is Hashed {
  return typeof key === "number" || typeof key === "string" || typeof key === "bigint";
}

/** One Map or Set being filled from a message. */
export class Crowding {
  readonly #keys: Hashed[] = [];

  /** Takes note of a key that was added. @throws Malformation when keys were chosen to collide */
  added(holder: ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>, key: unknown, at: number): void {
    if (!isHashed(key)) return;
    if (this.#keys.push(key) % keysPerLook !== 0) return;
    if (this.#lookupMs(holder) > maxLookupMs) throw beyondLimit("keys chosen to collide", at);
  }

  /** The best of three, as the machine may have been elsewhere meanwhile. */
  #lookupMs(holder: ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>): number {
    const best = Math.min(this.#timed(holder), this.#timed(holder), this.#timed(holder));
    return best / sampled;
  }

  /** Old keys among them: in a bucket the newest stands first. What is found counts, or an optimiser would not look. */
  #timed(holder: ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>): number {
    const step = this.#keys.length / sampled;
    let found = 0;
    const begun = performance.now();
    for (let i = 0; i < sampled; i++) if (holder.has(this.#keys[Math.floor(i * step)])) found++;
    return found > 0 ? performance.now() - begun : 0;
  }
}
