/** What becomes of streams when their session ends, and how a service that drains waits for them. */
import { describe, expect, test } from "vitest";
import { ManualClock, turns } from "../../../conformance/src/index.ts";
import { byReference } from "../../src/index.ts";
import { leakCheckedPair, places, tcp } from "../session/pairs.ts";
import { failureOf, gate, until } from "../session/waiting.ts";
import { counting, faucet, readAll, upTo, watched } from "./support.ts";

describe.each(places)("over $place, when the session ends", ({ at }) => {
  test("who waits for an item is told, the producer's finally runs, and nothing is left", async () => {
    const { items, shut } = faucet<number>();
    const source = watched((i) => i);
    await using pair = await leakCheckedPair({ streams: () => ({ items, source }) }, {}, at);
    const streams = await pair.front.streams();
    const stalled = streams.source as AsyncIterableIterator<number>;
    await stalled.next();
    const waiting = [streams.items.next(), streams.items.next()];
    await turns(10);
    pair.session.close("enough");
    for (const one of waiting) {
      expect(await failureOf(one)).toMatchObject({ code: "closed", outcome: "unknown", message: /enough/ });
    }
    await until(() => source.ended === 1);
    expect(pair.connection.stats().openStreams + pair.session.stats().openStreams).toBe(0);
    shut();
  });
});

describe("what has come before the end of a session", () => {
  test("can still be read, and the end is told behind it, once", async () => {
    await using pair = await leakCheckedPair({ count: counting });
    const stream = await pair.front.count();
    await stream.next();
    await turns(20);
    await pair.connection.close();
    const items: number[] = [];
    const error = await failureOf(
      (async () => {
        for (;;) items.push((await stream.next()).value);
      })(),
    );
    expect(items.length).toBeGreaterThan(100);
    expect(items).toEqual(upTo(items.length).map((i) => i + 1));
    expect(error).toMatchObject({ code: "closed", outcome: "unknown" });
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  test("and its end, where that had come too", async () => {
    await using pair = await leakCheckedPair({ count: counting });
    const stream = await pair.front.count(5);
    await stream.next();
    await turns(20);
    await pair.connection.close();
    expect(await readAll(stream)).toEqual({ items: [1, 2, 3, 4], result: "done" });
  });
});

test("a lost connection ends streams both ways", async () => {
  const source = watched((i) => i);
  const read = gate<Error>();
  const front = {
    count: () => counting(),
    take(stream: AsyncIterable<number>) {
      const { items, shut } = faucet<number>();
      void failureOf(
        (async () => {
          for await (const _ of stream);
        })(),
      ).then((error) => {
        shut();
        read.open(error);
      });
      return items;
    },
  };
  await using pair = await leakCheckedPair(front, {}, tcp);
  const stream = await pair.front.count();
  await stream.next();
  await pair.front.take(source);
  await until(() => source.begun === 1);
  await pair.connection.close();
  expect(await read.opened).toMatchObject({ code: "closed", outcome: "unknown" });
  await until(() => source.ended === 1);
});

test("return() settles when the session ends before the producer has", async () => {
  const { items, shut } = faucet<number>();
  await using pair = await leakCheckedPair({ items: () => items });
  const stream = await pair.front.items();
  void stream.next();
  await turns(5);
  const over = stream.return?.();
  await pair.connection.close();
  expect(await over).toEqual({ done: true, value: undefined });
  shut();
});

test("streams of a session that has ended can be ended, and disposed, without harm", async () => {
  await using pair = await leakCheckedPair({ count: counting });
  const unread = await pair.front.count();
  const read = await pair.front.count();
  await read.next();
  await pair.connection.close();
  expect(await unread.return?.()).toEqual({ done: true, value: undefined });
  expect(await read.return?.()).toEqual({ done: true, value: undefined });
  expect(await unread.next()).toEqual({ done: true, value: undefined });
});

test("an unread stream of a session that has ended says so at the first step", async () => {
  await using pair = await leakCheckedPair({ count: counting });
  const stream = await pair.front.count();
  await pair.connection.close();
  expect(await failureOf(stream.next())).toMatchObject({ code: "closed" });
});

describe("a service that drains", () => {
  test("waits for the streams it produces", async () => {
    const { items, pour, shut } = faucet<number>();
    await using pair = await leakCheckedPair({ items: () => items, add: (a: number, b: number) => a + b });
    const stream = await pair.front.items();
    const first = stream.next();
    pour(1);
    await first;
    const drained = pair.service.drain();
    await expect(pair.front.add(5, 3)).rejects.toMatchObject({ code: "closed", outcome: "not-executed" });
    expect(pair.session.state).toBe("draining");
    pour(2);
    expect(await stream.next()).toEqual({ done: false, value: 2 });
    shut();
    expect(await stream.next()).toMatchObject({ done: true });
    await drained;
    expect(await pair.connection.closed).toMatchObject({ code: "drained" });
  });

  test("waits for those it reads, also when their call is answered", async () => {
    const read: number[] = [];
    const front = {
      take(stream: AsyncIterable<number>) {
        void (async () => {
          for await (const n of stream) read.push(n);
        })();
      },
    };
    await using pair = await leakCheckedPair(front);
    const { items, pour, shut } = faucet<number>();
    await pair.front.take(items);
    pour(1);
    await until(() => read.length === 1);
    const drained = pair.service.drain();
    pour(2);
    await until(() => read.length === 2);
    shut();
    await drained;
  });

  test("does not wait for those that nobody reads", async () => {
    await using pair = await leakCheckedPair({ ignore: (_: unknown) => {} });
    await pair.front.ignore(counting());
    await pair.service.drain();
  });

  test("waits no longer than it is told", async () => {
    const clock = new ManualClock();
    const { items, shut } = faucet<number>();
    await using pair = await leakCheckedPair({ items: () => items }, { clock });
    const stream = await pair.front.items();
    const next = failureOf(stream.next());
    await turns(5);
    const drained = pair.service.drain({ timeoutMs: 500 });
    await turns(5);
    expect(pair.session.state).toBe("draining");
    clock.advance(500);
    await drained;
    expect(await next).toMatchObject({ code: "closed" });
    shut();
  });
});

test("references in what was not read are the owner's again when the session ends", async () => {
  let disposed = 0;
  const make = () =>
    byReference({
      [Symbol.dispose]() {
        disposed++;
      },
    });
  const source = watched(make, 10);
  await using pair = await leakCheckedPair({ objects: () => source });
  const stream = (await pair.front.objects()) as AsyncIterableIterator<object>;
  await stream.next();
  await until(() => source.ended === 1);
  await pair.connection.close();
  await until(() => disposed === 10);
});
