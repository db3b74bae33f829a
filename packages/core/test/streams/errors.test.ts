/** How streams fail: what the producer throws, what can't be sent, what can't be read. */
import { describe, expect, test } from "vitest";
import { memoryTransport } from "../../../transports/src/index.ts";
import { frame } from "../../src/wire/frames.ts";
import { rawServer } from "../limits/worlds.ts";
import { leakCheckedPair, places } from "../session/pairs.ts";
import { RawPeer, RawStream } from "../session/raw-peer.ts";
import { failureOf, until } from "../session/waiting.ts";
import { counting, readWhole, upTo } from "./support.ts";

/** The items before the error, and the error. */
async function failing(stream: AsyncIterable<unknown>): Promise<{ items: unknown[]; error: unknown }> {
  const items: unknown[] = [];
  try {
    for await (const item of stream) items.push(item);
  } catch (error) {
    return { items, error };
  }
  throw new Error("the stream ends without an error");
}

describe.each(places)("over $place,", ({ at }) => {
  test.each([0, 1, 1_500])("what a producer throws after %i items arrives behind them", async (count) => {
    const front = {
      async *fail() {
        for (let i = 0; i < count; i++) yield i;
        throw Object.assign(new RangeError("too far", { cause: new Error("inner") }), { code: "E_FAR", by: 7 });
      },
    };
    await using pair = await leakCheckedPair(front, {}, at);
    const stream = await pair.front.fail();
    const { items, error } = await failing(stream);
    expect(items).toEqual(upTo(count));
    expect(error).toMatchObject({
      name: "RemoteError",
      remoteName: "RangeError",
      message: "too far",
      code: "E_FAR",
      data: { by: 7 },
      outcome: "executed",
    });
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });
});

test("the error of a ReadableStream errors the one that arrives", async () => {
  const front = {
    read() {
      let i = 0;
      return new ReadableStream<number>({
        pull(controller) {
          if (i < 3) controller.enqueue(i++);
          else controller.error(new TypeError("torn"));
        },
      });
    },
  };
  await using pair = await leakCheckedPair(front);
  expect(await failureOf(readWhole(await pair.front.read()))).toMatchObject({
    remoteName: "TypeError",
    message: "torn",
  });
});

test.each<[thrown: string, make: () => unknown]>([
  ["a string", () => "just text"],
  ["undefined", () => undefined],
  ["an object", () => ({ why: 1 })],
])("%s that is thrown is in the error's data", async (_name, make) => {
  const front = {
    async *fail() {
      yield 1;
      throw make();
    },
  };
  await using pair = await leakCheckedPair(front);
  const { error } = await failing(await pair.front.fail());
  expect(error).toMatchObject({ remoteName: "" });
  expect((error as { data?: unknown }).data).toEqual(make());
});

test("a producer that can't be begun fails its stream", async () => {
  const front = {
    unbegun: () => ({
      [Symbol.asyncIterator]() {
        throw new Error("not today");
      },
    }),
  };
  await using pair = await leakCheckedPair(front);
  const streams = pair.front as unknown as Record<keyof typeof front, () => Promise<AsyncIterable<unknown>>>;
  expect((await failing(await streams.unbegun())).error).toMatchObject({ message: "not today" });
});

test.each<[made: string, iterator: unknown, message: string]>([
  ["next() gives a number", { next: () => Promise.resolve(5) }, "next() returned 5, not an object"],
  ["next() gives nothing", { next: () => undefined }, "next() returned undefined, not an object"],
  ["no iterator is made", null, "[Symbol.asyncIterator]() returned null, not an object"],
  ["no iterator but an object is made", {}, "[Symbol.asyncIterator]() returned an object without next()"],
])("a producer fails its stream when %s", async (_made, iterator, message) => {
  const items = { [Symbol.asyncIterator]: () => iterator } as AsyncIterable<unknown>;
  await using pair = await leakCheckedPair({ items: () => items });
  const stream = await pair.front.items();
  const { error } = await failing(stream);
  expect(error).toMatchObject({ remoteName: "TypeError", message });
  expect(await stream.next()).toEqual({ done: true, value: undefined });
});

