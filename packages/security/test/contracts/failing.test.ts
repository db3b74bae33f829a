/** Functions in schemas that throw or reject, in every order: each call hears that it failed, and nobody else does. */
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { turns } from "../../../conformance/src/index.ts";
import { defineContract, method, type Schema } from "../../src/index.ts";
import { contractPair } from "./pairs.ts";

const down = () => Promise.reject(new Error("the database is down"));
const broken = (): never => {
  throw new Error("a mistake");
};
/** Fails a good while later. */
const downLater = async () => {
  await turns(3);
  return down();
};
const text = z.string();

/** The setup of all tests fails those that leave a rejection to nobody. */
const schemas: Readonly<Record<string, Schema>> = {
  "a check that returns a promise and does not say so": text.refine(() => down()),
  "a check with words of its own": text.superRefine(() => down() as never),
  "a check of zod's core": text.check(() => down() as never),
  "a transform that returns a promise": text.transform(() => down()),
  "something made before": z.preprocess(() => down(), text),
  "a type of the program's": z.custom(() => down()),
  "a codec": z.codec(text, text, { decode: () => down(), encode: () => down() }),
  "one check behind another that fails as well": text.refine(async () => down()).refine(async () => down()),
  "one check behind another that takes its time": text.refine(downLater).refine(async () => down()),
  "checks behind a transform": text
    .transform(async (made) => made)
    .refine(downLater)
    .refine(async () => down()),
  "a check beside one that throws": z.object({ a: text.refine(async () => down()), b: text.refine(broken) }),
  "a transform beside one that throws": z.object({ a: text.transform(() => down()), b: text.transform(broken) }),
  "a check deep in a list beside one that throws": z.tuple([
    z.array(z.object({ a: text.refine(() => down()) })),
    text.refine(broken),
  ]),
  "two checks side by side": z.object({ a: text.refine(async () => down()), b: text.refine(downLater) }),
  "each of a list": z.array(text.refine(downLater)),
  "either of two": z.union([text.refine(async () => down()), text.refine(downLater)]),
  "a recursive schema": z.lazy(() => text.refine(() => down())),
  "one that throws": text.refine(broken),
  "valibot's checks": v.pipeAsync(v.string(), v.checkAsync(downLater), v.checkAsync(down)),
  "valibot's check beside one that throws": v.objectAsync({
    a: v.pipeAsync(v.string(), v.checkAsync(down)),
    b: v.pipe(v.string(), v.check(broken)),
  }),
};

const values: Readonly<Record<string, unknown>> = {
  "a check beside one that throws": { a: "", b: "" },
  "a transform beside one that throws": { a: "", b: "" },
  "a check deep in a list beside one that throws": [[{ a: "" }, { a: "" }], ""],
  "two checks side by side": { a: "", b: "" },
  "each of a list": ["", "", ""],
  "valibot's check beside one that throws": { a: "", b: "" },
};

test.each(Object.entries(schemas))("%s", async (name, schema) => {
  const value = values[name] ?? "";
  const contract = defineContract({ take: method([schema, schema]), give: method([], schema) });
  await using served = await contractPair(contract, { take() {}, give: () => value });
  for (let i = 0; i < 3; i++) {
    await expect(served.unbound.take(value, value)).rejects.toMatchObject({
      code: "internal",
      outcome: "not-executed",
    });
    await expect(served.unbound.give()).rejects.toMatchObject({ code: "internal", outcome: "executed" });
  }
  await turns(10);
  const { service } = served.pair.takeReported();
  expect(service).toHaveLength(6);
  for (const { message } of service) expect(message).toMatch(/the database is down|a mistake/);
});

describe("functions in schemas of zod's", () => {
  test("do for the program itself what they always did", async () => {
    const contract = defineContract({ take: method([text.refine(broken), text.transform(() => down())]) });
    const [throwing, rejecting] = contract.methods.take.params;
    await using served = await contractPair(contract, { take() {} });
    await expect(served.unbound.take("", "")).rejects.toMatchObject({ code: "internal" });
    served.pair.takeReported();
    expect(() => throwing.parse("")).toThrow("a mistake");
    await expect(rejecting.parseAsync("")).rejects.toThrow("the database is down");
  });

  test("are called once for a value that passes, and answer at once where they do", async () => {
    const calls = { sync: 0, async: 0 };
    const sync = text.refine(() => ++calls.sync > 0).transform((made) => `${made}!`);
    const async = text.refine(() => Promise.resolve(++calls.async > 0));
    const contract = defineContract({ join: method([sync, async], text) });
    await using served = await contractPair(contract, { join: (a, b) => `${a}${b}` });
    expect(await served.bound.join("a", "b")).toBe("a!b");
    expect(await served.bound.join("c", "d")).toBe("c!d");
    expect(calls).toEqual({ sync: 2, async: 2 });
  });

  test("say why they refuse a value, in their own words and beside zod's", async () => {
    const schema = z.object({
      a: text.refine(() => false, "not this one"),
      b: z.number(),
      c: text.refine(async () => false, "nor this"),
    });
    const contract = defineContract({ take: method([schema]) });
    await using served = await contractPair(contract, { take() {} });
    for (let i = 0; i < 2; i++) {
      await expect(served.unbound.take({ a: "", b: "1", c: "" })).rejects.toMatchObject({
        code: "invalid-argument",
        detail: expect.stringMatching(/args\[0\]\.a: not this one; args\[0\]\.b: .*number.*; args\[0\]\.c: nor this/),
      });
    }
  });
});

function ownPromise(made: unknown): object {
  // biome-ignore lint/suspicious/noThenProperty: it is a promise of that library's.
  return { then: (take: (made: unknown) => void) => take(made) };
}

test("a library whose promises are its own validates all the same", async () => {
  const later = (issues?: readonly { message: string }[]): Schema => ({
    "~standard": {
      version: 1,
      vendor: "own",
      validate: (value: unknown) => ownPromise(issues ? { issues } : { value }) as never,
    },
  });
  const contract = defineContract({
    take: method([later()], later()),
    refuse: method([later([{ message: "never" }])]),
  });
  await using served = await contractPair(contract, { take: (given) => given, refuse() {} });
  expect(await served.bound.take("x")).toBe("x");
  await expect(served.unbound.refuse("x")).rejects.toMatchObject({ code: "invalid-argument" });
});
