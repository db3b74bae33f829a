import * as v from "valibot";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { defineContract, method } from "../../src/index.ts";
import { contractPair, places } from "./pairs.ts";

const refused = { code: "invalid-argument", outcome: "not-executed" };

describe.each(places)("arguments, over $place", ({ at }) => {
  test("are validated before the method runs, whoever calls", async () => {
    const contract = defineContract({ add: method([z.number(), z.number()], z.number()) });
    let runs = 0;
    const add = (a: number, b: number) => {
      runs++;
      return a + b;
    };
    await using served = await contractPair(contract, { add }, {}, at);
    expect(await served.bound.add(5, 3)).toBe(8);
    expect(await served.unbound.add(5, 3)).toBe(8);
    await expect(served.unbound.add(5, "3")).rejects.toMatchObject(refused);
    await expect(served.bound.add(5, "3" as never)).rejects.toMatchObject({
      ...refused,
      detail: expect.stringMatching(/args\[1\]: .*expected number/),
    });
    expect(runs).toBe(2);
  });

  test("are named with their paths", async () => {
    const contract = defineContract({
      save: method([
        z.object({ user: z.object({ age: z.number(), "first name": z.string() }), tags: z.array(z.string()) }),
      ]),
    });
    await using served = await contractPair(contract, { save() {} }, {}, at);
    const bad = { user: { age: "1", "first name": 2 }, tags: ["a", 1] };
    await expect(served.unbound.save(bad)).rejects.toMatchObject({
      detail: expect.stringMatching(
        /args\[0\]\.user\.age: .*; args\[0\]\.user\["first name"\]: .*; args\[0\]\.tags\[1\]: /,
      ),
    });
  });

  test("that are missing or too many are refused", async () => {
    const contract = defineContract({ add: method([z.number(), z.number().optional()], z.number()) });
    await using served = await contractPair(contract, { add: (a, b = 10) => a + b }, {}, at);
    expect(await served.bound.add(1)).toBe(11);
    await expect(served.unbound.add()).rejects.toMatchObject({
      ...refused,
      detail: expect.stringContaining("args[0]"),
    });
    await expect(served.unbound.add(1, 2, 3)).rejects.toMatchObject({
      ...refused,
      detail: expect.stringContaining("3 arguments where the contract has 2"),
    });
  });

  test("are transformed once, at the callee", async () => {
    let transformed = 0;
    const doubled = z.number().transform((n) => {
      transformed++;
      return n * 2;
    });
    const contract = defineContract({ show: method([doubled, z.string().default("none")], z.string()) });
    await using served = await contractPair(contract, { show: (n, text) => `${n} ${text}` }, {}, at);
    expect(await served.bound.show(21)).toBe("42 none");
    expect(await served.unbound.show(1, "x")).toBe("2 x");
    expect(transformed).toBe(2);
  });

  test("lose unknown keys where the schema strips them, and are refused where it is strict", async () => {
    const contract = defineContract({
      loose: method([z.object({ a: z.number() })], z.array(z.string())),
      strict: method([z.strictObject({ a: z.number() })]),
    });
    await using served = await contractPair(contract, { loose: (value) => Object.keys(value), strict() {} }, {}, at);
    expect(await served.unbound.loose({ a: 1, b: 2 })).toEqual(["a"]);
    await expect(served.unbound.strict({ a: 1, b: 2 })).rejects.toMatchObject(refused);
    await expect(served.unbound.strict(JSON.parse('{"a":1,"__proto__":{"a":2}}'))).rejects.toMatchObject(refused);
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  test("keep their order with an asynchronous schema", async () => {
    let admit!: () => void;
    const admitted = new Promise<void>((resolve) => {
      admit = resolve;
    });
    const slow = z.string().refine(async (text) => {
      if (text === "first") await admitted;
      return text !== "bad";
    });
    const seen: string[] = [];
    const contract = defineContract({ say: method([slow, z.number()]), quick: method([], z.number()) });
    await using served = await contractPair(
      contract,
      { say: (text, n) => void seen.push(`${text} ${n}`), quick: () => seen.push("quick") },
      {},
      at,
    );
    const first = served.bound.say("first", 1);
    const second = served.bound.say("second", 2);
    const third = served.bound.quick();
    const bad = served.bound.say("bad", 3);
    bad.catch(() => {});
    expect(seen).toEqual([]);
    admit();
    await Promise.all([first, second, third]);
    expect(seen).toEqual(["first 1", "second 2", "quick"]);
    await expect(bad).rejects.toMatchObject(refused);
  });

  test("may be described by valibot", async () => {
    const contract = defineContract({
      greet: method(
        [v.pipe(v.string(), v.trim(), v.minLength(1)), v.optional(v.strictObject({ loud: v.boolean() }))],
        v.string(),
      ),
    });
    await using served = await contractPair(
      contract,
      { greet: (name, options) => `hello ${name}${options?.loud ? "!" : ""}` },
      {},
      at,
    );
    expect(await served.bound.greet(" ann ", { loud: true })).toBe("hello ann!");
    expect(await served.bound.greet("bob")).toBe("hello bob");
    await expect(served.bound.greet("  ")).rejects.toMatchObject(refused);
    await expect(served.unbound.greet("x", { loud: true, odd: 1 })).rejects.toMatchObject({
      ...refused,
      detail: expect.stringContaining("args[1].odd"),
    });
  });
});

describe("a schema that throws", () => {
  const secret = () => {
    throw new Error("password hunter2");
  };

  test("is told to onError and not to the caller", async () => {
    const contract = defineContract({
      odd: method([z.string().refine(secret)]),
      later: method([z.string().refine(async () => secret())]),
    });
    await using served = await contractPair(contract, { odd() {}, later() {} });
    for (const name of ["odd", "later"] as const) {
      await expect(served.unbound[name]("x")).rejects.toMatchObject({
        code: "internal",
        outcome: "not-executed",
        message: expect.not.stringContaining("hunter2"),
      });
    }
    const { service } = served.pair.takeReported();
    expect(service.map(({ message }) => message)).toEqual(["password hunter2", "password hunter2"]);
  });
});

test("an asynchronous schema of zod's runs once, though zod would try it twice", async () => {
  let runs = 0;
  const counted = z.string().transform(async (text) => {
    runs++;
    return text.length;
  });
  const contract = defineContract({ length: method([counted], z.number()) });
  await using served = await contractPair(contract, { length: (length) => length });
  expect(await served.bound.length("four")).toBe(4);
  expect(await served.bound.length("seven")).toBe(5);
  expect(runs).toBe(2);
});

test("schemas are not asked before the first call: a contract may speak of what comes later", async () => {
  const contract = defineContract({
    depth: method(
      [
        z.object({
          get inner() {
            return z.optional(later);
          },
        }),
      ],
      z.number(),
    ),
  });
  const later = z.object({ n: z.number() });
  await using served = await contractPair(contract, { depth: ({ inner }) => inner?.n ?? 0 });
  expect(await served.bound.depth({ inner: { n: 3 } })).toBe(3);
});
