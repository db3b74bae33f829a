import { describe, expect, test } from "vitest";
import { memoryTransport } from "../../../transports/src/index.ts";
import type { Remote } from "../../src/index.ts";
import { leakCheckedPair, places } from "./pairs.ts";
import { RawPeer } from "./raw-peer.ts";
import { gate } from "./waiting.ts";

describe.each(places)("a service that runs few calls at a time, over $place", ({ at }) => {
  test("gets all of fifty calls: the caller holds back what it doesn't take", async () => {
    let running = 0;
    let most = 0;
    const front = {
      async work(i: number): Promise<number> {
        most = Math.max(most, ++running);
        await new Promise((resolve) => setImmediate(resolve));
        running--;
        return i;
      },
    };
    await using pair = await leakCheckedPair(
      front,
      { service: { limits: { maxRunningCalls: 2, maxQueuedCalls: 2 } } },
      at,
    );
    const numbers = Array.from({ length: 50 }, (_, i) => i);
    expect(await Promise.all(numbers.map((i) => pair.front.work(i)))).toEqual(numbers);
    expect(most).toBe(2);
  });

  test("gets all of large ones that wait for each other, or for their answers to be read", async () => {
    const front = { echo: (bytes: Uint8Array) => bytes, echoLater: async (bytes: Uint8Array) => bytes };
    const limits = { maxRunningCalls: 2, maxQueuedCalls: 2, maxSendBufferBytes: 500_000 };
    await using pair = await leakCheckedPair(front, { service: { limits } }, at);
    const bytes = new Uint8Array(300_000);
    const calls = Array.from({ length: 12 }, (_, i) => pair.front[i % 2 ? "echo" : "echoLater"](bytes));
    for (const { length } of await Promise.all(calls)) expect(length).toBe(300_000);
  });

  test("gets them in their order", async () => {
    const seen: number[] = [];
    const front = {
      async work(i: number): Promise<void> {
        seen.push(i);
        await new Promise((resolve) => setImmediate(resolve));
      },
    };
    await using pair = await leakCheckedPair(
      front,
      { service: { limits: { maxRunningCalls: 1, maxQueuedCalls: 1 } } },
      at,
    );
    const numbers = Array.from({ length: 30 }, (_, i) => i);
    await Promise.all(numbers.map((i) => pair.front.work(i)));
    expect(seen).toEqual(numbers);
  });

  test("is not kept from answering by a call that calls back, again and again", async () => {
    const front = {
      async ask(question: (n: number) => number, depth: number): Promise<number> {
        return depth === 0 ? 0 : (await question(depth)) + depth;
      },
    };
    const limits = { maxRunningCalls: 1, maxQueuedCalls: 1 };
    await using pair = await leakCheckedPair(front, { service: { limits }, connection: { limits } }, at);
    const ask = (depth: number): Promise<number> => pair.front.ask((n) => ask(n - 1) as unknown as number, depth);
    expect(await ask(12)).toBe((12 * 13) / 2);
  });

  test("answers many callers that all call back at once", async () => {
    const front = { twice: async (f: (n: number) => Promise<number>, n: number) => (await f(n)) + (await f(n)) };
    const limits = { maxRunningCalls: 1, maxQueuedCalls: 1 };
    await using pair = await leakCheckedPair(front, { service: { limits }, connection: { limits } }, at);
    const numbers = Array.from({ length: 20 }, (_, i) => i);
    const doubled = await Promise.all(numbers.map((i) => pair.front.twice(async (n) => n * 10, i)));
    expect(doubled).toEqual(numbers.map((i) => i * 20));
  });
});

describe("a peer that does not hold back", () => {
  test("is refused as overloaded, not-executed, and keeps its session", async () => {
    const door = gate<string>();
    const started: number[] = [];
    const front = {
      wait(i: number) {
        started.push(i);
        return door.opened;
      },
    };
    await using pair = await leakCheckedPair(front, { service: { limits: { maxRunningCalls: 2, maxQueuedCalls: 2 } } });
    await using raw = await RawPeer.connect(memoryTransport, pair.service.uri);
    for (let i = 1; i <= 10; i++) raw.call(i, 0, "wait", [i]);
    for (let i = 5; i <= 10; i++) {
      expect(await raw.nextError()).toEqual({
        callId: i,
        isThrown: false,
        isStepBroken: false,
        areArgumentsUntouched: true,
        parts: ["overloaded", expect.stringContaining("limits.maxQueuedCalls 2"), "not-executed"],
      });
    }
    expect(started).toEqual([1, 2]);
    door.open("done");
    for (let i = 1; i <= 4; i++) expect(await raw.nextResult()).toMatchObject({ callId: i, value: "done" });
    expect(started).toEqual([1, 2, 3, 4]);
  });

  test("does not slow down others", async () => {
    const door = gate();
    const front = { wait: () => door.opened, add: (a: number, b: number) => a + b };
    await using pair = await leakCheckedPair(front, { service: { limits: { maxRunningCalls: 1, maxQueuedCalls: 1 } } });
    await using raw = await RawPeer.connect(memoryTransport, pair.service.uri);
    for (let i = 1; i <= 100; i++) raw.call(i, 0, "wait");
    expect(await pair.front.add(5, 3)).toBe(8);
    door.open();
  });

  test("and sends calls behind one whose rest never comes, is refused beyond the slots and the queue", async () => {
    const front = { add: (a: number, b: number) => a + b, take: (_bytes: Uint8Array) => {} };
    await using pair = await leakCheckedPair(front, { service: { limits: { maxRunningCalls: 1, maxQueuedCalls: 3 } } });
    await using raw = await RawPeer.connect(memoryTransport, pair.service.uri);
    raw.beginCall(1, 0, "take", [new Uint8Array(100_000)]);
    for (let i = 2; i <= 7; i++) raw.call(i, 0, "add", [i, i]);
    expect(await raw.nextError()).toMatchObject({
      callId: 6,
      parts: ["overloaded", expect.any(String), "not-executed"],
    });
    expect(await raw.nextError()).toMatchObject({ callId: 7 });
  });
});

