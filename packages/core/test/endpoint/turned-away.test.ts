import { expect, test } from "vitest";
import { ManualClock } from "../../../conformance/src/index.ts";
import { TurnedAway } from "../../src/endpoint/turned-away.ts";
import { RpcError } from "../../src/index.ts";

function turnedAway() {
  const clock = new ManualClock();
  const told: string[] = [];
  const reports = new TurnedAway(clock, ({ message }) => told.push(message));
  const flood = (count: number, make: (i: number) => Error) => {
    for (let i = 0; i < count; i++) reports.tell(make(i));
    return told.splice(0);
  };
  return { clock, flood };
}

const denied = (i: number) => new RpcError("denied", `peer ${i}`, "not-sent");

test("a few peers that are turned away are told of, one by one", () => {
  const { flood } = turnedAway();
  expect(flood(10, denied)).toEqual(Array.from({ length: 10 }, (_, i) => `denied: peer ${i}`));
});

test("of a flood ten are told of in a second, then how many were left out", () => {
  const { clock, flood } = turnedAway();
  expect(flood(5_000, denied)).toHaveLength(10);
  clock.advance(999);
  expect(flood(5, denied)).toEqual([]);
  clock.advance(1);
  const [summary, ...next] = flood(12, denied);
  expect(summary).toMatch(/^denied: 4995 more peers were turned away/);
  expect(next).toHaveLength(10);
  clock.advance(60_000);
  expect(flood(1, denied)).toEqual([expect.stringMatching(/^denied: 2 more/), "denied: peer 0"]);
  clock.advance(60_000);
  expect(flood(1, denied)).toEqual(["denied: peer 0"]);
});

test("one kind leaves the others their room", () => {
  const { flood } = turnedAway();
  flood(1_000, denied);
  expect(flood(1, () => new RpcError("protocol", "a bad upgrade", "not-sent"))).toEqual(["protocol: a bad upgrade"]);
  expect(flood(1, () => new Error("accept EMFILE"))).toEqual(["accept EMFILE"]);
});
