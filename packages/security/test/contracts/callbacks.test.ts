import { describe, expect, test, vi } from "vitest";
import * as z from "zod";
import type { Stub } from "../../../core/src/index.ts";
import { callback, defineContract, method } from "../../src/index.ts";
import { contractPair, failureOf, pairOn, places } from "./pairs.ts";

type Far = Stub<unknown> & ((...args: unknown[]) => Promise<unknown>);

const invalidArgument = expect.stringContaining("invalid-argument");
const invalidResult = expect.stringContaining("invalid-result");

describe.each(places)("callbacks, over $place", ({ at }) => {
  const each = callback([z.number()], z.string());
  const lists = defineContract({ map: method([z.array(z.number()), each], z.array(z.string())) });
  const implementation = {
    map: async (list: number[], to: (n: number) => Promise<string>) => {
      const mapped: string[] = [];
      for (const n of list) mapped.push(await to(n));
      return mapped;
    },
  };

  test("are called with arguments, and give results", async () => {
    await using served = await contractPair(lists, implementation, {}, at);
    expect(await served.bound.map([1, 2], (n) => `n${n}`)).toEqual(["n1", "n2"]);
    expect(await served.bound.map([3], async (n) => `n${n}`)).toEqual(["n3"]);
    expect(await served.unbound.map([4], (n: unknown) => `n${n}`)).toEqual(["n4"]);
  });

  test("have their arguments validated in the process that owns the function, before it runs", async () => {
    const ran = vi.fn(() => "ran");
    const rude = { map: async (_list: number[], to: Far) => [await to("not a number")] };
    await using served = await pairOn(lists, rude, {}, at);
    await expect(served.bound.map([1], ran)).rejects.toMatchObject({ message: invalidArgument });
    const many = { map: async (_list: number[], to: Far) => [await to(1, 2)] };
    await using other = await pairOn(lists, many, {}, at);
    await expect(other.bound.map([1], ran)).rejects.toMatchObject({ message: invalidArgument });
    expect(ran).not.toHaveBeenCalled();
  });

  test("have their results validated where they leave and where they arrive", async () => {
    await using served = await contractPair(lists, implementation, {}, at);
    await expect(served.bound.map([1], () => 7 as never)).rejects.toMatchObject({ message: invalidResult });
    await expect(served.unbound.map([1], () => 7)).rejects.toMatchObject({ message: invalidResult });
  });

  test("transform their arguments once, and their results once", async () => {
    const shout = callback(
      [z.string().transform((text) => text.length)],
      z.number().transform((n) => n * 2),
    );
    const echo = defineContract({ run: method([shout], z.number()) });
    await using served = await contractPair(echo, { run: (f) => f("four") }, {}, at);
    expect(await served.bound.run((length) => length + 1)).toBe(10);
  });

  test("are not data, objects or nothing", async () => {
    await using served = await contractPair(lists, implementation, {}, at);
    for (const forged of [undefined, "f", { call: 1 }, served.unbound]) {
      await expect(served.unbound.map([1], forged)).rejects.toMatchObject({
        code: "invalid-argument",
        outcome: "not-executed",
      });
      await expect(served.bound.map([1], forged as never)).rejects.toMatchObject({
        code: "invalid-argument",
        outcome: "not-sent",
      });
    }
  });
});

describe("a function given twice", () => {
  const heard = callback([z.string()]);
  const topic = defineContract({
    subscribe: method([heard], z.number()),
    unsubscribe: method([heard], z.boolean()),
    last: method([], heard),
    publish: method([z.string()]),
  });

  function serve() {
    const listeners = new Set<(text: string) => Promise<void>>();
    let last: ((text: string) => Promise<void>) | undefined;
    return contractPair(topic, {
      subscribe: (listener) => {
        last = listener;
        return listeners.add(listener).size;
      },
      unsubscribe: (listener) => listeners.delete(listener),
      last: () => last as never,
      publish: async (text) => {
        for (const listener of listeners) await listener(text);
      },
    });
  }

  test("is the same function from afar, and comes home as itself", async () => {
    await using served = await serve();
    const got: string[] = [];
    const listener = (text: string) => void got.push(text);
    expect(await served.bound.subscribe(listener)).toBe(1);
    expect(await served.bound.subscribe(listener)).toBe(1);
    expect(served.pair.connection.stats().exports).toBe(1);
    await served.bound.publish("a");
    expect(got).toEqual(["a"]);
    expect(await served.bound.last()).toBe(listener);
    expect(await served.bound.unsubscribe(listener)).toBe(true);
    await served.bound.subscribe(() => {});
    await served.bound.unsubscribe(() => {});
    await served.pair.connection.close();
  });

  test("is the same without a contract at the caller", async () => {
    await using served = await serve();
    const listener = () => {};
    expect(await served.unbound.subscribe(listener)).toBe(1);
    expect(await served.unbound.subscribe(listener)).toBe(1);
    expect(await served.unbound.unsubscribe(listener)).toBe(true);
    await served.pair.connection.close();
  });
});

test("a function of ours comes home only where its own type is expected", async () => {
  const one = callback([z.number()], z.number());
  const other = callback([z.number()], z.number());
  const contract = defineContract({
    make: method([], one),
    run: method([one], z.number()),
    runOther: method([other], z.number()),
  });
  const made = (n: number) => n + 1;
  await using served = await contractPair(contract, {
    make: () => made,
    run: (f) => {
      expect(f).toBe(made);
      return f(1);
    },
    runOther: (f) => f(1),
  });
  using far = (await served.unbound.make()) as Far;
  expect(await far(1)).toBe(2);
  expect(await served.unbound.run(far)).toBe(2);
  await expect(served.unbound.runOther(far)).rejects.toMatchObject({ code: "invalid-argument" });
  expect(await failureOf(far("1"))).toMatchObject({ code: "invalid-argument", outcome: "not-executed" });
});

test("a callback may take callbacks, and give references", async () => {
  const inner = callback([z.number()], z.number());
  const outer = callback([inner], z.number());
  const contract = defineContract({ run: method([outer], z.number()) });
  await using served = await contractPair(contract, { run: (f) => f((n) => n * 2) });
  expect(await served.bound.run((double) => double(21))).toBe(42);
  await expect(served.bound.run((double) => double("x" as never))).rejects.toMatchObject({ message: invalidArgument });
});
