import { ManualClock } from "@farref/conformance";
import { expect, test } from "vitest";

test("timers run when time is moved past them, in order, each at its moment", () => {
  const clock = new ManualClock(100);
  const ran: [string, number][] = [];
  const note = (name: string) => () => void ran.push([name, clock.now()]);
  clock.setTimer(20, note("late"));
  clock.setTimer(10, note("first"));
  clock.setTimer(10, note("second"));
  clock.setTimer(-5, note("at once"));
  clock.advance(0);
  clock.advance(19);
  expect([ran, clock.now(), clock.pendingTimers]).toEqual([
    [
      ["at once", 100],
      ["first", 110],
      ["second", 110],
    ],
    119,
    1,
  ]);
  clock.advance(1);
  expect(ran.at(-1)).toEqual(["late", 120]);
});

test("a cancelled timer never runs, a timer set by a timer takes part", () => {
  const clock = new ManualClock();
  let beats = 0;
  const beat = () => {
    beats++;
    clock.setTimer(10, beat);
  };
  clock.setTimer(10, beat);
  clock.setTimer(5, () => expect.unreachable()).cancel();
  clock.advance(35);
  expect([beats, clock.pendingTimers]).toEqual([3, 1]);
});
