/** How many calls a principal, or an address that is nobody, may make. */
import { type Authorize, type AuthorizeCall, RpcError } from "@farref/core";

interface Bucket {
  tokens: number;
  filledAt: number;
}

/** Buckets kept at a time; full ones are forgotten first, as a new one is full as well. */
const maxBuckets = 10_000;

/**
 * A policy that lets each principal make `perSecond` calls on average and `burst` at once (default: as many as a second
 * allows, at least one); without authentication each address is counted. One over is `overloaded`, `not-executed`.
 *
 * @throws RpcError `invalid-argument` for anything but positive numbers.
 * @example
 * await startService(uri, front, { authorize: rateLimit({ perSecond: 50, burst: 200 }) });
 */
export function rateLimit(options: { readonly perSecond: number; readonly burst?: number | undefined }): Authorize {
  const { perSecond, burst = Math.max(1, perSecond) } = options;
  if (!(perSecond > 0) || !(burst >= 1)) {
    throw new RpcError("invalid-argument", `rateLimit: perSecond ${perSecond}, burst ${burst}`, "not-sent");
  }
  const buckets = new Map<string, Bucket>();
  return (call) => {
    const bucket = bucketOf(call, buckets, burst);
    refill(bucket, perSecond, burst);
    if (bucket.tokens < 1) {
      throw new RpcError("overloaded", `more than ${perSecond} calls a second (burst ${burst})`, "not-executed");
    }
    bucket.tokens--;
    return true;
  };
}

function bucketOf({ principal, session }: AuthorizeCall, buckets: Map<string, Bucket>, burst: number): Bucket {
  const { transport, address } = session.peer;
  const key = principal ? `principal ${principal.id}` : `address ${address ?? transport}`;
  let bucket = buckets.get(key);
  if (!bucket) {
    if (buckets.size >= maxBuckets) forgetOldest(buckets);
    bucket = { tokens: burst, filledAt: performance.now() };
    buckets.set(key, bucket);
  }
  return bucket;
}

/** A Map keeps the order of insertion: its first tenth was longest there. */
function forgetOldest(buckets: Map<string, Bucket>): void {
  for (const key of [...buckets.keys()].slice(0, maxBuckets / 10)) buckets.delete(key);
}

function refill(bucket: Bucket, perSecond: number, burst: number): void {
  const now = performance.now();
  bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.filledAt) / 1_000) * perSecond);
  bucket.filledAt = now;
}
