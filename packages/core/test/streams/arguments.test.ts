/** Streams that are given to calls: the callee reads, and the caller produces. */
import { describe, expect, test } from "vitest";
import { leakCheckedPair, places } from "../session/pairs.ts";
import { counting, readAll, readableOf, readWhole, upTo, watched } from "./support.ts";

const front = {
  async sum(numbers: AsyncIterable<number>) {
    let sum = 0;
    for await (const n of numbers) sum += n;
    return sum;
  },
  async sums(...streams: AsyncIterable<number>[]) {
    return Promise.all(streams.map((stream) => front.sum(stream)));
  },
  async read(stream: ReadableStream<number>) {
    return readWhole(stream);
  },
  async firsts(input: { readonly list: readonly AsyncIterable<number>[] }) {
    const firsts: number[] = [];
    for (const stream of input.list) {
      for await (const n of stream) {
        firsts.push(n);
        break;
      }
    }
    return firsts;
  },
  async *doubled(numbers: AsyncIterable<number>) {
    for await (const n of numbers) yield 2 * n;
  },
  ignore(_stream: AsyncIterable<number>) {},
};

describe.each(places)("over $place, an argument", ({ at }) => {
  test("that iterates asynchronously is read by the method", async () => {
    await using pair = await leakCheckedPair(front, {}, at);
    expect(await pair.front.sum(counting(2_000))).toBe((2_000 * 1_999) / 2);
  });

  test("that is a ReadableStream arrives as one", async () => {
    await using pair = await leakCheckedPair(front, {}, at);
    expect(await pair.front.read(readableOf(upTo(300)))).toEqual(upTo(300));
  });

  test("may be one of several streams in a call", async () => {
    await using pair = await leakCheckedPair(front, {}, at);
    expect(await pair.front.sums(counting(10), counting(100), counting(1_000))).toEqual([45, 4_950, 499_500]);
  });

  test("may hold streams; each that the method breaks off is ended", async () => {
    await using pair = await leakCheckedPair(front, {}, at);
    const list = [watched((i) => i + 1), watched((i) => i + 2)];
    expect(await pair.front.firsts({ list })).toEqual([1, 2]);
    expect(list.map(({ begun, ended }) => [begun, ended])).toEqual([
      [1, 1],
      [1, 1],
    ]);
  });

  test("may be streamed back: both directions at once", async () => {
    await using pair = await leakCheckedPair(front, {}, at);
    const { items } = await readAll(await pair.front.doubled(counting(3_000)));
    expect(items).toEqual(upTo(3_000).map((n) => 2 * n));
  });
});

describe("an argument that is never read", () => {
  test("is not begun, and is freed when the callee drops it", async () => {
    await using pair = await leakCheckedPair(front);
    const source = watched((i) => i);
    await pair.front.ignore(source);
    await pair.assertEmpty();
    expect(source).toMatchObject({ begun: 0, ended: 0 });
  });

  test.each<
    [
      why: string,
      call: (remote: Record<string, (...args: unknown[]) => Promise<unknown>>, source: unknown) => Promise<unknown>,
    ]
  >([
    [
      "an argument beside it can't be sent",
      (remote, source) => remote["ignore"]?.(source, Symbol("no")) as Promise<unknown>,
    ],
    ["there is no such method", (remote, source) => remote["missing"]?.(source) as Promise<unknown>],
    [
      "the message is too large",
      (remote, source) => remote["ignore"]?.(source, "x".repeat(100_000)) as Promise<unknown>,
    ],
  ])("is its owner's again where %s", async (_why, call) => {
    await using pair = await leakCheckedPair(front, { service: { limits: { maxMessageBytes: 50_000 } } });
    const sources = [counting(3), readableOf([0, 1, 2])];
    await expect(call(pair.front as never, sources)).rejects.toMatchObject({ name: "RpcError" });
    expect(pair.connection.stats().openStreams).toBe(0);
    expect((sources[1] as ReadableStream).locked).toBe(false);
    expect(await pair.front.sums(...(sources as unknown as AsyncIterable<number>[]))).toEqual([3, 3]);
  });
});
