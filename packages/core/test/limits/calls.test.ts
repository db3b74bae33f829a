/** `maxRunningCalls`, `maxQueuedCalls`, `maxPendingCalls` and `maxCallDepth` where the suite of sessions does not look. */
import { describe, expect, test } from "vitest";
import type { Remote } from "../../src/index.ts";
import { leakCheckedPair } from "../session/pairs.ts";
import { gate, until } from "../session/waiting.ts";
import { rawClient, rawServer } from "./worlds.ts";

/** Waits at a door, and notes how many do. */
function waitingRoom() {
  const door = gate();
  const seen = { running: 0, most: 0 };
  const front = {
    async wait(): Promise<string> {
      seen.most = Math.max(seen.most, ++seen.running);
      await door.opened;
      seen.running--;
      return "served";
    },
  };
  return { door, seen, front };
}

const few = { maxRunningCalls: 3, maxQueuedCalls: 2 };

describe("limits.maxRunningCalls and limits.maxQueuedCalls", () => {
  test("of the service take what they say from a peer that does not hold back, and refuse one more", async () => {
    const { door, seen, front } = waitingRoom();
    await using world = await rawClient(front, { limits: few });
    for (let id = 1; id <= 6; id++) world.raw.call(id, 0, "wait");
    expect(await world.raw.nextError()).toMatchObject({
      callId: 6,
      parts: ["overloaded", expect.stringContaining("limits.maxRunningCalls 3"), "not-executed"],
    });
    expect(seen).toEqual({ running: 3, most: 3 });
    expect(world.session.stats().runningCalls).toBe(3);
    expect(await world.othersAreWell()).toBe(true);
    door.open();
    for (let i = 1; i <= 5; i++) expect(await world.raw.nextResult()).toMatchObject({ value: "served" });
    expect(seen.most).toBe(3);
  });

  test("of a client bind the service that calls it back: it holds back the rest", async () => {
    const { door, seen, front } = waitingRoom();
    await using pair = await leakCheckedPair(
      { add: (a: number, b: number) => a + b },
      { clientFront: front, connection: { limits: few } },
    );
    const client = pair.session.front<typeof front>();
    const calls = Array.from({ length: 20 }, () => client.wait());
    await until(() => pair.connection.stats().callsIn === 5);
    expect(seen.running).toBe(3);
    expect(pair.session.stats()).toMatchObject({ pendingCalls: 20, callsOut: 5 });
    door.open();
    expect(await Promise.all(calls)).toEqual(calls.map(() => "served"));
    expect(seen.most).toBe(3);
  });

  test("of a client refuse one more of a server that does not hold back", async () => {
    const { door, seen, front } = waitingRoom();
    await using world = await rawServer({ limits: few, front });
    for (let id = 1; id <= 6; id++) world.raw.call(id, 0, "wait");
    expect(await world.raw.nextError()).toMatchObject({
      callId: 6,
      parts: ["overloaded", expect.stringContaining("limits.maxQueuedCalls 2"), "not-executed"],
    });
    expect(seen.running).toBe(3);
    expect(await world.othersAreWell()).toBe(true);
    door.open();
    for (let i = 1; i <= 5; i++) expect(await world.raw.nextResult()).toMatchObject({ value: "served" });
    expect(seen.most).toBe(3);
  });

  test("grow by the calls that the callee itself awaits of that peer, and by no more", async () => {
    const { door, seen, front } = waitingRoom();
    const asking = { ...front, ask: async (question: () => Promise<string>) => question() };
    await using world = await rawServer({ limits: { maxRunningCalls: 1, maxQueuedCalls: 1 }, front: asking });
    const awaited = (world.remote as Remote<{ hang(): string }>).hang();
    const { id } = await world.raw.nextCall();
    for (let call = 1; call <= 4; call++) world.raw.call(call, 0, "wait");
    expect(await world.raw.nextError()).toMatchObject({
      callId: 4,
      parts: ["overloaded", expect.any(String), "not-executed"],
    });
    expect(seen.running).toBe(2);
    world.raw.result(id, "hung");
    expect(await awaited).toBe("hung");
    door.open();
    for (let i = 1; i <= 3; i++) expect(await world.raw.nextResult()).toMatchObject({ value: "served" });
  });
});

describe("limits.maxPendingCalls", () => {
  test("of the service bounds its calls to one client, and not those to others", async () => {
    const { door, front } = waitingRoom();
    await using pair = await leakCheckedPair(
      { add: (a: number, b: number) => a + b },
      { clientFront: front, service: { limits: { maxPendingCalls: 4 } } },
    );
    const client = pair.session.front<typeof front>();
    const calls = Array.from({ length: 4 }, () => client.wait());
    await expect(client.wait()).rejects.toMatchObject({
      code: "overloaded",
      outcome: "not-sent",
      message: expect.stringContaining("4 calls are pending (limits.maxPendingCalls)"),
    });
    expect(await pair.front.add(5, 3)).toBe(8);
    door.open();
    await Promise.all(calls);
    expect(await client.wait()).toBe("served");
    expect(pair.connection.stats().callsIn).toBe(5);
  });

  test("counts what a server never answers, and leaves the program's other connections alone", async () => {
    await using world = await rawServer<{ work(): void }>({ limits: { maxPendingCalls: 4 } });
    const calls = Array.from({ length: 4 }, () => world.remote.work().catch((error: unknown) => error));
    await expect(world.remote.work()).rejects.toMatchObject({ code: "overloaded", outcome: "not-sent" });
    expect(await world.othersAreWell()).toBe(true);
    const { id } = await world.raw.nextCall();
    world.raw.result(id, undefined);
    expect(await calls[0]).toBeUndefined();
    const fifth = world.remote.work();
    for (let i = 0; i < 4; i++) world.raw.result((await world.raw.nextCall()).id, undefined);
    await fifth;
    expect(await Promise.all(calls)).toEqual([undefined, undefined, undefined, undefined]);
  });
});

describe("limits.maxCallDepth", () => {
  test("of a client refuses a call that a server claims to be one too deep, not-executed", async () => {
    await using world = await rawServer({
      limits: { maxCallDepth: 4 },
      front: { add: (a: number, b: number) => a + b },
    });
    world.raw.call(1, 0, "add", [5, 3], 4);
    expect(await world.raw.nextResult()).toMatchObject({ callId: 1, value: 8 });
    world.raw.call(2, 0, "add", [5, 3], 5);
    expect(await world.raw.nextError()).toMatchObject({
      callId: 2,
      parts: ["limit-exceeded", expect.stringContaining("limits.maxCallDepth is 4"), "not-executed"],
    });
    expect(await world.othersAreWell()).toBe(true);
  });

  test("of the service stops a peer that never counts from going further by what it calls back itself", async () => {
    const asks = { ask: async (question: (n: number) => Promise<number>, n: number) => question(n) };
    await using pair = await leakCheckedPair(asks, { service: { limits: { maxCallDepth: 3 } } });
    const down = async (n: number): Promise<number> => (n === 0 ? 0 : pair.front.ask(down as never, n - 1));
    expect(await down(2)).toBe(0);
    await expect(down(3)).rejects.toMatchObject({ code: "limit-exceeded" });
    expect(await down(2)).toBe(0);
  });
});
