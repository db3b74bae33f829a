/** Bounds: how many streams there may be, and what a peer that keeps to no bound gets. */
import { describe, expect, test } from "vitest";
import { collectGarbage, turns } from "../../../conformance/src/index.ts";
import { plainPlatform } from "../../src/index.ts";
import { frame } from "../../src/wire/frames.ts";
import { rawClient, rawServer } from "../limits/worlds.ts";
import { leakCheckedPair } from "../session/pairs.ts";
import { RawStream } from "../session/raw-peer.ts";
import { gate, until } from "../session/waiting.ts";
import { counting, readAll, watched } from "./support.ts";

type Numbers = AsyncIterableIterator<number>;
const few = { limits: { maxStreams: 3 } };

describe("maxStreams", () => {
  test.each([
    ["ours", { service: few }],
    ["the peer's", { connection: few }],
  ])("%s bounds the streams of one producer: one too many is refused before it is sent", async (_whose, options) => {
    await using pair = await leakCheckedPair(
      { make: (count: number) => Array.from({ length: count }, () => counting(2)) },
      options,
    );
    const streams = await pair.front.make(3);
    await expect(pair.front.make(1)).rejects.toMatchObject({
      code: "limit-exceeded",
      outcome: "executed",
      message: expect.stringMatching(/maxStreams is 3/),
    });
    expect(pair.session.stats().openStreams).toBe(3);
    for (const stream of streams) await readAll(stream);
    expect(await pair.front.make(3).then((made) => Promise.all(made.map(readAll)))).toHaveLength(3);
  });

  test("is for each direction apart", async () => {
    const front = {
      make: () => [counting(2), counting(2), counting(2)],
      read: (streams: AsyncIterator<number>[]) => Promise.all(streams.map(readAll)),
    };
    await using pair = await leakCheckedPair(front, { service: few, connection: few });
    const made = await pair.front.make();
    const read = pair.front.read([counting(2), counting(2), counting(2)] as never);
    await expect(pair.front.read([counting(2)] as never)).rejects.toMatchObject({
      code: "limit-exceeded",
      outcome: "not-sent",
    });
    expect(await read).toHaveLength(3);
    for (const stream of made) await readAll(stream);
  });

  test("a message refused for it opens none of its streams", async () => {
    await using pair = await leakCheckedPair(
      { make: (count: number) => Array.from({ length: count }, () => counting(2)) },
      { service: few },
    );
    await expect(pair.front.make(4)).rejects.toMatchObject({ code: "limit-exceeded" });
    expect(pair.session.stats().openStreams).toBe(0);
  });

  test("a cancelled stream counts until its producer has ended", async () => {
    const open = gate();
    const front = {
      async *wait() {
        yield 1;
        await open.opened;
      },
    };
    await using pair = await leakCheckedPair(front, { service: { limits: { maxStreams: 1 } } });
    const stream = await pair.front.wait();
    await stream.next();
    void stream.return?.();
    await turns(10);
    await expect(pair.front.wait()).rejects.toMatchObject({ code: "limit-exceeded" });
    open.open();
    await until(() => pair.session.stats().openStreams === 0);
    await (await pair.front.wait()).return?.();
  });

  test("dropped streams do not fail an honest program: the engine is asked to collect before", async () => {
    const platform = { ...plainPlatform, collectGarbage };
    const options = { connection: { limits: { maxStreams: 40 }, platform } };
    await using pair = await leakCheckedPair({ count: counting }, options);
    for (let i = 0; i < 200; i++) {
      await pair.front.count();
      if (i % 10 === 0) await turns(3);
    }
  });
});

