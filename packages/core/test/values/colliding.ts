/** Numbers that V8 puts into one bucket of a Map, whatever its size: what a peer without manners would send. */

/**
 * Integers whose hash ends in fifteen zeros, so that a Map of up to 65,536 entries has them all in one bucket. V8 hashes
 * small integers by a function that can be reckoned backwards (Thomas Wang's, 32 bits, without a secret).
 */
export function collidingIntegers(count: number): number[] {
  const found: number[] = [];
  for (let high = 1; found.length < count && high < 2 ** 17; high++) {
    const integer = unhashed((high << 15) >>> 0);
    if (integer > 0 && integer < 2 ** 31) found.push(integer);
  }
  return found;
}

/** V8 hashes a bigint by its lowest 64 bits. */
export function collidingBigints(count: number): bigint[] {
  return Array.from({ length: count }, (_, i) => (BigInt(i + 1) << 64n) + 1n);
}

/** Whether this engine, in this version, is slow with the keys: filling a Map takes ten times as long as with others. */
export function collide(keys: readonly unknown[]): boolean {
  const others = keys.map((_, i) => i * 7_919);
  return Math.min(fillMs(keys), fillMs(keys), fillMs(keys)) > 10 * Math.min(fillMs(others), fillMs(others));
}

function fillMs(keys: readonly unknown[]): number {
  const begun = performance.now();
  const map = new Map<unknown, number>();
  for (const key of keys) map.set(key, 1);
  return performance.now() - begun;
}

/** The hash, step by step: h = ~k + (k << 15); h ^= h >>> 12; h += h << 2; h ^= h >>> 4; h *= 2057; h ^= h >>> 16. */
function unhashed(hash: number): number {
  let bits = unshifted(hash, 16);
  bits = Math.imul(bits, inverse(2057));
  bits = unshifted(bits, 4);
  bits = Math.imul(bits, inverse(5));
  bits = unshifted(bits, 12);
  return Math.imul(bits + 1, inverse(2 ** 15 - 1)) >>> 0;
}

/** What x was before x ^= x >>> by. */
function unshifted(bits: number, by: number): number {
  let before = bits;
  for (let known = by; known < 32; known += by) before = bits ^ (before >>> by);
  return before;
}

/** The number that an odd one times is 1, modulo 2^32. */
function inverse(odd: number): number {
  let found = odd;
  for (let i = 0; i < 5; i++) found = Math.imul(found, 2 - Math.imul(odd, found));
  return found;
}
