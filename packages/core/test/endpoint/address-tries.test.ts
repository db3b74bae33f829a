import { describe, expect, test } from "vitest";
import { ManualClock } from "../../../conformance/src/index.ts";
import { AddressTries } from "../../src/endpoint/address-tries.ts";

const mallory = { transport: "tcp", address: "192.0.2.1" };
const honest = { transport: "tcp", address: "192.0.2.2" };

describe("tries of an address", () => {
  test("ten failures are free, then one a second, and more than that is refused", () => {
    const tries = new AddressTries(new ManualClock());
    const waits = Array.from({ length: 14 }, () => tries.take(mallory));
    expect(waits).toEqual([...Array(10).fill(0), 1_000, 2_000, 3_000, undefined]);
    expect(tries.take(honest)).toBe(0);
  });

  test("a second pays for one failure", () => {
    const clock = new ManualClock();
    const tries = new AddressTries(clock);
    for (let i = 0; i < 10; i++) tries.take(mallory);
    clock.advance(1_000);
    expect(tries.take(mallory)).toBe(0);
    expect(tries.take(mallory)).toBe(1_000);
    clock.advance(60_000);
    expect(tries.take(mallory)).toBe(0);
  });

  test("a try that succeeds costs nothing", () => {
    const tries = new AddressTries(new ManualClock());
    for (let i = 0; i < 100; i++) {
      expect(tries.take(honest)).toBe(0);
      tries.refund(honest);
    }
  });
});
