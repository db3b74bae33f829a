/** How many calls a principal, or an address that is nobody, may make. */
import { type Authorize, type AuthorizeCall, RpcError, systemClock } from "@farref/core";
import { networkOf } from "./address.ts";
import { TokenBuckets } from "./token-buckets.ts";

const maxBuckets = 10_000;

/**
 * A policy that lets each principal make `perSecond` calls on average and `burst` at once (default: as many as a second
 * allows, at least one). Without authentication each IPv4 address and each IPv6 network (64 bits) is counted. One over is
 * `overloaded`, `not-executed`.
 *
 * At most 10,000 of them are remembered: those who have all of their burst again are forgotten first, then those who have
 * most of it, and begin with all of it when they come again.
 *
 * @throws RpcError `invalid-argument` for anything but positive numbers.
 * @example
 * await startService(uri, front, { authorize: rateLimit({ perSecond: 50, burst: 200 }) });
 */
export function rateLimit(options: { readonly perSecond: number; readonly burst?: number | undefined }): Authorize {
  const { perSecond, burst = Math.max(1, perSecond) } = options;
  if (!(perSecond > 0 && Number.isFinite(perSecond))) throw badRate("perSecond", "a positive number", perSecond);
  if (!(burst >= 1 && Number.isFinite(burst))) throw badRate("burst", "a number of 1 or more", burst);
  const buckets = new TokenBuckets({ perSecond, burst, maxBuckets, clock: systemClock });
  return (call) => {
    if (buckets.take(keyOf(call))) return true;
    throw new RpcError("overloaded", `more than ${perSecond} calls a second (burst ${burst})`, "not-executed");
  };
}

function badRate(name: string, expected: string, given: unknown): RpcError {
  const got = typeof given === "number" ? given : typeof given;
  return new RpcError("invalid-argument", `rateLimit: ${name}: expected ${expected}, got ${got}`, "not-sent");
}

function keyOf({ principal, session }: AuthorizeCall): string {
  if (principal) return `principal ${principal.id}`;
  const { transport, address } = session.peer;
  return `address ${address === undefined ? transport : networkOf(address)}`;
}
