/** How far a producer runs ahead, and in which order things come. */
import { describe, expect, test } from "vitest";
import { turns } from "../../../conformance/src/index.ts";
import { memoryTransport } from "../../../transports/src/index.ts";
import { ByteReader } from "../../src/wire/byte-reader.ts";
import { frame } from "../../src/wire/frames.ts";
import { leakCheckedPair, places } from "../session/pairs.ts";
import { RawPeer, RawStream } from "../session/raw-peer.ts";
import { until } from "../session/waiting.ts";
import { counting, readAll, upTo, watched } from "./support.ts";

const kilobyte = new Uint8Array(1_024);
/** Items, and bytes, that one stream may be ahead of its consumer. */
const windowItems = 1_024;
const windowBytes = 512 * 1_024;

/** Lets everything happen that is going to happen. */
const settled = () => turns(50);

describe.each(places)("over $place,", ({ at }) => {
  test("a producer is not begun before somebody reads", async () => {
    const source = watched((i) => i);
    await using pair = await leakCheckedPair({ count: () => source }, {}, at);
    const stream = (await pair.front.count()) as AsyncIterableIterator<number>;
    await settled();
    expect(source.begun).toBe(0);
    await stream.next();
    expect(source.begun).toBe(1);
    await stream.return?.();
  });

  test.each([
    { what: "items", make: (i: number) => i as unknown, ahead: windowItems },
    { what: "bytes", make: () => kilobyte as unknown, ahead: windowBytes / 1_024 },
  ])(
    "a producer that outruns its consumer is suspended when its $what are granted no more",
    async ({ make, ahead }) => {
      const source = watched(make);
      await using pair = await leakCheckedPair({ count: () => source }, {}, at);
      const stream = (await pair.front.count()) as AsyncIterableIterator<unknown>;
      await stream.next();
      await until(() => source.asked > 0.9 * ahead);
      await settled();
      const { asked } = source;
      expect(asked).toBeLessThanOrEqual(1 + ahead);
      // A little is read: nothing more is granted for so little.
      for (let i = 0; i < 10; i++) await stream.next();
      await settled();
      expect(source.asked).toBe(asked);
      for (let i = 0; i < 0.6 * ahead; i++) await stream.next();
      await until(() => source.asked > asked + 0.4 * ahead);
      await settled();
      expect(source.asked).toBeLessThanOrEqual(1.7 * ahead);
      await stream.return?.();
    },
  );

  test("items large and small arrive in their order, and the end behind them", async () => {
    const sizes = [10, 70_000, 3, 200_000, 200_000, 65_536, 65_600, 0, 130_000];
    const front = {
      async *bytes() {
        for (const [i, size] of sizes.entries()) yield new Uint8Array(size).fill(i);
        return sizes.length;
      },
    };
    await using pair = await leakCheckedPair(front, {}, at);
    const { items, result } = await readAll(await pair.front.bytes());
    expect(items.map(({ length }) => length)).toEqual(sizes);
    expect(items.every((item, i) => item.every((byte) => byte === i))).toBe(true);
    expect(result).toBe(sizes.length);
  });
});

test("several items may be asked for before the first has come", async () => {
  await using pair = await leakCheckedPair({ count: counting });
  const stream = await pair.front.count(3_000);
  const steps = await Promise.all(upTo(3_001).map(() => stream.next()));
  expect(steps.slice(0, -1).map(({ value }) => value)).toEqual(upTo(3_000));
  expect(steps.at(-1)).toEqual({ done: true, value: "done" });
});

test("those who wait when a stream ends are told so", async () => {
  await using pair = await leakCheckedPair({ count: counting });
  const stream = await pair.front.count(1);
  const steps = await Promise.all([stream.next(), stream.next(), stream.next()]);
  expect(steps).toEqual([
    { done: false, value: 0 },
    { done: true, value: "done" },
    { done: true, value: undefined },
  ]);
});

test("a ReadableStream reads nothing ahead of its own", async () => {
  let pulled = 0;
  const source = () =>
    new ReadableStream(
      {
        pull(controller) {
          pulled++;
          controller.enqueue(kilobyte);
        },
      },
      { highWaterMark: 0 },
    );
  await using pair = await leakCheckedPair({ read: source });
  const stream = await pair.front.read();
  await settled();
  expect(pulled).toBe(0);
  const reader = stream.getReader();
  await reader.read();
  await until(() => pulled > 400);
  await settled();
  expect(pulled).toBeLessThanOrEqual(1 + windowBytes / 1_024);
  await reader.cancel();
});