describe("a consumer that keeps to no rule:", () => {
  const endless = () => {
    const source = watched((i) => i);
    return { front: { count: () => source }, source };
  };

  test.each<[what: string, stream: number, items: number, bytes: number]>([
    ["credit for a stream that was never sent", 2, 1, 1],
    ["credit for stream 0", 0, 1, 1],
    ["credit beyond all measure", 1, Number.MAX_SAFE_INTEGER, 1],
    ["bytes beyond all measure", 1, 1, Number.MAX_SAFE_INTEGER],
  ])("%s ends its session", async (_what, stream, items, bytes) => {
    const { front } = endless();
    await using world = await rawClient(front);
    world.raw.call(1, 0, "count");
    await world.raw.next(frame.result);
    world.raw.streamCredit(stream, items, bytes);
    expect(await world.raw.goodbye()).toMatchObject({ code: "protocol" });
    expect(await world.othersAreWell()).toBe(true);
  });

  test("cancelling a stream that was never sent ends its session", async () => {
    await using world = await rawClient({});
    world.raw.streamCancel(1);
    expect(await world.raw.goodbye()).toMatchObject({ code: "protocol" });
  });

  test("credit and cancels for a stream that has ended are ignored: they were on their way", async () => {
    await using world = await rawClient({ count: () => counting(1) });
    world.raw.call(1, 0, "count");
    await world.raw.next(frame.result);
    world.raw.streamCredit(1, 10, 10_000);
    await world.raw.next(frame.streamEnd);
    world.raw.streamCredit(1, 10, 10_000);
    world.raw.streamCancel(1);
    world.raw.call(2, 0, "add", [5, 3]);
    expect((await world.raw.nextResult()).value).toBe(8);
  });

  test("a stream cancelled twice, and one cancelled before any credit, is answered once", async () => {
    const { front, source } = endless();
    await using world = await rawClient(front);
    world.raw.call(1, 0, "count");
    await world.raw.next(frame.result);
    world.raw.streamCancel(1);
    world.raw.streamCancel(1);
    await world.raw.next(frame.streamEnd);
    await turns(5);
    expect(world.raw.frames).toEqual([]);
    expect(source.begun).toBe(0);
  });

  test("a reason that can't be read cancels all the same", async () => {
    const { front, source } = endless();
    await using world = await rawClient(front);
    world.raw.call(1, 0, "count");
    await world.raw.next(frame.result);
    world.raw.streamCredit(1, 1, 100);
    await world.raw.next(frame.streamItem);
    world.raw.send(frame.streamCancel, (writer) => {
      writer.varint(1);
      writer.u8(0xc1);
    });
    await world.raw.next(frame.streamEnd);
    expect(source.ended).toBe(1);
  });

  test("credit for items and none for bytes, or the other way round, brings nothing", async () => {
    const { front, source } = endless();
    await using world = await rawClient(front);
    world.raw.call(1, 0, "count");
    await world.raw.next(frame.result);
    world.raw.streamCredit(1, 10, 0);
    await turns(10);
    expect(source.asked).toBe(0);
    world.raw.streamCredit(1, 0, 1);
    await world.raw.next(frame.streamItem);
    await turns(10);
    expect(source.asked).toBe(1);
    world.raw.streamCancel(1);
    await world.raw.next(frame.streamEnd);
  });
});

