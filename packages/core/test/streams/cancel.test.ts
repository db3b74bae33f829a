/** Streams that nobody wants any more: the producer's `finally` runs, and nothing of them is left. */
import { describe, expect, test } from "vitest";
import { collectGarbage, type LeakCheckedPair, ManualClock, turns } from "../../../conformance/src/index.ts";
import { memoryTransport } from "../../../transports/src/index.ts";
import { byReference, currentCall, pipeline, withOptions } from "../../src/index.ts";
import { frame } from "../../src/wire/frames.ts";
import { leakCheckedPair, places } from "../session/pairs.ts";
import { RawPeer } from "../session/raw-peer.ts";
import { failureOf, gate, until } from "../session/waiting.ts";
import { counting, faucet, watched } from "./support.ts";

type Numbers = AsyncIterableIterator<number>;

/** Reads one item, and ends the stream in one of the ways there are. */
const ways: readonly (readonly [way: string, end: (stream: Numbers) => Promise<unknown>])[] = [
  [
    "break",
    async (stream) => {
      for await (const _ of stream) break;
    },
  ],
  [
    "a throw in the loop",
    async (stream) => {
      await expect(
        (async () => {
          for await (const _ of stream) throw new Error("enough");
        })(),
      ).rejects.toThrow("enough");
    },
  ],
  [
    "return()",
    async (stream) => {
      await stream.next();
      await stream.return?.();
    },
  ],
  [
    "throw()",
    async (stream) => {
      await stream.next();
      await expect(stream.throw?.(new Error("enough"))).rejects.toThrow("enough");
    },
  ],
  [
    "await using",
    async (stream) => {
      await using used = stream as Numbers & AsyncDisposable;
      await used.next();
    },
  ],
];

describe.each(places)("over $place,", ({ at }) => {
  test.each(ways)("%s runs the producer's finally, and waits for it", async (_way, end) => {
    const source = watched((i) => i);
    await using pair = await leakCheckedPair({ count: () => source }, {}, at);
    const stream = (await pair.front.count()) as Numbers;
    await end(stream);
    expect(source).toMatchObject({ begun: 1, ended: 1 });
    expect(await stream.next()).toEqual({ done: true, value: undefined });
    expect(pair.session.stats().openStreams + pair.connection.stats().openStreams).toBe(0);
  });

  test("a cancelled ReadableStream cancels the one it comes from, with the reason", async () => {
    const cancelled = gate<unknown>();
    const source = () =>
      new ReadableStream<number>({
        pull: (controller) => controller.enqueue(1),
        cancel: (reason) => cancelled.open(reason),
      });
    await using pair = await leakCheckedPair({ read: source }, {}, at);
    const reader = (await pair.front.read()).getReader();
    await reader.read();
    await reader.cancel({ why: "enough" });
    expect(await cancelled.opened).toEqual({ why: "enough" });
  });

  test("an argument that the method leaves is ended", async () => {
    const source = watched((i) => i);
    const front = {
      async first(numbers: AsyncIterable<number>) {
        for await (const n of numbers) return n;
        return undefined;
      },
    };
    await using pair = await leakCheckedPair(front, {}, at);
    expect(await pair.front.first(source)).toBe(0);
    expect(source.ended).toBe(1);
  });
});

describe("return(value)", () => {
  test("gives the producer's generator the value, and gets what it returns", async () => {
    const front = {
      async *count() {
        try {
          for (let i = 0; ; i++) yield i;
        } finally {
          // biome-ignore lint/correctness/noUnsafeFinally: what a generator returns at last is what return() gives.
          return "from finally";
        }
      },
      async *echo() {
        for (let i = 0; ; i++) yield i;
      },
    };
    await using pair = await leakCheckedPair(front);
    const stream = await pair.front.count();
    await stream.next();
    expect(await stream.return?.("ours")).toEqual({ done: true, value: "from finally" });
    const echo = await pair.front.echo();
    await echo.next();
    expect(await echo.return?.("ours")).toEqual({ done: true, value: "ours" });
  });

  test("rejects with what finally throws; the stream is over all the same", async () => {
    const front = {
      async *count() {
        try {
          for (let i = 0; ; i++) yield i;
        } finally {
          // biome-ignore lint/correctness/noUnsafeFinally: that is what the test is about.
          throw new RangeError("no way to end");
        }
      },
    };
    await using pair = await leakCheckedPair(front);
    const stream = await pair.front.count();
    await stream.next();
    expect(await failureOf(stream.return?.() as Promise<unknown>)).toMatchObject({
      remoteName: "RangeError",
      message: "no way to end",
    });
    expect(await stream.return?.(7)).toEqual({ done: true, value: 7 });
  });

  test("does not tell of what the producer threw before it heard of the end", async () => {
    const front = {
      async *few() {
        yield 1;
        throw new Error("beyond what anybody read");
      },
    };
    await using pair = await leakCheckedPair(front);
    for await (const item of await pair.front.few()) {
      expect(item).toBe(1);
      break;
    }
  });

  test("before the first step begins nothing, and ends an iterator that waits to be begun", async () => {
    const source = watched((i) => i);
    let returned = 0;
    const iterator = {
      next: () => Promise.resolve({ done: false, value: 1 }),
      return: () => Promise.resolve({ done: true, value: returned++ }),
      [Symbol.asyncIterator]() {
        return this;
      },
    };
    await using pair = await leakCheckedPair({ count: () => source, iterator: () => iterator });
    expect(await ((await pair.front.count()) as Numbers).return?.(5)).toEqual({ done: true, value: undefined });
    await ((await pair.front.iterator()) as unknown as Numbers).return?.();
    expect(source).toMatchObject({ begun: 0, ended: 0 });
    expect(returned).toBe(1);
  });

  test("settles what waits for items", async () => {
    const { items, shut } = faucet<number>();
    await using pair = await leakCheckedPair({ items: () => items });
    const stream = await pair.front.items();
    const waiting = [stream.next(), stream.next()];
    const over = stream.return?.();
    expect(await Promise.all(waiting)).toEqual([
      { done: true, value: undefined },
      { done: true, value: undefined },
    ]);
    shut();
    expect(await over).toEqual({ done: true, value: undefined });
  });
});

