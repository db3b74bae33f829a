/** Items that hold more than data: references, functions, streams; and streams that are passed on. */
import { describe, expect, test } from "vitest";
import { ManualClock, turns } from "../../../conformance/src/index.ts";
import {
  ByReference,
  byReference,
  connectionOf,
  isRemote,
  monitor,
  openConnection,
  type Remote,
  release,
  revoke,
} from "../../src/index.ts";
import { leakCheckedPair, memory, places } from "../session/pairs.ts";
import { failureOf, until } from "../session/waiting.ts";
import { counting, faucet, readAll, readableOf, readWhole, upTo, watched } from "./support.ts";

class Account extends ByReference {
  readonly #number: number;
  constructor(number: number) {
    super();
    this.#number = number;
  }
  number() {
    return this.#number;
  }
}

describe.each(places)("over $place, items may hold", ({ at }) => {
  test("objects by reference, which give their holds back", async () => {
    const accounts = upTo(50).map((i) => new Account(i));
    const front = {
      async *accounts() {
        for (const account of accounts) yield { account };
      },
    };
    await using pair = await leakCheckedPair(front, {}, at);
    const numbers: number[] = [];
    for await (const { account } of await pair.front.accounts()) {
      numbers.push(await account.number());
      account[Symbol.dispose]();
    }
    expect(numbers).toEqual(upTo(50));
    await until(() => pair.session.stats().exports === 0);
  });

  test("functions, called back while the stream runs", async () => {
    const front = {
      async sum(callbacks: AsyncIterable<() => number>) {
        let sum = 0;
        for await (const callback of callbacks) sum += await callback();
        return sum;
      },
    };
    await using pair = await leakCheckedPair(front, {}, at);
    async function* callbacks() {
      for (let i = 0; i < 20; i++) yield () => i;
    }
    expect(await pair.front.sum(callbacks())).toBe(190);
  });

  test("streams of either kind", async () => {
    const front = {
      async *nested() {
        for (let i = 1; i < 4; i++) yield [counting(i), readableOf(upTo(i))] as const;
      },
    };
    await using pair = await leakCheckedPair(front, {}, at);
    const lengths: number[] = [];
    for await (const [rows, bytes] of await pair.front.nested()) {
      lengths.push((await readAll(rows)).items.length, (await readWhole(bytes)).length);
    }
    expect(lengths).toEqual([1, 1, 2, 2, 3, 3]);
  });
});

test("an object that comes home in an item is itself", async () => {
  const front = {
    async *echo(objects: AsyncIterable<object>) {
      yield* objects;
    },
  };
  await using pair = await leakCheckedPair(front);
  const objects = [byReference({ a: () => 1 }), new Account(7)];
  async function* mine() {
    yield* objects;
  }
  const { items } = await readAll(await pair.front.echo(mine()));
  expect(items[0]).toBe(objects[0]);
  expect(items[1]).toBe(objects[1]);
});

test("one object in many items is one stub", async () => {
  const account = new Account(1);
  await using pair = await leakCheckedPair({ accounts: () => watched(() => account, 5) });
  const different = async () => {
    const { items } = await readAll((await pair.front.accounts()) as AsyncIterableIterator<unknown>);
    return [items.length, items.every(isRemote), new Set(items).size];
  };
  expect(await different()).toEqual([5, true, 1]);
});

test("items that are dropped unread give back what they hold", async () => {
  const source = watched((i) => ({ account: new Account(i), rows: counting() }), 100);
  await using pair = await leakCheckedPair({ all: () => source });
  const stream = (await pair.front.all()) as AsyncIterableIterator<unknown>;
  await stream.next();
  await until(() => source.ended === 1);
  await stream.return?.();
  await until(() => pair.connection.stats().openStreams <= 1);
});