describe("a producer that keeps to no rule:", () => {
  /** The raw server has answered a call with streams, and the first is read. */
  async function reading(streams: readonly number[] = [1]) {
    const world = await rawServer<{ items(): AsyncIterable<number>[] }>();
    const call = world.remote.items();
    await world.raw.nextCall();
    world.raw.result(
      1,
      streams.map((id) => new RawStream(id)),
    );
    const [stream] = (await call) as unknown as Numbers[];
    const first = stream?.next() as Promise<IteratorResult<number>>;
    first.catch(() => {});
    await world.raw.next(frame.streamCredit);
    return { ...world, stream: stream as Numbers, first };
  }

  test("more items than were granted end its session", async () => {
    await using world = await reading();
    for (let i = 0; i < 1_025; i++) world.raw.streamItem(1, i);
    expect(await world.raw.goodbye()).toMatchObject({ code: "protocol", message: expect.stringMatching(/granted/) });
    expect(await world.first).toEqual({ done: false, value: 0 });
    expect(await world.othersAreWell()).toBe(true);
  });

  test("more bytes than were granted end its session", async () => {
    await using world = await reading();
    const item = new Uint8Array(65_000);
    for (let i = 0; i < 10; i++) world.raw.streamItem(1, item);
    expect(await world.raw.goodbye()).toMatchObject({ code: "protocol", message: expect.stringMatching(/granted/) });
  });

  test.each<[what: string, send: (raw: Awaited<ReturnType<typeof reading>>["raw"]) => void]>([
    ["an item of a stream that was never sent", (raw) => raw.streamItem(9, 1)],
    ["an end of one", (raw) => raw.streamEnd(9)],
    ["an item of a stream that nobody has begun to read", (raw) => raw.streamItem(2, 1)],
    [
      "an item behind the end",
      (raw) => {
        raw.streamEnd(1);
        raw.streamItem(1, 1);
      },
    ],
  ])("%s ends its session", async (_what, send) => {
    await using world = await reading([1, 2]);
    send(world.raw);
    expect(await world.raw.goodbye()).toMatchObject({ code: "protocol" });
    expect(await world.othersAreWell()).toBe(true);
  });

  test.each<[what: string, ids: readonly number[]]>([
    ["the same stream twice", [3, 3]],
    ["one that is open already", [1]],
    ["one without a number", [0]],
  ])("%s fails the call that brings it", async (_what, ids) => {
    await using world = await reading();
    const call = world.remote.items();
    await world.raw.nextCall();
    world.raw.result(
      2,
      ids.map((id) => new RawStream(id)),
    );
    await expect(call).rejects.toMatchObject({ code: "protocol", outcome: "executed" });
    expect(await world.othersAreWell()).toBe(true);
    world.raw.streamEnd(1);
    await world.first;
    if (ids[0] === 3) await endUnread(world.raw, 3);
  });

  /** What was dropped is cancelled when the engine finds it. */
  async function endUnread(raw: Awaited<ReturnType<typeof reading>>["raw"], id: number): Promise<void> {
    raw.streamEnd(id);
    await turns(3);
  }

  test("more streams than there may be fail the call that brings them", async () => {
    await using world = await rawServer<{ items(): AsyncIterable<number>[] }>(few);
    const call = world.remote.items();
    await world.raw.nextCall();
    world.raw.result(
      1,
      [1, 2, 3, 4].map((id) => new RawStream(id)),
    );
    await expect(call).rejects.toMatchObject({ code: "limit-exceeded" });
    expect(world.connection.stats().openStreams).toBeLessThanOrEqual(3);
  });

  test("items of a cancelled stream are taken as far as they were granted", async () => {
    await using world = await reading();
    world.raw.streamItem(1, 0);
    await world.first;
    const over = world.stream.return?.();
    await world.raw.next(frame.streamCancel);
    for (let i = 0; i < 1_023; i++) world.raw.streamItem(1, i);
    world.raw.streamEnd(1, "over");
    expect(await over).toEqual({ done: true, value: "over" });
    expect(world.connection.state).toBe("open");
  });

  test("and no further: then its session ends", async () => {
    await using world = await reading();
    const over = world.stream.return?.();
    await world.raw.next(frame.streamCancel);
    for (let i = 0; i < 1_025; i++) world.raw.streamItem(1, i);
    expect(await world.raw.goodbye()).toMatchObject({ code: "protocol" });
    expect(await over).toEqual({ done: true, value: undefined });
  });

  test("an error that is no list fails its stream", async () => {
    await using world = await reading();
    world.raw.send(frame.streamError, (writer) => {
      writer.varint(1);
      writer.u8(0);
      writer.u8(0x01);
    });
    await expect(world.first).rejects.toMatchObject({ code: "protocol" });
    expect(world.connection.state).toBe("open");
  });

  test("an item without its flags ends its session", async () => {
    await using world = await reading();
    world.raw.send(frame.streamItem, (writer) => writer.varint(1));
    expect(await world.raw.goodbye()).toMatchObject({ code: "protocol" });
  });
});
