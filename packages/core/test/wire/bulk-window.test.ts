import { describe, expect, test } from "vitest";
import { ManualClock } from "../../../conformance/src/index.ts";
import { BulkWindow } from "../../src/wire/bulk-window.ts";

const fragment = 64 * 1024;

function openWindow() {
  const clock = new ManualClock();
  const window = new BulkWindow(clock);
  let pings = 0;
  /** Sends what it may; returns how many fragments that were. */
  const fill = () => {
    let sent = 0;
    for (; window.isOpen; sent++) {
      window.probed();
      window.sent(fragment);
      pings++;
    }
    return sent;
  };
  const answerAll = () => {
    for (; pings > 0; pings--) window.answered();
  };
  /** Round trips of so many milliseconds each, with as much under way as there may be. Returns how many fragments that is. */
  const exchange = (roundTripMs: number, count: number) => {
    fill();
    for (let i = 0; i < count; i++) {
      clock.advance(roundTripMs);
      answerAll();
      fill();
    }
    // The last fragment has no ping behind it yet.
    answerAll();
    return fill() + 1;
  };
  return { clock, window, fill, answerAll, exchange };
}

describe("a bulk window", () => {
  test("lets a mebibyte leave at once, and more when the peer has read some", () => {
    const { window, fill } = openWindow();
    expect(fill()).toBe(16);
    window.answered();
    window.answered();
    expect(fill()).toBeGreaterThan(0);
  });

  test("grows while round trips stay as short as they were", () => {
    expect(openWindow().exchange(100, 1)).toBe(31);
    expect(openWindow().exchange(100, 10)).toBe(256);
  });

  test("shrinks while they take longer than the shortest, down to two fragments", () => {
    const { exchange } = openWindow();
    exchange(1, 1);
    expect(exchange(10, 10)).toBe(2);
  });

  test("begins anew when nothing is under way any more", () => {
    const { window, fill, answerAll, exchange } = openWindow();
    exchange(1, 1);
    exchange(10, 10);
    answerAll();
    window.probed();
    window.answered();
    expect(fill()).toBe(16);
  });

  test("remembers the shortest from burst to burst, and forgets it when the way has become longer", () => {
    const { clock, fill, answerAll, exchange } = openWindow();
    exchange(1, 1);
    answerAll();
    expect(exchange(10, 20)).toBe(2);
    answerAll();
    for (let period = 0; period < 2; period++) {
      clock.advance(31_000);
      fill();
      clock.advance(10);
      answerAll();
    }
    expect(exchange(10, 20)).toBe(256);
  });

  test("takes the pong of an earlier ping for what it is", () => {
    const { clock, window, fill, answerAll, exchange } = openWindow();
    window.probed();
    clock.advance(99);
    fill();
    clock.advance(1);
    window.answered();
    clock.advance(99);
    answerAll();
    expect(exchange(100, 10)).toBe(256);
  });

  test("is not widened by pongs that answer nothing", () => {
    const { window, fill } = openWindow();
    for (let i = 0; i < 100; i++) window.answered();
    expect(fill()).toBe(16);
  });
});
