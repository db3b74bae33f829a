import { describe, expect, test } from "vitest";
import { ManualClock } from "../../conformance/src/index.ts";
import type { AuthorizeCall, PeerAddress, Principal } from "../../core/src/index.ts";
import { networkOf } from "../src/address.ts";
import { rateLimit } from "../src/index.ts";
import { TokenBuckets } from "../src/token-buckets.ts";

function bucketsOf(options: { perSecond: number; burst: number; maxBuckets?: number }) {
  const clock = new ManualClock();
  const buckets = new TokenBuckets({ maxBuckets: 10, clock, ...options });
  /** How many tokens a key gets at once. */
  const drain = (key: string, most = 1_000) => {
    let taken = 0;
    while (taken < most && buckets.take(key)) taken++;
    return taken;
  };
  return { clock, buckets, drain };
}

describe("a bucket", () => {
  test.each([
    { perSecond: 50, burst: 200 },
    { perSecond: 3, burst: 3 },
    { perSecond: 0.1, burst: 1 },
    { perSecond: 1e6, burst: 7 },
    { perSecond: 1 / 3, burst: 5 },
  ])("gives its burst at once, then as fast as it fills: %o", ({ perSecond, burst }) => {
    const { clock, drain } = bucketsOf({ perSecond, burst });
    expect(drain("a")).toBe(burst);
    clock.advance(0.9 * (1_000 / perSecond));
    expect(drain("a")).toBe(0);
    clock.advance(0.11 * (1_000 / perSecond));
    expect(drain("a")).toBe(1);
    clock.advance(3.5 * (1_000 / perSecond));
    expect(drain("a")).toBe(Math.min(burst, 3));
    clock.advance(1_000 * (burst / perSecond));
    expect(drain("a")).toBe(burst);
  });

  test("gives no more over a long time than its rate", () => {
    const { clock, drain } = bucketsOf({ perSecond: 7, burst: 10 });
    let taken = 0;
    for (let ms = 0; ms < 60_000; ms += 13) {
      taken += drain("a");
      clock.advance(13);
    }
    expect(taken).toBe(10 + 60 * 7 - 1);
  });

  test("of a burst that is no whole number gives whole tokens", () => {
    const { clock, drain } = bucketsOf({ perSecond: 1, burst: 2.5 });
    expect(drain("a")).toBe(2);
    clock.advance(500);
    expect(drain("a")).toBe(1);
  });

  test("is its key's own", () => {
    const { drain } = bucketsOf({ perSecond: 1, burst: 4 });
    expect([drain("a"), drain("b"), drain("a")]).toEqual([4, 4, 0]);
  });
});

describe("what is remembered", () => {
  test("is never a full bucket, however many there were", () => {
    const { clock, buckets } = bucketsOf({ perSecond: 10, burst: 10, maxBuckets: 1_000 });
    for (let i = 0; i < 500; i++) buckets.take(`a${i}`);
    expect(buckets.size).toBe(500);
    clock.advance(200);
    buckets.take("b");
    expect(buckets.size).toBe(1);
  });

  test("is at most so much", () => {
    const { clock, buckets } = bucketsOf({ perSecond: 0.001, burst: 3, maxBuckets: 100 });
    for (let i = 0; i < 2_000; i++) {
      buckets.take(`a${i}`);
      clock.advance(1);
      expect(buckets.size).toBeLessThanOrEqual(100);
    }
  });

  test("is who is empty: thirty thousand others, each once, make nobody forget them", () => {
    const { clock, buckets, drain } = bucketsOf({ perSecond: 50, burst: 200, maxBuckets: 10_000 });
    expect(drain("busy")).toBe(200);
    for (let i = 0; i < 30_000; i++) {
      buckets.take(`other ${i}`);
      // In a millisecond a hundred others come, so they never fit in although each is full again after twenty.
      if (i % 100 === 0) clock.advance(0.001);
    }
    expect(drain("busy")).toBeLessThan(60);
    expect(buckets.size).toBeLessThanOrEqual(10_000);
  });

  test("is, where none is full, who has used most: the fullest is forgotten", () => {
    const { drain, buckets } = bucketsOf({ perSecond: 1, burst: 64, maxBuckets: 3 });
    expect([drain("most", 60), drain("much", 40), drain("little", 10)]).toEqual([60, 40, 10]);
    expect(drain("new", 30)).toBe(30);
    expect(buckets.size).toBe(3);
    expect(drain("most")).toBe(4);
    expect(drain("much")).toBe(24);
    expect(drain("little")).toBe(64);
  });

  test("costs each call the same, whatever is in it", () => {
    const { clock, buckets } = bucketsOf({ perSecond: 1e9, burst: 1, maxBuckets: 2 });
    for (let i = 0; i < 1_000; i++) {
      expect(buckets.take("a")).toBe(true);
      clock.advance(3_600_000);
    }
  });
});

