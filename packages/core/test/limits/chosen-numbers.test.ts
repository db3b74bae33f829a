/** Numbers that a peer may choose freely, chosen so that an engine's table of them would take n² steps. */
import { expect, test } from "vitest";
import { isRemote, release, type Stub } from "../../src/index.ts";
import { RawReference } from "../session/raw-peer.ts";
import { until } from "../session/waiting.ts";
import { collide, collidingBigints, collidingIntegers } from "../values/colliding.ts";
import { rawClient } from "./worlds.ts";

const ids = collidingIntegers(65_000);
const perMessage = 5_000;
const batches = Array.from({ length: ids.length / perMessage }, (_, i) =>
  ids.slice(i * perMessage, (i + 1) * perMessage).map((id) => new RawReference("object", id)),
);

// In one bucket they take the better part of a minute.
const timeout = 20_000;

test("numbers of references: kept, known again and given back like any other", { timeout }, async () => {
  expect(ids).toHaveLength(65_000);
  const kept: Stub<unknown>[] = [];
  const front = {
    keep: (...given: unknown[]) => void kept.push(...given.filter(isRemote)),
    drop: () => kept.splice(0).forEach(release),
  };
  await using world = await rawClient(front);
  for (const [i, references] of batches.entries()) world.raw.call(i + 1, 0, "keep", references);
  for (const _ of batches) await world.raw.nextResult();
  expect(world.session.stats().imports).toBe(ids.length);
  world.raw.call(100, 0, "keep", batches[0]);
  await world.raw.nextResult();
  expect(world.session.stats().imports).toBe(ids.length);
  world.raw.call(101, 0, "drop");
  await world.raw.nextResult();
  await until(() => world.session.stats().imports === 0);
  expect(await world.othersAreWell()).toBe(true);
});

test("numbers of references that are given back at once, as nobody takes them", { timeout }, async () => {
  await using world = await rawClient({}, { limits: { maxImports: 1 } });
  for (const [i, references] of batches.entries()) world.raw.call(i + 1, 0, "add", references);
  for (const _ of batches) expect((await world.raw.nextError()).parts[0]).toBe("limit-exceeded");
  expect(await world.othersAreWell()).toBe(true);
});

test("numbers in a Map or a Set cost their own call and nothing else", {
  skip: !collide(ids.slice(0, 4_096)),
}, async () => {
  await using world = await rawClient({ size: (given: Map<unknown, unknown> | Set<unknown>) => given.size });
  const integers = ids.slice(0, 4_096);
  const refused = ["limit-exceeded", expect.stringMatching(/keys chosen to collide/), "not-executed"];
  world.raw.call(1, 0, "size", [new Set(integers)]);
  world.raw.call(2, 0, "size", [new Map(collidingBigints(1_500).map((key) => [key, 1]))]);
  for (const callId of [1, 2]) expect(await world.raw.nextError()).toMatchObject({ callId, parts: refused });
  world.raw.call(3, 0, "size", [new Set(integers.map((_, i) => i))]);
  expect(await world.raw.nextResult()).toMatchObject({ callId: 3, value: 4_096 });
  expect(await world.othersAreWell()).toBe(true);
});