describe("limits.maxPendingCalls", () => {
  test("refuses one call more, which never leaves", async () => {
    const door = gate();
    const front = { wait: () => door.opened };
    await using pair = await leakCheckedPair(front, { connection: { limits: { maxPendingCalls: 5 } } });
    const calls = Array.from({ length: 5 }, () => pair.front.wait());
    await expect(pair.front.wait()).rejects.toMatchObject({
      code: "overloaded",
      outcome: "not-sent",
      message: expect.stringContaining("limits.maxPendingCalls"),
    });
    expect(pair.connection.stats().pendingCalls).toBe(5);
    door.open();
    await Promise.all(calls);
    expect(pair.session.stats().callsIn).toBe(5);
  });
});

type Step = (left: number) => Promise<string>;

/** Goes down `left` calls, each made by the one before, by turns at the service and at the client. */
function chain() {
  const front = { down: async (left: number, back: Step): Promise<string> => (left === 0 ? "bottom" : back(left - 1)) };
  const start = (remote: Remote<typeof front>): Step => {
    const back: Step = async (left) => (left === 0 ? "bottom" : remote.down(left - 1, back));
    return (left) => remote.down(left, back);
  };
  return { front, start };
}

describe("a chain of calls within calls", () => {
  test.each([1, 30, 32])("%i deep runs through", async (depth) => {
    const { front, start } = chain();
    await using pair = await leakCheckedPair(front);
    expect(await start(pair.front)(depth)).toBe("bottom");
  });

  test("deeper than limits.maxCallDepth is stopped by whoever would go on", async () => {
    const { front, start } = chain();
    await using pair = await leakCheckedPair(front);
    await expect(start(pair.front)(33)).rejects.toMatchObject({
      name: "RemoteError",
      code: "limit-exceeded",
      message: expect.stringContaining("limits.maxCallDepth"),
    });
    expect(pair.session.stats().callsIn + pair.connection.stats().callsIn).toBe(33);
  });

  test("is bounded by the stricter of both ends", async () => {
    const { front, start } = chain();
    await using pair = await leakCheckedPair(front, { connection: { limits: { maxCallDepth: 4 } } });
    expect(await start(pair.front)(4)).toBe("bottom");
    await expect(start(pair.front)(5)).rejects.toMatchObject({ code: "limit-exceeded" });
  });

  test("is not counted for calls one after another", async () => {
    await using pair = await leakCheckedPair({ call: (f: () => number) => f() });
    for (let i = 0; i < 40; i++) expect(await pair.front.call(() => i)).toBe(i);
  });

  test("that a peer claims to be too deep is refused, not-executed", async () => {
    await using pair = await leakCheckedPair({ add: (a: number, b: number) => a + b });
    await using raw = await RawPeer.connect(memoryTransport, pair.service.uri);
    raw.call(1, 0, "add", [1, 2], 32);
    expect(await raw.nextResult()).toMatchObject({ callId: 1, value: 3 });
    raw.call(2, 0, "add", [1, 2], 33);
    expect(await raw.nextError()).toMatchObject({
      callId: 2,
      parts: ["limit-exceeded", expect.any(String), "not-executed"],
    });
  });
});

describe("limits.maxMessageBytes", () => {
  const limits = { maxMessageBytes: 100_000 };
  const front = {
    take: (text: string) => text.length,
    give: (length: number) => "x".repeat(length),
    add: (a: number, b: number) => a + b,
  };

  test("of the service refuses larger arguments at their sender", async () => {
    await using pair = await leakCheckedPair(front, { service: { limits } });
    await expect(pair.front.take("x".repeat(100_001))).rejects.toMatchObject({
      code: "limit-exceeded",
      outcome: "not-sent",
      message: expect.stringMatching(/take of \[remote .*100000 \(limits\.maxMessageBytes\)/),
    });
    expect(pair.session.stats().callsIn).toBe(0);
    expect(await pair.front.take("x".repeat(99_000))).toBe(99_000);
  });

  test("of the caller refuses larger results, which were executed", async () => {
    await using pair = await leakCheckedPair(front, { connection: { limits } });
    await expect(pair.front.give(100_001)).rejects.toMatchObject({ code: "limit-exceeded", outcome: "executed" });
    expect(await pair.front.give(99_000)).toHaveLength(99_000);
    expect(await pair.front.add(5, 3)).toBe(8);
  });

  test("of the caller refuses a larger error all the same, and says so", async () => {
    await using pair = await leakCheckedPair(
      { fail: () => Promise.reject(Object.assign(new Error("x".repeat(200_000)), { detail: "y".repeat(50_000) })) },
      { connection: { limits } },
    );
    await expect(pair.front.fail()).rejects.toMatchObject({ code: "limit-exceeded", outcome: "executed" });
  });

  test("counts a call that is held back as well", async () => {
    const door = gate();
    await using pair = await leakCheckedPair(
      { ...front, wait: () => door.opened },
      { service: { limits: { ...limits, maxRunningCalls: 1, maxQueuedCalls: 1 } } },
    );
    const calls = Array.from({ length: 3 }, () => pair.front.wait());
    await expect(pair.front.take("x".repeat(100_001))).rejects.toMatchObject({
      code: "limit-exceeded",
      outcome: "not-sent",
    });
    door.open();
    await Promise.all(calls);
  });
});