describe("a producer that is stuck", () => {
  const stuck = () => {
    const begun = gate();
    const open = gate();
    const ended = gate<AbortSignal>();
    const front = {
      async *wait() {
        const { signal } = currentCall();
        try {
          yield 1;
          begun.open();
          await open.opened;
        } finally {
          ended.open(signal);
        }
      },
    };
    return { front, begun: begun.opened, letGo: open.open, ended: ended.opened };
  };

  test("does not hold up who ends the stream for longer than a second; its signal fires at once", async () => {
    const clock = new ManualClock();
    const { front, begun, letGo, ended } = stuck();
    await using pair = await leakCheckedPair(front, { clock });
    const stream = await pair.front.wait();
    await stream.next();
    await begun;
    let isOver = false;
    const over = stream.return?.().then(() => {
      isOver = true;
    });
    await turns(20);
    expect(isOver).toBe(false);
    clock.advance(1_000);
    await over;
    // Its finally is still to come: the stream is open until then.
    expect(pair.session.stats().openStreams).toBe(1);
    letGo();
    expect((await ended).aborted).toBe(true);
    await pair.assertEmpty();
  });

  test("ends by itself where it heeds the signal", async () => {
    const ended = gate();
    const front = {
      async *wait() {
        const { signal } = currentCall();
        try {
          yield 1;
          await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
        } finally {
          ended.open();
        }
      },
    };
    await using pair = await leakCheckedPair(front);
    const stream = await pair.front.wait();
    for await (const _ of stream) break;
    await ended.opened;
  });
});

describe("a stream that is dropped", () => {
  const drop = async ({ front }: { readonly front: { count(): Promise<AsyncIterable<unknown>> } }, read: number) => {
    const stream = (await front.count()) as Numbers;
    for (let i = 0; i < read; i++) await stream.next();
  };

  test.each([
    [0, { begun: 0, ended: 0 }],
    [3, { begun: 1, ended: 1 }],
  ])("after %i items is ended when the engine finds it", async (read, state) => {
    const source = watched((i) => i);
    await using pair = await leakCheckedPair({ count: () => source });
    await drop(pair, read);
    await pair.assertEmpty();
    expect(source).toMatchObject(state);
  });

  test("gives the references in its unread items back", async () => {
    const objects = Array.from({ length: 20 }, (_, i) => byReference({ i: () => i }));
    await using pair = await leakCheckedPair({ count: () => watched((i) => objects[i % 20]) });
    await drop(pair, 2);
    await pair.assertEmpty();
    expect(pair.session.stats().exports).toBe(0);
  });

  test("is kept while somebody waits for its next item", async () => {
    const { items, pour, shut } = faucet<number>();
    await using pair = await leakCheckedPair({ items: () => items });
    const next = (await pair.front.items()).next();
    for (let i = 0; i < 5; i++) {
      collectGarbage();
      await turns(10);
    }
    expect(pair.connection.stats().openStreams).toBe(1);
    pour(5);
    expect(await next).toEqual({ done: false, value: 5 });
    shut();
  });
});

