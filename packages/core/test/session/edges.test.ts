import { describe, expect, test } from "vitest";
import { ManualClock, turns } from "../../../conformance/src/index.ts";
import { memoryTransport } from "../../../transports/src/index.ts";
import { currentCall, withOptions } from "../../src/index.ts";
import { leakCheckedPair } from "./pairs.ts";
import { helloLimits, RawPeer } from "./raw-peer.ts";
import { gate, until } from "./waiting.ts";

const front = { add: (a: number, b: number) => a + b, context: () => ({ ...currentCall().context }) };

describe("what a caller may ask for without losing its session", () => {
  test("any timeout, however long", async () => {
    await using pair = await leakCheckedPair(front);
    for (const timeoutMs of [2 ** 31, 2 ** 53, 1e300, Number.MAX_VALUE]) {
      expect(await withOptions(pair.front, { timeoutMs }).add(5, 3)).toBe(8);
    }
  });

  test.each([
    ["a value of 2,000 bytes", { key: "x".repeat(2_000) }],
    ["a key of 2,000 bytes", { ["x".repeat(2_000)]: "value" }],
    ["100 entries", Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`key${i}`, "value"]))],
  ])("a context with %s is refused, not-sent", async (_what, context) => {
    await using pair = await leakCheckedPair(front);
    await expect(withOptions(pair.front, { context }).add(5, 3)).rejects.toMatchObject({ outcome: "not-sent" });
    expect(await pair.front.add(5, 3)).toBe(8);
  });

  test("a context of 64 entries arrives, and one with a text of 1,024 bytes", async () => {
    await using pair = await leakCheckedPair(front);
    const many = Array.from({ length: 63 }, (_, i) => [`key${i}`, `value ${i}`]);
    const context = { ...Object.fromEntries(many), long: "é".repeat(512) };
    expect(await withOptions(pair.front, { context }).context()).toEqual(context);
  });

  test("a method's name of more than 256 bytes is refused", async () => {
    await using pair = await leakCheckedPair(front as typeof front & Record<string, () => void>);
    for (const name of ["x".repeat(257), "é".repeat(200), "\u{1f600}".repeat(5_000)]) {
      await expect(pair.front[name]?.()).rejects.toMatchObject({ code: "invalid-argument", outcome: "not-sent" });
    }
    expect(await pair.front.add(5, 3)).toBe(8);
  });

  test("a published name of more than 256 bytes is refused", async () => {
    await using pair = await leakCheckedPair(front);
    await expect(pair.connection.lookup("x".repeat(257))).rejects.toMatchObject({
      code: "invalid-argument",
      outcome: "not-sent",
    });
    expect(await pair.front.add(5, 3)).toBe(8);
  });

  test("names cut in the middle of a character travel", async () => {
    const name = `a${"\u{1f600}".repeat(40)}`;
    const odd = { [name]: () => 1 }[name] as () => number;
    await using pair = await leakCheckedPair({ call: (callback: () => number) => callback() });
    expect(await pair.front.call(odd)).toBe(1);
  });

  test("names with NUL and controls are names like others; a lone surrogate is refused", async () => {
    const names = ["a\0b", "\u001b[31m", "\u202e", " "];
    await using pair = await leakCheckedPair(Object.fromEntries(names.map((name) => [name, () => name])));
    for (const name of names) expect(await pair.front[name]?.()).toBe(name);
    await expect(pair.front["\ud800"]?.()).rejects.toMatchObject({ code: "invalid-argument", outcome: "not-sent" });
  });

  test("to close with a reason of any length", async () => {
    await using pair = await leakCheckedPair(front);
    pair.session.close("\u{1f600}".repeat(10_000));
    expect(await pair.connection.closed).toMatchObject({ code: "closed", by: "peer" });
  });
});

describe("a peer that announces limits of its own that nothing fits in", () => {
  const limits = helloLimits({ maxNodes: 1, maxDepth: 1, maxMessageBytes: 1 });

  test.each([
    ["is refused a method", (raw: RawPeer) => raw.call(1, 0, "nothing")],
    ["is told what a method threw", (raw: RawPeer) => raw.call(1, 0, "fail")],
    ["is told later what a method threw", (raw: RawPeer) => raw.call(1, 0, "failLater")],
    ["is told that a result does not fit", (raw: RawPeer) => raw.call(1, 0, "list")],
    ["is refused by a policy, later", (raw: RawPeer) => raw.call(1, 0, "denied")],
  ])("%s, and leaves nothing behind when it goes", async (_what, commit) => {
    const fronts = {
      fail: () => {
        throw new Error("x");
      },
      failLater: () => Promise.reject(new Error("x")),
      list: () => [[1, 2, 3], "x".repeat(100)],
      denied: () => {},
      add: (a: number, b: number) => a + b,
    };
    await using pair = await leakCheckedPair(fronts, {
      service: { authorize: [({ method }) => (method === "denied" ? Promise.resolve(false) : true)] },
    });
    await using raw = await RawPeer.connect(memoryTransport, pair.service.uri, { limits });
    await until(() => pair.service.sessions.size === 2);
    const [session] = [...pair.service.sessions].filter((candidate) => candidate !== pair.session);
    commit(raw);
    await until(() => session?.stats().callsIn === 1);
    await turns(3);
    raw.destroy();
    await session?.closed;
    await until(() => pair.service.sessions.size === 1);
    expect(await pair.front.add(5, 3)).toBe(8);
  });
});

describe("a peer that takes nothing", () => {
  test("is given up after limits.stallTimeoutMs when something waits to be sent", async () => {
    const clock = new ManualClock();
    const give = { give: () => new Uint8Array(1_000_000) };
    await using pair = await leakCheckedPair(give, { clock, service: { limits: { stallTimeoutMs: 4_000 } } });
    await using raw = await RawPeer.connect(memoryTransport, pair.service.uri);
    const [session] = [...pair.service.sessions].filter((candidate) => candidate !== pair.session);
    raw.pause();
    const before = clock.pendingTimers;
    raw.call(1, 0, "give");
    await until(() => clock.pendingTimers > before);
    clock.advance(3_999);
    expect(session?.state).toBe("open");
    clock.advance(1);
    expect(await session?.closed).toMatchObject({ code: "timeout", by: "network" });
    raw.resume();
    await raw.closed();
  });
});

describe("a peer that cancels all it calls", () => {
  test("never has more methods running than it may, though they ignore it", async () => {
    const door = gate();
    let running = 0;
    let most = 0;
    const busy = {
      async work(): Promise<void> {
        most = Math.max(most, ++running);
        await door.opened;
        running--;
      },
    };
    await using pair = await leakCheckedPair(busy, { service: { limits: { maxRunningCalls: 8, maxQueuedCalls: 8 } } });
    await using raw = await RawPeer.connect(memoryTransport, pair.service.uri);
    for (let id = 1; id <= 2_000; id++) {
      raw.call(id, 0, "work");
      raw.cancel(id);
    }
    const [session] = [...pair.service.sessions].filter((candidate) => candidate !== pair.session);
    await until(() => session?.stats().callsIn === 2_000);
    expect(most).toBe(8);
    door.open();
    await until(() => running === 0);
  });
});
