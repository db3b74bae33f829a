/** What a session does for a peer that asks faster than it reads: it waits, and its memory with it. */
import { describe, expect, test } from "vitest";
import { ManualClock } from "../../../conformance/src/index.ts";
import { type Limits, withOptions } from "../../src/index.ts";
import { ByteWriter } from "../../src/wire/byte-writer.ts";
import { frame } from "../../src/wire/frames.ts";
import { rawClient } from "../limits/worlds.ts";
import { leakCheckedPair, tcp } from "./pairs.ts";
import { callPayload } from "./raw-peer.ts";
import { failureOf, gate, until } from "./waiting.ts";

class Store {
  begun = 0;
  readonly door = gate();

  give(length: number): string {
    this.begun++;
    return "x".repeat(length);
  }

  async giveLater(length: number): Promise<string> {
    this.begun++;
    await this.door.opened;
    return "x".repeat(length);
  }

  count(): number {
    return this.begun;
  }

  size(bytes: Uint8Array): number {
    return bytes.length;
  }

  echo(bytes: Uint8Array): Uint8Array {
    return bytes;
  }

  async echoLater(bytes: Uint8Array): Promise<Uint8Array> {
    await Promise.resolve();
    return bytes;
  }
}

async function asked(limits: Partial<Limits>, clock?: ManualClock) {
  const store = new Store();
  const front = {
    give: (length: number) => store.give(length),
    giveLater: (length: number) => store.giveLater(length),
    size: (bytes: Uint8Array) => store.size(bytes),
  };
  const world = await rawClient(front, clock ? { limits, clock } : { limits });
  return Object.assign(world, { store });
}

/** A header and a number. */
const cancelBytes = 5;

const small = { maxSendBufferBytes: 400_000 };

describe("a peer that asks for more than it reads", () => {
  test("has no further calls begun until it reads on, and gets everything then", async () => {
    await using world = await asked(small);
    world.raw.pause();
    for (let id = 1; id <= 200; id++) world.raw.call(id, 0, "give", [50_000]);
    await until(() => world.session.stats().callsIn === 200);
    await world.othersAreWell();
    expect(world.store.begun).toBeLessThan(10);
    world.raw.resume();
    for (let id = 1; id <= 200; id++) await world.raw.next(frame.result);
    expect(world.store.begun).toBe(200);
    expect(world.session.state).toBe("open");
  });

  test("has results of running calls wait, and gets them all", async () => {
    await using world = await asked(small);
    world.raw.pause();
    for (let id = 1; id <= 100; id++) world.raw.call(id, 0, "giveLater", [50_000]);
    await until(() => world.store.begun === 100);
    world.store.door.open();
    await world.othersAreWell();
    expect(world.session.stats().runningCalls).toBeGreaterThan(80);
    world.raw.resume();
    for (let id = 1; id <= 100; id++) await world.raw.next(frame.result);
    await until(() => world.session.stats().runningCalls === 0);
    expect(world.session.state).toBe("open");
  });

  test("and takes nothing for stallTimeoutMs loses its session; what waited is dropped", async () => {
    const clock = new ManualClock();
    await using world = await asked({ ...small, stallTimeoutMs: 4_000 }, clock);
    world.raw.pause();
    for (let id = 1; id <= 100; id++) world.raw.call(id, 0, "giveLater", [50_000]);
    await until(() => world.store.begun === 100);
    world.store.door.open();
    await world.othersAreWell();
    clock.advance(4_000);
    expect(await world.session.closed).toMatchObject({ code: "timeout" });
    expect(world.session.stats()).toMatchObject({ runningCalls: 0 });
    world.raw.resume();
    await world.raw.closed();
  });

  test("may give up waiting: a call that was not begun never is", async () => {
    await using world = await asked(small);
    world.raw.pause();
    for (let id = 1; id <= 50; id++) world.raw.call(id, 0, "give", [50_000]);
    await until(() => world.session.stats().callsIn === 50);
    const { bytesIn } = world.session.stats();
    for (let id = 1; id <= 50; id++) world.raw.cancel(id);
    await until(() => world.session.stats().bytesIn === bytesIn + 50 * cancelBytes);
    const begun = world.store.begun;
    world.raw.resume();
    for (let id = begun + 1; id <= 50; id++) await world.raw.nextError();
    expect(world.store.begun).toBe(begun);
  });
});

test("calls that wait have room for so many bytes, whatever their number", async () => {
  const limits = { maxRunningCalls: 1, maxQueuedCalls: 100, maxMessageBytes: 50_000 };
  await using world = await asked(limits);
  world.raw.call(1, 0, "giveLater", [1]);
  for (let id = 2; id <= 10; id++) world.raw.call(id, 0, "size", [new Uint8Array(45_000)]);
  for (let id = 6; id <= 10; id++) {
    expect(await world.raw.nextError()).toMatchObject({
      callId: id,
      parts: ["overloaded", expect.any(String), "not-executed"],
    });
  }
  world.store.door.open();
  for (let id = 1; id <= 5; id++) await world.raw.nextResult();
});

