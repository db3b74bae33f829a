/** Streams that come back from calls: which values travel so, and what arrives. */
import { describe, expect, test } from "vitest";
import { ByReference, byReference, isRemote } from "../../src/index.ts";
import { leakCheckedPair, places } from "../session/pairs.ts";
import { counting, readAll, readableOf, readWhole, upTo } from "./support.ts";

class Log implements AsyncIterable<string> {
  async *[Symbol.asyncIterator]() {
    yield "first line";
    yield "second line";
  }
}

function* numbers() {
  yield 1;
  yield 2;
  return 3;
}

describe.each(places)("over $place, a result", ({ at }) => {
  test("that an async generator makes arrives item by item, and its end with what it returned", async () => {
    await using pair = await leakCheckedPair({ count: counting }, {}, at);
    const counted = await pair.front.count(2_500);
    expect(await readAll(counted)).toEqual({ items: upTo(2_500), result: "done" });
    expect(await counted.next()).toEqual({ done: true, value: undefined });
  });

  test("that is a ReadableStream arrives as one", async () => {
    await using pair = await leakCheckedPair({ read: () => readableOf(upTo(300)) }, {}, at);
    const stream = await pair.front.read();
    expect(stream).toBeInstanceOf(ReadableStream);
    expect(await readWhole(stream)).toEqual(upTo(300));
  });

  test("may hold streams at any depth, read in any order and at the same time", async () => {
    const front = {
      all: () => ({
        rows: counting(700),
        also: [new Map([["bytes", readableOf([Uint8Array.of(1), Uint8Array.of(2)])]])],
      }),
    };
    await using pair = await leakCheckedPair(front, {}, at);
    const { rows, also } = await pair.front.all();
    const bytes = also[0]?.get("bytes") as ReadableStream<Uint8Array>;
    const [whole, counted] = await Promise.all([readWhole(bytes), readAll(rows)]);
    expect(whole).toEqual([Uint8Array.of(1), Uint8Array.of(2)]);
    expect(counted.items).toEqual(upTo(700));
  });
});

describe("what iterates asynchronously travels as a stream:", () => {
  test.each<[what: string, make: () => unknown, items: unknown[], result: unknown]>([
    ["an async generator", () => counting(2), [0, 1], "done"],
    ["a generator that is not asynchronous", numbers, [1, 2], 3],
    ["an instance of a class", () => new Log(), ["first line", "second line"], undefined],
    ["a plain object", () => ({ [Symbol.asyncIterator]: () => counting(1) }), [0], "done"],
    [
      "an iterator that is no generator",
      () => {
        let i = 0;
        const next = () => Promise.resolve(i < 2 ? { done: false, value: i++ } : { done: true, value: "over" });
        return { next, [Symbol.asyncIterator]: () => ({ next }) };
      },
      [0, 1],
      "over",
    ],
    ["an iterator that is not asynchronous", () => ({ [Symbol.asyncIterator]: () => numbers() }), [1, 2], 3],
  ])("%s", async (_what, make, items, result) => {
    await using pair = await leakCheckedPair({ make: () => ({ stream: make() }) });
    const { stream } = (await pair.front.make()) as { stream: AsyncIterator<unknown> };
    expect(await readAll(stream)).toEqual({ items, result });
  });

  test("a stream named then, which nobody takes for a promise", async () => {
    // biome-ignore lint/suspicious/noThenProperty: that is what the test is about.
    await using pair = await leakCheckedPair({ make: () => ({ then: counting(1) }) });
    const { then } = (await pair.front.make()) as { then: AsyncIterator<unknown> };
    expect(await readAll(then)).toEqual({ items: [0], result: "done" });
  });

  test("what it brings is undefined, null and streams as it is", async () => {
    const front = {
      async *odd() {
        yield undefined;
        yield null;
        yield counting(3);
      },
    };
    await using pair = await leakCheckedPair(front);
    const odd = await pair.front.odd();
    expect(await odd.next()).toEqual({ done: false, value: undefined });
    expect(await odd.next()).toEqual({ done: false, value: null });
    const { value } = await odd.next();
    expect((await readAll(value as AsyncIterableIterator<number>)).items).toEqual([0, 1, 2]);
    expect(await odd.next()).toEqual({ done: true, value: undefined });
  });
});

describe("is not streamed:", () => {
  test("what carries a mark", async () => {
    class Table extends ByReference {
      name() {
        return "table";
      }
      [Symbol.asyncIterator] = counting;
    }
    const front = { table: () => new Table(), marked: () => byReference({ ...new Log(), name: () => "log" }) };
    await using pair = await leakCheckedPair(front);
    {
      using table = await pair.front.table();
      expect(isRemote(table)).toBe(true);
      expect(await table.name()).toBe("table");
    }
  });

  test("a function", async () => {
    const count = Object.assign(() => 5, { [Symbol.asyncIterator]: counting });
    await using pair = await leakCheckedPair({ count: () => count });
    using remote = await pair.front.count();
    expect(await remote()).toBe(5);
  });

  test("a locked stream, which is refused", async () => {
    const locked = readableOf([1]);
    locked.getReader();
    await using pair = await leakCheckedPair({ read: () => locked, take: (_: unknown) => {} });
    await expect(pair.front.read()).rejects.toMatchObject({
      code: "unsupported-value",
      outcome: "executed",
      message: expect.stringMatching(/locked/),
    });
    await expect(pair.front.take({ body: locked })).rejects.toMatchObject({
      code: "unsupported-value",
      outcome: "not-sent",
      message: expect.stringMatching(/args\[0\]\.body.*locked/),
    });
  });
});

describe("a stream that can be read once", () => {
  test.each<[what: string, make: () => object]>([
    ["a generator", () => counting(3)],
    ["a ReadableStream", () => readableOf([0, 1, 2])],
  ])("%s is not sent a second time while it is being sent, and may be afterwards", async (_what, make) => {
    const source = make();
    await using pair = await leakCheckedPair({ once: () => source, twice: () => [make(), source, source] });
    const first = (await pair.front.once()) as unknown as AsyncIterable<number>;
    await expect(pair.front.once()).rejects.toMatchObject({ code: "unsupported-value", outcome: "executed" });
    await expect(pair.front.twice()).rejects.toMatchObject({ message: expect.stringMatching(/result\[1\]/) });
    const items: number[] = [];
    for await (const item of first) items.push(item);
    expect(items).toEqual([0, 1, 2]);
    const again = (await pair.front.once()) as unknown as AsyncIterable<number>;
    for await (const item of again) items.push(item);
    expect(items).toEqual([0, 1, 2]);
  });

  test("an iterable that begins anew each time may be sent as often as one likes", async () => {
    const log = new Log();
    await using pair = await leakCheckedPair({ logs: () => [log, log] });
    const [first, second] = (await pair.front.logs()) as unknown as AsyncIterableIterator<string>[];
    expect(await first?.next()).toEqual({ done: false, value: "first line" });
    expect(await readAll(second as AsyncIterator<string>)).toMatchObject({ items: ["first line", "second line"] });
    expect(await first?.next()).toEqual({ done: false, value: "second line" });
    await first?.return?.();
  });
});