describe("the signal of a call", () => {
  test("goes on for the streams in its result: aborted, it ends them", async () => {
    const source = watched((i) => i);
    await using pair = await leakCheckedPair({ count: () => source });
    const controller = new AbortController();
    const stream = (await withOptions(pair.front, { signal: controller.signal }).count()) as Numbers;
    expect(await stream.next()).toEqual({ done: false, value: 0 });
    const reason = new Error("the page was left");
    controller.abort(reason);
    expect(await failureOf(stream.next())).toMatchObject({ code: "cancelled", outcome: "unknown", cause: reason });
    expect(await stream.next()).toEqual({ done: true, value: undefined });
    await until(() => source.ended === 1);
  });

  test.each<[until: string, ends: (pair: Pick<LeakCheckedPair<object>, "connection">) => Promise<unknown>]>([
    ["the producer has ended", (pair) => until(() => pair.connection.stats().openStreams === 0)],
    ["the session is over", (pair) => pair.connection.close()],
  ])("is told to who is busy with an item until %s", async (_until, ends) => {
    await using pair = await leakCheckedPair({ count: () => counting() });
    const controller = new AbortController();
    const stream = (await withOptions(pair.front, { signal: controller.signal }).count()) as Numbers;
    await stream.next();
    controller.abort();
    await ends(pair);
    expect(await failureOf(stream.next())).toMatchObject({ code: "cancelled" });
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  test("ends a stream that is taken after it has aborted", async () => {
    const source = watched((i) => i);
    await using pair = await leakCheckedPair({ count: () => source, take: (_: unknown) => {} });
    const controller = new AbortController();
    const step = withOptions(pipeline(pair.front), { signal: controller.signal }).count();
    // While another call depends on the step, nobody takes its result.
    expect(await failureOf(pipeline(pair.front).take(step))).toMatchObject({ code: "unsupported-value" });
    controller.abort();
    const stream = (await step) as Numbers;
    expect(await failureOf(stream.next())).toMatchObject({ code: "cancelled" });
    expect(source.begun).toBe(0);
  });

  test("fails what waits for an item, and a ReadableStream", async () => {
    const { items, shut } = faucet<number>();
    const endless = () => new ReadableStream<number>();
    await using pair = await leakCheckedPair({ both: () => ({ items, endless: endless() }) });
    const controller = new AbortController();
    const { items: stream, endless: readable } = await withOptions(pair.front, { signal: controller.signal }).both();
    const waiting = [stream.next(), readable.getReader().read()];
    await turns(5);
    controller.abort();
    for (const one of waiting) await expect(one).rejects.toMatchObject({ code: "cancelled" });
    shut();
  });

  test("is let go when the streams have ended", async () => {
    await using pair = await leakCheckedPair({ count: counting });
    const { signal } = new AbortController();
    let listeners = 0;
    const { addEventListener, removeEventListener } = signal;
    signal.addEventListener = (...args: unknown[]) => {
      listeners++;
      Reflect.apply(addEventListener, signal, args);
    };
    signal.removeEventListener = (...args: unknown[]) => {
      listeners--;
      Reflect.apply(removeEventListener, signal, args);
    };
    const stream = await withOptions(pair.front, { signal }).count(1);
    expect(listeners).toBe(1);
    for await (const _ of stream);
    expect(listeners).toBe(0);
  });
});

test("a stream in the answer to a call that was cancelled is ended", async () => {
  const source = watched((i) => i);
  const open = gate();
  const front = {
    async count() {
      await open.opened;
      return source;
    },
  };
  await using pair = await leakCheckedPair(front);
  const controller = new AbortController();
  const call = withOptions(pair.front, { signal: controller.signal }).count();
  await turns(5);
  controller.abort();
  await expect(call).rejects.toMatchObject({ code: "cancelled" });
  open.open();
  await pair.assertEmpty();
  expect(source.begun).toBe(0);
});

test("a reason that can't be sent keeps no stream from being cancelled", async () => {
  const source = watched((i) => i);
  await using pair = await leakCheckedPair({ count: () => source });
  const stream = (await pair.front.count()) as Numbers;
  await stream.next();
  await stream.return?.(Symbol("no"));
  expect(source.ended).toBe(1);
});

test("items that are on their way when a stream is cancelled are dropped, their references given back", async () => {
  const object = byReference({ name: () => "object" });
  await using pair = await leakCheckedPair({ objects: () => watched(() => object) });
  await using raw = await RawPeer.connect(memoryTransport, pair.service.uri);
  raw.call(1, 0, "objects");
  await raw.next(frame.result);
  raw.streamCredit(1, 10, 10_000);
  raw.streamCancel(1);
  await raw.next(frame.streamEnd);
  const stream = (await pair.front.objects()) as unknown as Numbers;
  await stream.next();
  await stream.return?.();
  await pair.assertEmpty();
});

describe("a call that is refused after its arguments were read", () => {
  test("ends the streams among them at once", async () => {
    const source = watched((i) => i);
    await using pair = await leakCheckedPair({ take: (_: unknown) => {} }, { service: { authorize: [() => false] } });
    await expect(pair.front.take(source)).rejects.toMatchObject({ code: "denied" });
    await until(() => pair.connection.stats().openStreams === 0);
    expect(source.begun).toBe(0);
  });
});
