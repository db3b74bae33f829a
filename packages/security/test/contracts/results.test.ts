import { describe, expect, test } from "vitest";
import * as z from "zod";
import { type CallContext, currentCall } from "../../../core/src/index.ts";
import { defineContract, method, stream } from "../../src/index.ts";
import { contractPair, pairOn, places } from "./pairs.ts";

const invalid = { code: "invalid-result", outcome: "executed" };

describe.each(places)("results, over $place", ({ at }) => {
  test("are validated before they leave", async () => {
    const contract = defineContract({ count: method([], z.number()), later: method([], z.number()) });
    const wrong = { count: () => "one" as never, later: async () => "two" as never };
    await using served = await contractPair(contract, wrong, {}, at);
    const calls = [served.unbound.count(), served.unbound.later(), served.bound.count()];
    const detail: unknown = expect.stringMatching(/: result: .*expected number/);
    await Promise.all(calls.map((call) => expect(call).rejects.toMatchObject({ ...invalid, detail })));
  });

  test("leave as what the schema puts out", async () => {
    const contract = defineContract({
      user: method([], z.object({ name: z.string(), at: z.date().transform((date) => date.toISOString()) })),
    });
    const user = () => ({ name: "ann", at: new Date(0), password: "hunter2" });
    await using served = await contractPair(contract, { user }, {}, at);
    const left = { name: "ann", at: "1970-01-01T00:00:00.000Z" };
    expect(await served.unbound.user()).toEqual(left);
    expect(await served.bound.user()).toEqual(left);
  });

  test("are the caller's as they arrive: transforms do not run again", async () => {
    const doubled = z.number().transform((n) => n * 2);
    const contract = defineContract({ twice: method([], doubled), trimmed: method([], z.string().trim()) });
    await using served = await contractPair(contract, { twice: () => 4, trimmed: () => " a " }, {}, at);
    expect(await served.bound.twice()).toBe(8);
    expect(await served.bound.trimmed()).toBe("a");
  });

  test("are checked again by a caller who has the contract", async () => {
    const slow = z.number().refine(async (n) => n > 0);
    const contract = defineContract({ count: method([], z.number()), slow: method([], slow) });
    await using served = await pairOn(contract, { count: () => "one", slow: () => -1 }, {}, at);
    await expect(served.bound.count()).rejects.toMatchObject({
      ...invalid,
      detail: expect.stringMatching(/^count of .*: result: .*expected number/),
    });
    await expect(served.bound.slow()).rejects.toMatchObject(invalid);
    expect(await served.unbound.count()).toBe("one");
  });

  test("are nothing where the contract has none", async () => {
    const contract = defineContract({ ping: method([]), send: method([z.string()], undefined, { oneway: true }) });
    await using served = await contractPair(contract, { ping: () => "secret" as never, send() {} }, {}, at);
    expect(await served.unbound.ping()).toBeUndefined();
    expect(await served.bound.ping()).toBeUndefined();
    expect(await served.bound.send("x")).toBeUndefined();
  });
});

test("a result schema that throws is told to onError; the caller learns that the method ran", async () => {
  const contract = defineContract({
    odd: method(
      [],
      z.number().refine(() => {
        throw new Error("password hunter2");
      }),
    ),
  });
  await using served = await contractPair(contract, { odd: () => 1 });
  await expect(served.unbound.odd()).rejects.toMatchObject({
    code: "internal",
    outcome: "executed",
    message: expect.not.stringContaining("hunter2"),
  });
  expect(served.pair.takeReported().service.map(({ message }) => message)).toEqual(["password hunter2"]);
});

test("what a method throws arrives as it would without a contract", async () => {
  const contract = defineContract({ fail: method([], z.number()) });
  await using served = await contractPair(contract, {
    fail: () => {
      throw new RangeError("too far");
    },
  });
  await expect(served.bound.fail()).rejects.toMatchObject({ remoteName: "RangeError", message: "too far" });
});

test("what is no stream is refused where one should leave", async () => {
  const contract = defineContract({ read: method([stream(z.string())]) });
  await using served = await contractPair(contract, { read() {} });
  await expect(served.bound.read([] as never)).rejects.toMatchObject({ code: "invalid-argument", outcome: "not-sent" });
});

describe("method options", () => {
  test("timeoutMs is the call's time unless the caller gives one, and the method's in any case", async () => {
    const contract = defineContract({ remaining: method([], z.number(), { timeoutMs: 1_000 }) });
    const remaining = () => ((currentCall() as CallContext).deadline ?? Number.NaN) - performance.now();
    await using served = await contractPair(contract, { remaining });
    expect(await served.bound.remaining()).toBeLessThanOrEqual(1_000);
    expect(await served.unbound.remaining()).toBeLessThanOrEqual(1_000);
  });

  test("scope is told to authorize", async () => {
    const asked: unknown[] = [];
    const contract = defineContract({ read: method([], z.number(), { scope: "reader" }), other: method([]) });
    await using served = await contractPair(
      contract,
      { read: () => 1, other() {} },
      { service: { authorize: [({ method, scope }) => asked.push([method, scope]) > 0] } },
    );
    await served.bound.read();
    await served.bound.other();
    expect(asked).toEqual([
      ["read", "reader"],
      ["other", undefined],
    ]);
  });
});
