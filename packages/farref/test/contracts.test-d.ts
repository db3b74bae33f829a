/** What contracts are as types: plain interfaces for callers and implementations. */
import * as v from "valibot";
import { describe, expectTypeOf, test } from "vitest";
import * as z from "zod";
import {
  type Api,
  ByReference,
  type Contract,
  callback,
  connect,
  defineContract,
  type Implementation,
  implement,
  method,
  type Remote,
  reference,
  type Schema,
  type Stub,
  startService,
  stream,
} from "../src/index.ts";

const user = z.object({ name: z.string(), age: z.number().optional() });
const data = defineContract({
  add: method([z.number(), z.number()], z.number()),
  find: method([z.string()], user.nullable()),
  ping: method([]),
  log: method([z.string(), z.string().optional()], undefined, { oneway: true }),
  length: method(
    [z.string().transform((text) => text.length)],
    z.date().transform((date) => date.toISOString()),
  ),
  page: method([z.number().default(1)], z.array(z.string()), { timeoutMs: 5_000 }),
  valid: method([v.string(), v.optional(v.number())], v.boolean()),
});

describe("Api", () => {
  test("is the interface one would write", () => {
    expectTypeOf<Api<typeof data>>().toEqualTypeOf<{
      add: (a: number, b: number) => number;
      find: (id: string) => { name: string; age?: number | undefined } | null;
      ping: () => void;
      log: (text: string, tag?: string) => void;
      length: (text: string) => string;
      page: (number?: number) => string[];
      valid: (text: string, number?: number) => boolean;
    }>();
  });

  test("is what a caller sees from afar", () => {
    const remote = {} as Remote<Api<typeof data>>;
    expectTypeOf(remote.add).toEqualTypeOf<(a: number, b: number) => Promise<number>>();
    expectTypeOf(remote.ping).toEqualTypeOf<() => Promise<void>>();
    expectTypeOf(remote.find).returns.resolves.toEqualTypeOf<{ name: string; age?: number | undefined } | null>();
    expectTypeOf(remote.page).parameters.toEqualTypeOf<[(number | undefined)?]>();
  });
});

test("an implementation gets what schemas put out and gives what they take, at once or later", () => {
  expectTypeOf<Implementation<typeof data>["length"]>().toEqualTypeOf<(length: number) => Date | Promise<Date>>();
  expectTypeOf<Implementation<typeof data>["page"]>().toEqualTypeOf<(page: number) => string[] | Promise<string[]>>();
  const implementation: Implementation<typeof data> = {
    add: (a, b) => a + b,
    find: async (name) => ({ name }),
    ping() {},
    log: (_text, tag) => void tag?.length,
    length: () => new Date(0),
    page: () => [],
    valid: (_text, number) => number === undefined,
  };
  expectTypeOf(implement(data, implementation)).toExtend<Api<typeof data> & object>();
  // @ts-expect-error: add returns a number
  implement(data, { ...implementation, add: () => "" });
  // @ts-expect-error: a method is missing
  implement(data, { add: () => 1 });
});

test("connect with a contract is typed by it, and without as before", () => {
  expectTypeOf(() => connect("tcp://h:1", { contract: data })).returns.resolves.toEqualTypeOf<
    Remote<Api<typeof data>>
  >();
  expectTypeOf(() => connect<{ a(): number }>("tcp://h:1")).returns.resolves.toEqualTypeOf<Remote<{ a(): number }>>();
  expectTypeOf(startService).toBeCallableWith("memory:x", implement(data, {} as Implementation<typeof data>));
});

const account = defineContract({ deposit: method([z.number()], z.number()), owner: method([], z.string()) });
const bank = defineContract({
  account: method([z.string()], reference(account)),
  close: method([reference(account)], z.boolean()),
  any: method([reference()], reference()),
  watch: method([callback([z.string().transform(Number)], z.boolean())]),
  maker: method([], callback([z.number()])),
  lines: method([], stream(z.string())),
});

describe("references", () => {
  const remote = {} as Remote<Api<typeof bank>>;

  test("arrive as remotes of the contract's interface, and may be given back", async () => {
    expectTypeOf(remote.account).returns.resolves.toEqualTypeOf<Remote<Api<typeof account>>>();
    expectTypeOf(remote.close).toBeCallableWith(await remote.account("a"));
    expectTypeOf(remote.close).toBeCallableWith(implement(account, {} as Implementation<typeof account>));
    expectTypeOf(remote.any).toBeCallableWith(await remote.account("a"));
    expectTypeOf(remote.any).returns.resolves.toExtend<Stub<unknown>>();
  });

  test("of one's own classes are given too", () => {
    class Mine extends ByReference {
      async deposit(amount: number) {
        return amount;
      }
      owner() {
        return "me";
      }
    }
    expectTypeOf(remote.close).toBeCallableWith(new Mine());
    // @ts-expect-error: data is no reference
    remote.close({ balance: 3 });
    implement(bank, {
      account: () => new Mine(),
      close: async (given) => {
        expectTypeOf(given).toEqualTypeOf<Remote<Api<typeof account>>>();
        return (await given.deposit(1)) > 0;
      },
      any: (given) => given,
      watch: async (changed) => {
        expectTypeOf(changed).parameters.toEqualTypeOf<[string]>();
        expectTypeOf(changed).returns.resolves.toEqualTypeOf<boolean>();
      },
      maker: () => (n) => void n.toFixed(),
      async *lines() {
        yield "";
      },
    } as Implementation<typeof bank>);
  });

  test("to functions take either kind of function", () => {
    expectTypeOf(remote.watch).toBeCallableWith((n: number) => n > 0);
    expectTypeOf(remote.watch).toBeCallableWith(async (n: number) => n > 0);
    // @ts-expect-error: it gets a number
    remote.watch((s: string) => s !== "");
    expectTypeOf(remote.maker).returns.resolves.toExtend<(n: number) => Promise<void>>();
  });
});

test("a contract may speak of itself", async () => {
  const node = defineContract({
    name: method([], z.string()),
    get child() {
      return method(
        [z.string()],
        reference(() => node),
      );
    },
  });
  const remote = {} as Remote<Api<typeof node>>;
  const child = await remote.child("a");
  expectTypeOf(child.name).toEqualTypeOf<() => Promise<string>>();
  expectTypeOf((await child.child("b")).name).toEqualTypeOf<() => Promise<string>>();
});

test("any contract and any schema", () => {
  expectTypeOf(data).toExtend<Contract>();
  expectTypeOf(z.number()).toExtend<Schema>();
  expectTypeOf(v.number()).toExtend<Schema<number>>();
});
