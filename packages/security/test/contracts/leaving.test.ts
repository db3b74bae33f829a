/** What leaves under a contract: references and streams only where the contract has them, also to a caller without it. */
import { describe, expect, test } from "vitest";
import * as z from "zod";
import type { AuditEntry } from "../../../core/src/index.ts";
import { ByReference, byReference, release, type Stub } from "../../../core/src/index.ts";
import { callback, defineContract, implement, method, reference, type Schema, stream } from "../../src/index.ts";
import { contractPair, memory, tcp } from "./pairs.ts";

class Account extends ByReference {
  balance() {
    return 1;
  }
}
const account = defineContract({ balance: method([], z.number()) });
const refused = { code: "invalid-result", outcome: "executed" };

/** Lets one of our schemas check a part of what zod checks, as programs do. */
const parse = (schema: Schema, value: unknown) => {
  const checked = schema["~standard"].validate(value);
  if (checked instanceof Promise || checked.issues) throw new Error("not what it is to be");
  return checked.value;
};

async function* letters() {
  yield "a";
}

describe.each([
  { place: "memory", at: memory },
  { place: "tcp", at: tcp },
])("a result in a place for data, over $place", ({ at }) => {
  const anything = defineContract({
    any: method([], z.any()),
    unknown: method([], z.unknown()),
    loose: method([], z.looseObject({})),
    custom: method([], z.custom()),
    later: method(
      [],
      z.any().refine(async () => true),
    ),
  });

  async function serve(give: () => unknown) {
    const entries: AuditEntry[] = [];
    const any = give as () => never;
    const served = await contractPair(
      anything,
      { any, unknown: any, loose: any, custom: any, later: any },
      { service: { audit: (entry) => entries.push(entry) } },
      at,
    );
    return { served, entries, [Symbol.asyncDispose]: () => served[Symbol.asyncDispose]() };
  }

  test.each<[what: string, give: () => object]>([
    ["a function", () => ({ on: () => 1 })],
    ["a marked object", () => ({ account: new Account() })],
    ["an object under a contract", () => ({ deep: { in: [implement(account, new Account())] } })],
    ["one in a Map", () => ({ map: new Map([["k", new Account()]]) })],
    ["one in a Set", () => ({ set: new Set([() => 1]) })],
    ["a stream", () => ({ stream: letters() })],
  ])("holds %s: it does not leave, and nothing of it is held", async (_, give) => {
    await using it = await serve(give);
    for (const name of ["any", "unknown", "loose", "custom", "later"] as const) {
      await expect(it.served.unbound[name]()).rejects.toMatchObject({
        ...refused,
        message: expect.stringMatching(
          /result[.[].*: an object or a function by reference where the contract has data/,
        ),
      });
    }
    expect(it.served.pair.session.stats()).toMatchObject({ exports: 0, openStreams: 0 });
    expect(it.entries).toHaveLength(5);
    for (const entry of it.entries) {
      expect(entry).toMatchObject({ permitted: true, threw: false, code: "invalid-result" });
    }
  });

  test("is one altogether: it does not leave", async () => {
    for (const whole of [() => 1, new Account(), letters()]) {
      await using it = await serve(() => whole);
      await expect(it.served.unbound.any()).rejects.toMatchObject(refused);
    }
  });

  test("is the front itself, or the caller's own object: neither leaves", async () => {
    let given: unknown;
    const contract = defineContract({
      keep: method([reference()]),
      give: method([], z.any()),
      self: method([], z.any()),
    });
    const implementation = {
      keep(stub: unknown) {
        given = stub;
      },
      give: () => [given],
      self: (): unknown => [front],
    };
    const front = implement(contract, implementation);
    await using served = await contractPair(contract, implementation, {}, at);
    await served.unbound.keep(new Account());
    await expect(served.unbound.give()).rejects.toMatchObject(refused);
    await expect(served.unbound.self()).rejects.toMatchObject(refused);
    release(given as Stub<unknown>);
  });

  test("is data of any shape: it leaves", async () => {
    const data = {
      list: [1, new Date(0), /x/],
      map: new Map([["k", { deep: new Set([1n]) }]]),
      bytes: new Uint8Array(3),
    };
    await using it = await serve(() => data);
    expect(await it.served.unbound.any()).toEqual(data);
    expect(await it.served.bound.later()).toEqual(data);
  });
});

describe("what the contract has", () => {
  const contract = defineContract({
    open: method([], reference(account)),
    any: method([], reference()),
    hook: method([], callback([z.number()], z.number())),
    lines: method([], stream(z.string())),
    nested: method(
      [],
      z.object({ on: z.unknown().transform((value) => parse(callback([], z.number()), value)), data: z.unknown() }),
    ),
  });

  const serve = (data?: unknown) =>
    contractPair(contract, {
      open: () => new Account(),
      any: () => byReference({}),
      hook: () => (n) => n + 1,
      lines: letters,
      nested: () => ({ on: () => 7, data }),
    });

  test("leaves, to a caller with the contract and to one without", async () => {
    await using served = await serve({ a: [1] });
    for (const caller of [served.bound, served.unbound as unknown as typeof served.bound]) {
      using opened = await caller.open();
      expect(await opened.balance()).toBe(1);
      release(await caller.any());
      const hook = await caller.hook();
      expect(await hook(1)).toBe(2);
      const { on, data } = await caller.nested();
      expect([await (on as () => unknown)(), data]).toEqual([7, { a: [1] }]);
      for (const stub of [hook, on]) release(stub as unknown as Stub<unknown>);
      const lines: string[] = [];
      for await (const line of await caller.lines()) lines.push(line);
      expect(lines).toEqual(["a"]);
    }
  });

  test("makes no room for others beside it", async () => {
    await using served = await serve({ a: [() => 1] });
    await expect(served.unbound.nested()).rejects.toMatchObject({
      ...refused,
      message: expect.stringContaining("result.data.a[0]: an object or a function by reference"),
    });
  });

  test("is not the bare object behind what leaves under a contract", async () => {
    const both = defineContract({
      both: method(
        [],
        z.object({ mine: z.unknown().transform((value) => parse(reference(account), value)), bare: z.unknown() }),
      ),
    });
    const mine = new Account();
    await using served = await contractPair(both, { both: () => ({ mine, bare: mine }) });
    await expect(served.unbound.both()).rejects.toMatchObject(refused);
  });
});

describe("items of a stream", () => {
  const contract = defineContract({
    data: method([], stream(z.any())),
    hooks: method([], stream(callback([], z.number()))),
  });

  test("leave as results do", async () => {
    await using served = await contractPair(contract, {
      async *data() {
        yield { a: 1 };
        yield { on: () => 1 };
      },
      async *hooks() {
        yield () => 1;
      },
    });
    const read = async (name: "data" | "hooks", use: (item: unknown) => unknown) => {
      for await (const item of (await served.unbound[name]()) as AsyncIterable<unknown>) await use(item);
    };
    const items: unknown[] = [];
    await expect(read("data", (item) => items.push(item))).rejects.toMatchObject({ code: "invalid-result" });
    expect(items).toEqual([{ a: 1 }]);
    await read("hooks", async (hook) => {
      items.push(await (hook as () => unknown)());
      release(hook as Stub<unknown>);
    });
    expect(items).toEqual([{ a: 1 }, 1]);
  });
});

test("a callback's result goes by the same rule, in the process that owns the function", async () => {
  const contract = defineContract({ call: method([callback([], z.any())], z.string()) });
  await using served = await contractPair(contract, {
    call: async (hook) => {
      try {
        return `got ${typeof (await hook())}`;
      } catch (error) {
        return String((error as Error).message);
      }
    },
  });
  expect(await served.bound.call(() => () => 1)).toContain("invalid-result");
  expect(await served.bound.call(() => [1])).toBe("got object");
});
