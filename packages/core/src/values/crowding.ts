/**
 * Engines hash numbers and bigints without a secret, so a peer can choose keys that all fall into one bucket: adding n of
 * them takes n² steps, seconds for a small message. Looking a few of them up now and then shows it, however the engine
 * hashes. Strings are hashed with a secret, objects by none of their content.
 */
import { beyondLimit } from "./malformation.ts";

/** Keys added between two looks. That many in one bucket cost less than a millisecond. */
const keysPerLook = 512;
const sampled = 64;
/** A lookup takes a twentieth of this among keys that are spread; a bucket of 512 takes this and more. */
const maxLookupMs = 0.002;

/** One Map or Set being filled from a message. */
export class Crowding {
  readonly #keys: (number | bigint)[] = [];

  /** Takes note of a key that was added. @throws Malformation when keys were chosen to collide */
  added(holder: ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>, key: unknown, at: number): void {
    if (typeof key !== "number" && typeof key !== "bigint") return;
    if (this.#keys.push(key) % keysPerLook !== 0) return;
    if (this.#lookupMs(holder) > maxLookupMs) throw beyondLimit("keys chosen to collide", at);
  }

  /** The best of three, as the machine may have been elsewhere meanwhile. */
  #lookupMs(holder: ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>): number {
    const best = Math.min(this.#timed(holder), this.#timed(holder), this.#timed(holder));
    return best / sampled;
  }

  /** Old keys among them: in a bucket the newest stands first. */
  #timed(holder: ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>): number {
    const step = this.#keys.length / sampled;
    const begun = performance.now();
    for (let i = 0; i < sampled; i++) holder.has(this.#keys[Math.floor(i * step)]);
    return performance.now() - begun;
  }
}
