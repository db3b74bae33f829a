/** Streams under a contract: items are validated one by one, and one that is refused ends its stream. */
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { turnsUntil } from "../../../conformance/src/index.ts";
import { ByReference, type Remote } from "../../../core/src/index.ts";
import { callback, defineContract, method, reference, stream } from "../../src/index.ts";
import { contractPair, pairOn, places } from "./pairs.ts";

async function readAll<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** What was read before the error, and the error. */
async function failing(items: AsyncIterable<unknown>): Promise<{ read: unknown[]; error: unknown }> {
  const read: unknown[] = [];
  try {
    for await (const item of items) read.push(item);
  } catch (error) {
    return { read, error };
  }
  throw new Error("the stream ends without an error");
}

function watched<T>(...items: T[]) {
  const state = { ended: 0 };
  async function* make() {
    try {
      yield* items;
      for (;;) yield items.at(-1) as T;
    } finally {
      state.ended++;
    }
  }
  return { state, items: make() };
}

async function* of<T>(...items: T[]) {
  yield* items;
}

const invalidResult = { name: "RpcError", code: "invalid-result", outcome: "executed" };
const invalidArgument = { name: "RpcError", code: "invalid-argument" };
const trimmed = z.string().trim();

describe.each(places)("streams under a contract, over $place", ({ at }) => {
  test("leave as what the schema puts out, and are the caller's as they arrive", async () => {
    const contract = defineContract({
      lines: method([], stream(trimmed)),
      doubled: method([], stream(z.number().transform((n) => n * 2))),
    });
    const lines = () => of(" a ", "b");
    await using served = await contractPair(contract, { lines, doubled: () => of(1, 2) }, {}, at);
    expect(await readAll(await served.bound.lines())).toEqual(["a", "b"]);
    expect(await readAll((await served.unbound.lines()) as AsyncIterable<string>)).toEqual(["a", "b"]);
    expect(await readAll(await served.bound.doubled())).toEqual([2, 4]);
  });

  test("end with invalid-result at an item that must not leave, and so does who makes it", async () => {
    const contract = defineContract({ counts: method([], stream(z.number())) });
    const { items, state } = watched<unknown>(1, 2, "three");
    await using served = await contractPair(contract, { counts: () => items as never }, {}, at);
    const { read, error } = await failing((await served.unbound.counts()) as AsyncIterable<unknown>);
    expect(read).toEqual([1, 2]);
    expect(error).toMatchObject({ ...invalidResult, detail: expect.stringMatching(/: item: .*expected number/) });
    expect(state.ended).toBe(1);
  });

  test("of arguments are validated, and transformed once, where they are read", async () => {
    const contract = defineContract({ join: method([stream(trimmed)], z.string()) });
    const join = async (texts: AsyncIterable<string>) => (await readAll(texts)).join();
    await using served = await contractPair(contract, { join }, {}, at);
    expect(await served.bound.join(of(" a", "b "))).toBe("a,b");
    const { items, state } = watched<unknown>("a", 2);
    await expect(served.bound.join(items as never)).rejects.toMatchObject({
      code: "invalid-argument",
      message: expect.stringMatching(/item: .*expected string/),
    });
    expect(state.ended).toBe(1);
  });
});

describe("a caller who has the contract", () => {
  test("has items checked again", async () => {
    const contract = defineContract({ counts: method([], stream(z.number())) });
    const { items, state } = watched<unknown>(1, "two");
    await using served = await pairOn(contract, { counts: () => items });
    const { read, error } = await failing(await served.bound.counts());
    expect(read).toEqual([1]);
    expect(error).toMatchObject({ ...invalidResult, detail: expect.stringMatching(/item: .*expected number/) });
    expect(await turnsUntil(() => state.ended === 1, 5_000)).toBe(true);
  });

  test("is told when what comes is no stream, and when a stream comes where there is to be data", async () => {
    const contract = defineContract({
      lines: method([], stream(z.string())),
      any: method([], z.object({ rows: z.unknown() })),
    });
    await using served = await pairOn(contract, { lines: () => ["a"], any: () => ({ rows: of(1) }) });
    await expect(served.bound.lines()).rejects.toMatchObject({ code: "invalid-result" });
    await expect(served.bound.any()).rejects.toMatchObject({ code: "invalid-result" });
  });
});

test("asynchronous schemas keep items in their order", async () => {
  const slow = z.number().refine(async (n) => n < 100);
  const contract = defineContract({ counts: method([], stream(slow)), sum: method([stream(slow)], z.number()) });
  const counts = () => of(...Array.from({ length: 50 }, (_, i) => i), 100);
  const sum = async (numbers: AsyncIterable<number>) => (await readAll(numbers)).reduce((a, b) => a + b, 0);
  await using served = await contractPair(contract, { counts, sum });
  const { read, error } = await failing(await served.bound.counts());
  expect(read).toEqual(Array.from({ length: 50 }, (_, i) => i));
  expect(error).toMatchObject({ code: "invalid-result" });
  expect(await served.bound.sum(of(1, 2, 3))).toBe(6);
});

test("what is no stream is refused where it would leave and where it arrives", async () => {
  const contract = defineContract({ lines: method([], stream(z.string())), read: method([stream(z.string())]) });
  await using served = await contractPair(contract, { lines: () => ["a"] as never, read() {} });
  await expect(served.bound.lines()).rejects.toMatchObject(invalidResult);
  await expect(served.bound.read(["a"] as never)).rejects.toMatchObject({ ...invalidArgument, outcome: "not-sent" });
  const unbound = served.unbound as unknown as { read(value: unknown): Promise<void> };
  await expect(unbound.read(["a"])).rejects.toMatchObject({ ...invalidArgument, outcome: "not-executed" });
});

