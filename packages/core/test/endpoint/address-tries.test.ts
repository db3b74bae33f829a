import { describe, expect, test } from "vitest";
import { ManualClock } from "../../../conformance/src/index.ts";
import { AddressTries } from "../../src/endpoint/address-tries.ts";

const mallory = { transport: "tcp", address: "192.0.2.1" };
const honest = { transport: "tcp", address: "192.0.2.2" };

function fail(tries: AddressTries, peer: { transport: string; address: string }): number | undefined {
  const waitMs = tries.take(peer);
  if (waitMs === undefined) return undefined;
  tries.failed(peer);
  tries.ended(peer);
  return waitMs;
}

describe("tries of an address", () => {
  test("ten failures are free, then one a second, and more than that is refused", () => {
    const tries = new AddressTries(new ManualClock());
    const waits = Array.from({ length: 15 }, () => fail(tries, mallory));
    expect(waits).toEqual([...Array(10).fill(0), 1_000, 2_000, 3_000, undefined, undefined]);
    expect(tries.take(honest)).toBe(0);
  });

  test("a second pays for one failure", () => {
    const clock = new ManualClock();
    const tries = new AddressTries(clock);
    for (let i = 0; i < 10; i++) fail(tries, mallory);
    clock.advance(1_000);
    expect(fail(tries, mallory)).toBe(0);
    expect(fail(tries, mallory)).toBe(1_000);
    clock.advance(60_000);
    expect(fail(tries, mallory)).toBe(0);
  });

  test("tries that succeed cost nothing, however many are under way", () => {
    const tries = new AddressTries(new ManualClock());
    expect(Array.from({ length: 256 }, () => tries.take(honest))).toEqual(Array(256).fill(0));
    for (let i = 0; i < 256; i++) tries.ended(honest);
    expect(tries.take(honest)).toBe(0);
  });

  test("more than 256 at once are refused until some have ended", () => {
    const tries = new AddressTries(new ManualClock());
    for (let i = 0; i < 256; i++) tries.take(mallory);
    expect(tries.take(mallory)).toBeUndefined();
    tries.ended(mallory);
    expect(tries.take(mallory)).toBe(0);
  });

  test("a /64 of IPv6 is one address, however it is written; two are two", () => {
    const tries = new AddressTries(new ManualClock());
    const spellings = ["2001:db8:0:1::1", "2001:db8:0:1:ffff:0:0:2", "2001:db8:0:1::"];
    for (let i = 0; i < 14; i++) fail(tries, { transport: "tcp", address: spellings[i % 3] ?? "" });
    expect(tries.take({ transport: "tcp", address: "2001:db8:0:1:5::5" })).toBeUndefined();
    expect(tries.take({ transport: "tcp", address: "2001:db8:0:2::1" })).toBe(0);
  });

  test("channels without an address are not counted", () => {
    const tries = new AddressTries(new ManualClock());
    for (let i = 0; i < 1_000; i++) expect(tries.take({ transport: "unix" })).toBe(0);
  });

  test("no more than ten thousand addresses are remembered", () => {
    const tries = new AddressTries(new ManualClock());
    for (let i = 0; i < 10; i++) fail(tries, mallory);
    for (let i = 0; i < 10_000; i++) fail(tries, { transport: "tcp", address: `10.0.${i >> 8}.${i & 255}` });
    expect(tries.take(mallory)).toBe(0);
  });
});