test("calls whose rest comes while they wait have no more room than others", async () => {
  const limits = { maxRunningCalls: 8, maxQueuedCalls: 100, maxMessageBytes: 500_000 };
  await using world = await asked(limits);
  world.raw.beginCall(1, 0, "size", [new Uint8Array(100_000)]);
  for (let id = 2; id <= 8; id++) {
    const writer = new ByteWriter(new Uint8Array(256));
    callPayload(id, 0, "size", [new Uint8Array(450_000)])(writer);
    world.raw.sendLarge(frame.call, writer.written(), id);
  }
  for (let id = 6; id <= 8; id++) {
    expect(await world.raw.nextError()).toMatchObject({
      callId: id,
      parts: ["overloaded", expect.any(String), "not-executed"],
    });
  }
});

describe("a peer that has not said yet how far it has read a large answer", () => {
  async function halfWay(limits: Partial<Limits>, clock?: ManualClock) {
    const world = await asked(limits, clock);
    const frames = (wanted: number) => world.raw.frames.filter(({ kind }) => kind === wanted);
    const sentBytes = () => frames(frame.more).reduce((sum, { payload }) => sum + payload.length, 0);
    world.raw.call(1, 0, "give", [4_000_000]);
    await until(() => sentBytes() >= 1_048_576);
    return Object.assign(world, { frames, sentBytes });
  }

  test("is sent a mebibyte of it, and small answers beside it; then the rest", async () => {
    await using world = await halfWay({});
    for (let id = 2; id <= 50; id++) {
      world.raw.call(id, 0, "give", [id]);
      await until(() => world.frames(frame.result).length === id);
    }
    expect(world.sentBytes()).toBeLessThan(1_200_000);
    for (let pongs = 0; world.sentBytes() < 4_000_000 - 65_536; pongs++) {
      await until(() => world.frames(frame.ping).length > pongs);
      world.raw.send(frame.pong);
    }
  });

  test("and does not for stallTimeoutMs loses its session", async () => {
    const clock = new ManualClock();
    await using world = await halfWay({ stallTimeoutMs: 4_000 }, clock);
    clock.advance(3_000);
    for (let i = 0; i < 5; i++) world.raw.send(frame.pong);
    await until(() => world.sentBytes() >= 1_200_000);
    clock.advance(3_000);
    expect(world.session.state).toBe("open");
    clock.advance(1_000);
    expect(await world.session.closed).toMatchObject({ code: "timeout" });
  });
});

describe("an honest client over tcp", () => {
  test.each(["echo", "echoLater"] as const)("may have more in %s than any buffer holds", async (method) => {
    const limits = { maxSendBufferBytes: 1_000_000 };
    await using pair = await leakCheckedPair(new Store(), { service: { limits } }, tcp);
    const bytes = new Uint8Array(500_000).fill(7);
    const echoes = await Promise.all(Array.from({ length: 30 }, () => pair.front[method](bytes)));
    expect(echoes.every((echo) => echo.length === bytes.length && echo[499_999] === 7)).toBe(true);
  });

  test.each(["throw", "throwLater"] as const)("may hear of more errors of %s than any buffer holds", async (method) => {
    const thrown = () => Object.assign(new Error("large"), { data: new Uint8Array(500_000) });
    const front = {
      throw() {
        throw thrown();
      },
      throwLater: () => Promise.reject(thrown()),
    };
    const limits = { maxSendBufferBytes: 1_000_000 };
    await using pair = await leakCheckedPair(front, { service: { limits } }, tcp);
    const errors = await Promise.all(Array.from({ length: 30 }, () => failureOf(pair.front[method]())));
    for (const error of errors) expect(error).toMatchObject({ message: "large", outcome: "executed" });
  });

  test("may have answers that are larger than the buffer, several at once", async () => {
    const limits = { maxSendBufferBytes: 500_000 };
    await using pair = await leakCheckedPair(new Store(), { service: { limits } }, tcp);
    const sizes = await Promise.all(Array.from({ length: 5 }, () => pair.front.echo(new Uint8Array(2_000_000))));
    expect(sizes.map(({ length }) => length)).toEqual(new Array(5).fill(2_000_000));
  });

  test("may send more at once than any buffer holds", async () => {
    const limits = { maxSendBufferBytes: 1_000_000 };
    await using pair = await leakCheckedPair(new Store(), { service: { limits }, connection: { limits } }, tcp);
    const sizes = await Promise.all(Array.from({ length: 1_000 }, () => pair.front.size(new Uint8Array(50_000))));
    expect(new Set(sizes)).toEqual(new Set([50_000]));
  });

  test("that sends more than waiting calls have room for holds them back itself", async () => {
    const store = new Store();
    const limits = { maxRunningCalls: 1, maxQueuedCalls: 1_000, maxMessageBytes: 100_000 };
    await using pair = await leakCheckedPair(store, { service: { limits } }, tcp);
    const running = pair.front.giveLater(1);
    const sizes = Array.from({ length: 60 }, () => pair.front.size(new Uint8Array(90_000)));
    const cancelled = withOptions(pair.front, { signal: AbortSignal.abort() }).size(new Uint8Array(1));
    await expect(cancelled).rejects.toMatchObject({ outcome: "not-sent" });
    await until(() => store.begun === 1);
    store.door.open();
    expect(await running).toBe("x");
    expect(new Set(await Promise.all(sizes))).toEqual(new Set([90_000]));
  });
});