test("a stream where the contract has data is refused", async () => {
  const contract = defineContract({ take: method([z.unknown()]) });
  await using served = await contractPair(contract, { take() {} });
  await expect(served.unbound.take({ rows: of(1) })).rejects.toMatchObject(invalidArgument);
});

test("a ReadableStream arrives as an async iterator, and is not begun before it is read", async () => {
  let pulled = 0;
  const readable = () =>
    new ReadableStream<number>(
      {
        pull(controller) {
          if (pulled++ < 3) controller.enqueue(pulled);
          else controller.close();
        },
      },
      { highWaterMark: 0 },
    );
  const contract = defineContract({
    counts: method([], stream(z.number())),
    sum: method([stream(z.number())], z.number()),
  });
  const sum = async (numbers: AsyncIterableIterator<number>) => {
    expect(typeof numbers.next).toBe("function");
    return (await readAll(numbers)).length;
  };
  await using served = await contractPair(contract, { counts: readable, sum });
  const counts = await served.bound.counts();
  expect(pulled).toBe(0);
  expect(await readAll(counts)).toEqual([1, 2, 3]);
  pulled = 0;
  const unbound = served.unbound as unknown as { sum(stream: unknown): Promise<number> };
  expect(await unbound.sum(readable())).toBe(3);
  const locked = readable();
  locked.getReader();
  await expect(served.bound.sum(locked)).rejects.toMatchObject({ code: "unsupported-value", outcome: "not-sent" });
});

test("what a generator returns at last is left out", async () => {
  const contract = defineContract({ counts: method([], stream(z.number())) });
  const counts = async function* () {
    yield 1;
    return "secret";
  };
  await using served = await contractPair(contract, { counts });
  const unbound = (await served.unbound.counts()) as AsyncIterator<number>;
  await unbound.next();
  expect(await unbound.next()).toEqual({ done: true, value: undefined });
});

describe("items may be", () => {
  const account = defineContract({ number: method([], z.number()) });
  class Account extends ByReference {
    readonly #number: number;
    constructor(number: number) {
      super();
      this.#number = number;
    }
    number() {
      return this.#number;
    }
    secret() {
      return "hunter2";
    }
  }

  test("objects under a contract, both ways", async () => {
    const contract = defineContract({
      accounts: method([], stream(reference(account))),
      numbers: method([stream(reference(account))], z.array(z.number())),
    });
    const implementation = {
      accounts: () => of(new Account(1), new Account(2)),
      async numbers(accounts: AsyncIterable<{ number(): Promise<number> }>) {
        const numbers: number[] = [];
        for await (const one of accounts) numbers.push(await one.number());
        return numbers;
      },
    };
    await using served = await contractPair(contract, implementation);
    const accounts = await served.bound.accounts();
    for (const number of [1, 2]) {
      using one = (await accounts.next()).value as Remote<Account>;
      expect(await one.number()).toBe(number);
      await expect(one.secret()).rejects.toMatchObject({ code: "not-exposed" });
    }
    await accounts.return?.();
    expect(await served.bound.numbers(of(new Account(3), new Account(4)))).toEqual([3, 4]);
  });

  test("functions, whose calls are validated", async () => {
    const contract = defineContract({ run: method([stream(callback([z.number()], z.string()))], z.array(z.string())) });
    const run = async (callbacks: AsyncIterable<(n: number) => Promise<string>>) => {
      const said: string[] = [];
      for await (const say of callbacks) said.push(await say(said.length));
      return said;
    };
    await using served = await contractPair(contract, { run });
    const say = (n: number) => `said ${n}`;
    expect(await served.bound.run(of(say, say))).toEqual(["said 0", "said 1"]);
    await expect(served.bound.run(of("no function" as never))).rejects.toMatchObject({ code: "invalid-argument" });
  });

  test("streams", async () => {
    const contract = defineContract({ rows: method([], stream(stream(z.number()))) });
    await using served = await contractPair(contract, { rows: () => of(of(1, 2), of(3)) });
    const rows: number[][] = [];
    for await (const row of await served.bound.rows()) rows.push(await readAll(row));
    expect(rows).toEqual([[1, 2], [3]]);
  });

  test("no references where the contract has data", async () => {
    const contract = defineContract({ any: method([stream(z.unknown())], z.number()) });
    const any = async (values: AsyncIterable<unknown>) => (await readAll(values)).length;
    await using served = await contractPair(contract, { any });
    expect(await served.unbound.any(of({ a: 1 }))).toBe(1);
    await expect(served.unbound.any(of(() => 1))).rejects.toMatchObject({ code: "invalid-argument" });
  });
});

test("a check that fails by mistake is reported where it is, and the peer is told no more than that", async () => {
  const broken = z.number().refine(() => {
    throw new Error("the schema is broken");
  });
  const contract = defineContract({ counts: method([], stream(broken)) });
  await using served = await contractPair(contract, { counts: () => of(1) });
  const { error } = await failing((await served.unbound.counts()) as AsyncIterable<unknown>);
  expect(error).toMatchObject({ code: "internal", outcome: "executed", message: expect.not.stringMatching(/broken/) });
  expect(served.pair.takeReported().service).toEqual([expect.objectContaining({ message: "the schema is broken" })]);
  const read = defineContract({ read: method([stream(broken)]) });
  await using reader = await contractPair(read, { read: async (counts) => void (await readAll(counts)) });
  await expect(reader.bound.read(of(1))).rejects.toMatchObject({ message: expect.not.stringMatching(/broken/) });
});