describe("a stream that is passed on", () => {
  /** C produces, A relays, B reads. */
  async function relay(source: () => object) {
    const far = await leakCheckedPair({ items: source });
    const near = await leakCheckedPair({ items: () => far.front.items() as Promise<AsyncIterableIterator<unknown>> });
    return {
      far,
      near,
      async [Symbol.asyncDispose]() {
        await near[Symbol.asyncDispose]();
        await far[Symbol.asyncDispose]();
      },
    };
  }

  test("arrives whole, and ends", async () => {
    await using world = await relay(() => counting(3_000));
    const stream = await world.near.front.items();
    expect(await readAll(stream)).toEqual({ items: upTo(3_000), result: "done" });
  });

  test("arrives as a ReadableStream where it is one", async () => {
    await using world = await relay(() => readableOf(upTo(100)));
    const stream = (await world.near.front.items()) as unknown as ReadableStream;
    expect(stream).toBeInstanceOf(ReadableStream);
    expect(await readWhole(stream)).toEqual(upTo(100));
  });

  test("holds its producer back when it is not read", async () => {
    const source = watched((i) => i);
    await using world = await relay(() => source);
    const stream = await world.near.front.items();
    await stream.next();
    await until(() => source.asked > 1_500);
    await turns(100);
    expect(source.asked).toBeLessThanOrEqual(1 + 2 * 1_024 + 2);
    await stream.return?.();
    expect(source.ended).toBe(1);
  });

  test("fails as its producer fails", async () => {
    await using world = await relay(async function* () {
      yield 1;
      throw Object.assign(new RangeError("too far"), { by: 7 });
    });
    const stream = await world.near.front.items();
    await stream.next();
    expect(await failureOf(stream.next())).toMatchObject({
      remoteName: "RangeError",
      message: "too far",
      data: { by: 7 },
    });
  });

  test("fails as the connection it came by fails", async () => {
    const { items, pour, shut } = faucet<number>();
    await using world = await relay(() => items);
    const stream = await world.near.front.items();
    const first = stream.next();
    pour(1);
    await first;
    const next = failureOf(stream.next());
    await world.far.connection.close();
    expect(await next).toMatchObject({ name: "RpcError", code: "closed", outcome: "unknown" });
    shut();
  });

  test("is ended where it came from when it is never read", async () => {
    const source = watched((i) => i);
    await using world = await relay(() => source);
    await (await world.near.front.items()).return?.();
    await until(() => world.far.session.stats().openStreams === 0);
    expect(source.begun).toBe(0);
  });
});

test("a stream that comes home is read through the far side, and backpressure holds all the way", async () => {
  const source = watched((i) => i);
  // It stands still: `return()` waits for the producer, and for no second.
  const clock = new ManualClock();
  await using pair = await leakCheckedPair({ echo: (stream: AsyncIterable<number>) => stream }, { clock });
  const back = (await pair.front.echo(source)) as unknown as AsyncIterableIterator<number>;
  expect((await back.next()).value).toBe(0);
  await until(() => source.asked > 1_500);
  await turns(100);
  expect(source.asked).toBeLessThanOrEqual(1 + 2 * 1_024 + 2);
  await back.return?.();
  expect(source.ended).toBe(1);
});

test("streams of two connections of one program do not mix", async () => {
  await using pair = await leakCheckedPair({ count: counting });
  const channel = await memory.transport.dial(pair.service.uri, {});
  const other = (await openConnection(channel, { address: pair.service.uri })) as Remote<{ count: typeof counting }>;
  const [first, second] = await Promise.all([pair.front.count(700), other.count(900)]);
  const [a, b] = await Promise.all([readAll(first), readAll(second)]);
  expect([a.items.length, b.items.length]).toEqual([700, 900]);
  await connectionOf(other).close();
});

describe("what is said of a reference after its item has come holds though the item was not read:", () => {
  /** The peer's objects come home in items, and are given up before they are read. */
  test("an object of ours is ours still", async () => {
    const mine = byReference({ name: () => "mine" });
    const front = {
      async *echo(given: Remote<typeof mine>) {
        yield 0;
        yield given;
        release(given);
      },
    };
    await using pair = await leakCheckedPair(front);
    const stream = await pair.front.echo(mine as never);
    await stream.next();
    await until(() => pair.connection.stats().exports === 0);
    expect((await stream.next()).value).toBe(mine);
    await readAll(stream);
  });

  test("a signal that aborts meanwhile is aborted", async () => {
    const controller = new AbortController();
    const front = {
      async *signals() {
        yield 0;
        yield controller.signal;
        controller.abort("enough");
      },
    };
    await using pair = await leakCheckedPair(front);
    const stream = await pair.front.signals();
    await stream.next();
    await turns(20);
    const { value: signal } = (await stream.next()) as { value: AbortSignal };
    expect(signal).toMatchObject({ aborted: true, reason: "enough" });
    await readAll(stream);
  });

  test("an object that is revoked meanwhile is gone, and its monitor says so", async () => {
    const object = byReference({ name: () => "object" });
    const front = {
      async *objects() {
        yield 0;
        yield object;
        revoke(object);
      },
    };
    await using pair = await leakCheckedPair(front);
    const stream = await pair.front.objects();
    await stream.next();
    await turns(20);
    const { value: remote } = (await stream.next()) as { value: Remote<typeof object> };
    const down = new Promise((resolve) => void monitor(remote, resolve));
    expect(await down).toMatchObject({ reason: "disposed" });
    await readAll(stream);
  });
});

test("more items with references than are read ahead arrive all the same", async () => {
  const text = "x".repeat(2_000);
  const account = new Account(7);
  await using pair = await leakCheckedPair({ all: () => watched(() => ({ account, text }), 1_000) });
  const read = async () => {
    let count = 0;
    for await (const { account: remote } of (await pair.front.all()) as AsyncIterable<{ account: Remote<Account> }>) {
      if (count++ === 0) await turns(30);
      if (!isRemote(remote)) throw new Error("no stub");
    }
    return count;
  };
  expect(await read()).toBe(1_000);
});