describe("an item that can't be sent", () => {
  test.each<[what: string, make: () => unknown, code: string, detail: RegExp]>([
    ["a class instance", () => new (class Plain {})(), "unsupported-value", /item: an instance of Plain is not copied/],
    ["something in it", () => ({ a: [Symbol("s")] }), "unsupported-value", /item\.a\[0\]: symbols/],
    ["a large one", () => "x".repeat(60_000), "limit-exceeded", /maxMessageBytes/],
    ["a deep one", () => JSON.parse("[".repeat(80) + "]".repeat(80)), "limit-exceeded", /maxDepth/],
  ])("ends the stream, and the producer: %s", async (_what, make, code, detail) => {
    let ended = 0;
    const front = {
      async *items() {
        try {
          yield 1;
          yield make();
          yield 3;
        } finally {
          ended++;
        }
      },
    };
    await using pair = await leakCheckedPair(front, { connection: { limits: { maxMessageBytes: 50_000 } } });
    const { items, error } = await failing(await pair.front.items());
    expect(items).toEqual([1]);
    expect(error).toMatchObject({ name: "RpcError", code, outcome: "executed", detail: expect.stringMatching(detail) });
    await until(() => ended === 1);
  });

  test("and what a generator returns", async () => {
    const front = {
      // biome-ignore lint/correctness/useYield: it only returns.
      async *items() {
        return Symbol("no");
      },
    };
    await using pair = await leakCheckedPair(front);
    expect((await failing(await pair.front.items())).error).toMatchObject({ code: "unsupported-value" });
  });

  test("fails the argument's reader at the callee", async () => {
    const front = {
      async read(stream: AsyncIterable<unknown>) {
        const { error } = await failing(stream);
        return (error as { code?: string }).code;
      },
    };
    await using pair = await leakCheckedPair(front);
    async function* bad() {
      yield Symbol("no");
    }
    expect(await pair.front.read(bad())).toBe("unsupported-value");
  });
});

describe("what can't be read", () => {
  test("fails the stream alone, and the producer is told to end", async () => {
    await using world = await rawServer<{ items(): AsyncIterable<number> }>();
    const call = world.remote.items();
    await world.raw.nextCall();
    world.raw.result(1, new RawStream(1));
    const stream = await call;
    const first = stream.next();
    await world.raw.next(frame.streamCredit);
    world.raw.streamItem(1, 1);
    world.raw.send(frame.streamItem, (writer) => {
      writer.varint(1);
      writer.u8(0);
      writer.u8(0xc1);
    });
    expect(await first).toEqual({ done: false, value: 1 });
    expect(await failureOf(stream.next())).toMatchObject({ code: "protocol", outcome: "executed" });
    await world.raw.next(frame.streamCancel);
    world.raw.streamEnd(1);
    expect(await stream.next()).toEqual({ done: true, value: undefined });
    expect(world.connection.state).toBe("open");
    await until(() => world.connection.stats().openStreams === 0);
  });
});

describe("where errors are told to nobody", () => {
  test("a rejected next() that nobody waits for goes to onError", async () => {
    const front = {
      // biome-ignore lint/correctness/useYield: it only throws.
      async *fail() {
        throw new Error("unheard");
      },
    };
    await using pair = await leakCheckedPair(front);
    const stream = await pair.front.fail();
    void stream.next();
    await until(() => pair.reported.connection.length > 0);
    expect(pair.takeReported().connection).toEqual([expect.objectContaining({ message: "unheard" })]);
  });

  test("what finally throws when the session ends goes to onError of its side", async () => {
    const front = {
      async *count() {
        try {
          yield* counting();
        } finally {
          // biome-ignore lint/correctness/noUnsafeFinally: that is what the test is about.
          throw new Error("no way to end");
        }
      },
    };
    await using pair = await leakCheckedPair(front);
    const stream = await pair.front.count();
    await stream.next();
    await pair.connection.close();
    await until(() => pair.reported.service.length > 0);
    expect(pair.takeReported().service).toEqual([expect.objectContaining({ message: "no way to end" })]);
  });
});

describe("redaction", () => {
  test("is for what streams throw too", async () => {
    const front = {
      async *fail() {
        yield 1;
        throw new Error("the password is 1234");
      },
    };
    await using pair = await leakCheckedPair(front, { service: { redactErrors: true } });
    const { error } = await failing(await pair.front.fail());
    expect((error as Error).message).toMatch(/^internal error [0-9a-f]{12}$/);
    expect(pair.takeReported().service).toEqual([
      expect.objectContaining({ cause: new Error("the password is 1234") }),
    ]);
  });

  test("stacks stay where they are unless they are exposed", async () => {
    const front = {
      async *fail() {
        yield 1;
        throw new Error("here");
      },
    };
    await using kept = await leakCheckedPair(front);
    expect(((await failing(await kept.front.fail())).error as Error).stack).not.toMatch(
      /async.*fail|fail.*errors\.test/,
    );
    await using exposed = await leakCheckedPair(front, { service: { exposeStacks: true } });
    expect(((await failing(await exposed.front.fail())).error as Error).stack).toMatch(/fail/);
  });
});

test("a raw peer sees an error as it sees that of a call", async () => {
  const front = {
    async *fail() {
      yield* counting(1);
      throw new RangeError("too far");
    },
  };
  await using pair = await leakCheckedPair(front);
  await using raw = await RawPeer.connect(memoryTransport, pair.service.uri);
  raw.call(1, 0, "fail");
  await raw.next(frame.result);
  raw.streamCredit(1, 10, 1_000);
  const { payload } = await raw.next(frame.streamError);
  expect([...payload.subarray(0, 2)]).toEqual([1, 1]);
});