describe("rateLimit", () => {
  const call = (peer: PeerAddress, principal?: Principal) =>
    ({ method: "add", target: {}, args: [], principal, session: { peer } }) as unknown as AuthorizeCall;
  const tcp = (address: string) => call({ transport: "tcp", address });

  test("counts principals over all their sessions, and addresses where nobody is known", () => {
    const limit = rateLimit({ perSecond: 0.001, burst: 1 });
    const ann = { id: "ann" };
    const first = [
      tcp("192.0.2.1"),
      tcp("192.0.2.2"),
      call({ transport: "unix" }),
      call({ transport: "tcp", address: "192.0.2.1" }, ann),
      call({ transport: "tcp", address: "192.0.2.1" }, { id: "192.0.2.1" }),
    ];
    for (const made of first) expect(limit(made)).toBe(true);
    const again = [...first, call({ transport: "tcp", address: "198.51.100.1" }, ann)];
    for (const made of again) {
      expect(() => limit(made)).toThrow(expect.objectContaining({ code: "overloaded", outcome: "not-executed" }));
    }
  });

  test("counts an IPv6 network as one", () => {
    const limit = rateLimit({ perSecond: 0.001, burst: 1 });
    expect(limit(tcp("2001:db8:1:2::1"))).toBe(true);
    expect(() => limit(tcp("2001:db8:1:2:ffff::9"))).toThrow(expect.objectContaining({ code: "overloaded" }));
    expect(limit(tcp("2001:db8:1:3::1"))).toBe(true);
  });

  test.each([
    ["192.0.2.1", "192.0.2.1"],
    ["::1", "0::/64"],
    ["2001:db8:1:2:3:4:5:6", "20010db800010002::/64"],
    ["fe80::1%eth0", "fe80000000000000::/64"],
    ["::ffff:192.0.2.1", "::ffff:192.0.2.1"],
    ["what: is it", "what: is it"],
  ])("%s is counted as %s", (address, network) => {
    expect(networkOf(address)).toBe(network);
  });

  test.each([
    [{ perSecond: 0 }, "perSecond: expected a positive number, got 0"],
    [{ perSecond: -1 }, "perSecond: expected a positive number, got -1"],
    [{ perSecond: Number.NaN }, "perSecond: expected a positive number, got NaN"],
    [{ perSecond: Number.POSITIVE_INFINITY }, "perSecond: expected a positive number, got Infinity"],
    [{ perSecond: "50" as never }, "perSecond: expected a positive number, got string"],
    [{ perSecond: 1, burst: 0 }, "burst: expected a number of 1 or more, got 0"],
    [{ perSecond: 1, burst: 0.5 }, "burst: expected a number of 1 or more, got 0.5"],
    [{ perSecond: 1, burst: Number.NaN }, "burst: expected a number of 1 or more, got NaN"],
    [{ perSecond: 1, burst: Number.POSITIVE_INFINITY }, "burst: expected a number of 1 or more, got Infinity"],
  ])("%o is refused when made, with what was expected", (options, detail) => {
    expect(() => rateLimit(options)).toThrow(
      expect.objectContaining({ code: "invalid-argument", detail: `rateLimit: ${detail}` }),
    );
  });
});
