import { describe, expect, test } from "vitest";
import { leakCheckedPair, places } from "../session/pairs.ts";

describe.each(places)("over $place, a result", ({ at }) => {
  test("that an async generator makes arrives item by item, and the end with what it returned", async () => {
    const front = {
      async *count(to: number) {
        for (let i = 0; i < to; i++) yield i;
        return "done";
      },
    };
    await using pair = await leakCheckedPair(front, {}, at);
    const counted = await pair.front.count(2_500);
    const items: number[] = [];
    let step = await counted.next();
    for (; !step.done; step = await counted.next()) items.push(step.value);
    expect(items).toEqual(Array.from({ length: 2_500 }, (_, i) => i));
    expect(step.value).toBe("done");
    expect(await counted.next()).toEqual({ done: true, value: undefined });
  });
});