test("one item may have more bytes than were granted, and the next waits for it", async () => {
  const large = new Uint8Array(3_000_000);
  const source = watched(() => large);
  await using pair = await leakCheckedPair({ read: () => source });
  const stream = (await pair.front.read()) as AsyncIterableIterator<Uint8Array>;
  expect((await stream.next()).value).toHaveLength(large.length);
  await settled();
  expect(source.asked).toBeLessThanOrEqual(2);
  expect((await stream.next()).value).toHaveLength(large.length);
  await stream.return?.();
});

test("what a generator returns may be larger than the credit: the stream is open until it was read", async () => {
  const front = {
    async *large() {
      yield 1;
      return new Uint8Array(3_000_000);
    },
  };
  await using pair = await leakCheckedPair(front);
  const [read, left] = [await pair.front.large(), await pair.front.large()];
  for (const stream of [read, left]) expect(await stream.next()).toEqual({ done: false, value: 1 });
  await settled();
  expect(pair.session.stats().openStreams).toBe(2);
  expect((await read.next()).value).toHaveLength(3_000_000);
  await left.return?.();
  await until(() => pair.session.stats().openStreams + pair.connection.stats().openStreams === 0);
});

test("what all streams exceed their credit by is bounded, and each goes on when others were read", async () => {
  const item = new Uint8Array(99_000);
  const sources = upTo(30).map(() => watched(() => item, 8));
  const limits = { maxMessageBytes: 100_000 };
  await using pair = await leakCheckedPair({ all: () => sources }, { connection: { limits } });
  const streams = (await pair.front.all()) as AsyncIterableIterator<Uint8Array>[];
  for (const stream of streams) await stream.next();
  await settled();
  // 16 MiB of credit for all of them, and sixteen messages.
  const sentBytes = sources.reduce((sum, { asked }) => sum + asked, 0) * item.length;
  expect(sentBytes).toBeLessThan(16 * 1_024 * 1_024 + 16 * 100_000 + 30 * 2 * item.length);
  const read = await Promise.all(streams.map((stream) => readAll(stream)));
  expect(read.map(({ items }) => items.length)).toEqual(streams.map(() => 7));
});

test("a stalled stream holds up nobody else", async () => {
  const front = { count: () => watched(() => kilobyte), add: (a: number, b: number) => a + b, until: counting };
  await using pair = await leakCheckedPair(front);
  const stalled = (await pair.front.count()) as AsyncIterableIterator<Uint8Array>;
  await stalled.next();
  await settled();
  expect(await pair.front.add(5, 3)).toBe(8);
  expect((await readAll(await pair.front.until(2_000))).items).toHaveLength(2_000);
  await stalled.return?.();
});

test("a producer waits for the channel, and keeps nothing that it can't send", async () => {
  const source = watched(() => kilobyte);
  await using pair = await leakCheckedPair({ count: () => source });
  await using raw = await RawPeer.connect(memoryTransport, pair.service.uri);
  raw.call(1, 0, "count");
  await raw.next(frame.result);
  raw.pause();
  raw.streamCredit(1, 1_000_000, 1_000_000_000);
  await until(() => source.asked > 100);
  await settled();
  const { asked } = source;
  // What the memory transport takes, and what is sent in a turn.
  expect(asked).toBeLessThan(600);
  await settled();
  expect(source.asked).toBe(asked);
  raw.resume();
  await until(() => source.asked > 2 * asked);
  raw.streamCancel(1);
  await raw.next(frame.streamEnd);
});

describe("credit on the wire", () => {
  const nextCredit = async (raw: RawPeer) => {
    const { payload } = await raw.next(frame.streamCredit);
    const reader = new ByteReader().at(payload, 0, payload.length);
    return { stream: reader.varint(), items: reader.varint(), bytes: reader.varint() };
  };

  test("is granted at the first step, and again when half of it is read", async () => {
    await using pair = await leakCheckedPair({
      async read(stream: AsyncIterable<number>) {
        let read = 0;
        for await (const _ of stream) read++;
        return read;
      },
    });
    await using raw = await RawPeer.connect(memoryTransport, pair.service.uri);
    raw.call(1, 0, "read", [new RawStream(7)]);
    expect(await nextCredit(raw)).toEqual({ stream: 7, items: windowItems, bytes: windowBytes });
    for (let i = 0; i < 511; i++) raw.streamItem(7, i);
    await settled();
    expect(raw.frames).toEqual([]);
    raw.streamItem(7, 511);
    expect(await nextCredit(raw)).toMatchObject({ stream: 7, items: windowItems / 2 });
    for (let i = 0; i < 5; i++) raw.streamItem(7, new Uint8Array(60_000));
    expect(await nextCredit(raw)).toMatchObject({ stream: 7, items: 5 });
    raw.streamEnd(7);
    expect((await raw.nextResult()).value).toBe(517);
  });
});
