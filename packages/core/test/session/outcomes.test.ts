import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { ManualClock, turns } from "../../../conformance/src/index.ts";
import { ByReference, currentCall, RpcError, withOptions } from "../../src/index.ts";
import { leakCheckedPair, places } from "./pairs.ts";
import { failureOf, gate, until } from "./waiting.ts";

class Thing extends ByReference {
  static disposed = 0;

  [Symbol.dispose](): void {
    Thing.disposed++;
  }
}

/** A front whose `wait` answers when the test says so, and tells when it was called and when it was cancelled. */
function waiter() {
  const door = gate<unknown>();
  const signals: AbortSignal[] = [];
  const front = {
    wait: () => {
      signals.push(currentCall().signal);
      return door.opened;
    },
    take: (_value: unknown) => "taken",
  };
  return { front, door, signals, called: () => until(() => signals.length > 0, "the call") };
}

describe.each(places)("over $place, a failed call says whether it ran:", ({ at }) => {
  test("not-sent when an argument can't be sent, and where", async () => {
    await using pair = await leakCheckedPair(waiter().front, {}, at);
    await expect(pair.front.take({ user: { onSave: new Thing(), id: Symbol("id") } })).rejects.toMatchObject({
      name: "RpcError",
      code: "unsupported-value",
      outcome: "not-sent",
      message: expect.stringContaining("args[0].user.id: "),
    });
    expect(pair.connection.stats().callsOut).toBe(0);
  });

  test("not-executed when there is no such method", async () => {
    await using pair = await leakCheckedPair<{ nothing(): void }>(waiter().front as never, {}, at);
    await expect(pair.front.nothing()).rejects.toMatchObject({ code: "not-exposed", outcome: "not-executed" });
  });

  test("executed when the method threw", async () => {
    await using pair = await leakCheckedPair({ fail: () => Promise.reject(new Error("no")) }, {}, at);
    await expect(pair.front.fail()).rejects.toMatchObject({ name: "RemoteError", outcome: "executed", message: "no" });
  });

  test("executed when its result can't be sent, and where", async () => {
    await using pair = await leakCheckedPair({ give: () => ({ list: [1, new WeakMap()] }) }, {}, at);
    await expect(pair.front.give()).rejects.toMatchObject({
      code: "unsupported-value",
      outcome: "executed",
      message: expect.stringContaining("result.list[1]: "),
    });
  });

  test("unknown when the connection goes in the middle of it", async () => {
    const { front, called, door } = waiter();
    await using pair = await leakCheckedPair(front, {}, at);
    const failure = failureOf(pair.front.wait());
    await called();
    pair.session.close("maintenance");
    expect(await failure).toMatchObject({
      code: "closed",
      outcome: "unknown",
      message: expect.stringMatching(/^closed: wait of \[remote .*\]: maintenance \(\d+ ms after the call\)$/),
    });
    door.open(undefined);
  });

  test("not-sent when the connection is closed already, or in the very turn of the call", async () => {
    const { front, signals } = waiter();
    await using pair = await leakCheckedPair(front, {}, at);
    const failure = failureOf(pair.front.wait());
    await pair.connection.close();
    expect(await failure).toMatchObject({ code: "closed", outcome: "not-sent" });
    expect(await failureOf(pair.front.wait())).toMatchObject({ code: "closed", outcome: "not-sent" });
    expect(signals).toEqual([]);
  });
});

describe("a timeout", () => {
  test("of a call that runs fails it with outcome unknown and aborts the method's signal", async () => {
    const clock = new ManualClock();
    const { front, signals, called, door } = waiter();
    await using pair = await leakCheckedPair(front, { clock });
    const failure = failureOf(withOptions(pair.front, { timeoutMs: 2_000 }).wait());
    await called();
    clock.advance(1_999);
    expect(pair.connection.stats().pendingCalls).toBe(1);
    clock.advance(1);
    expect(await failure).toMatchObject({
      name: "RpcError",
      code: "timeout",
      outcome: "unknown",
      message: expect.stringContaining("no answer within 2000 ms"),
    });
    await until(() => signals[0]?.aborted === true);
    expect(signals[0]?.reason).toBeInstanceOf(RpcError);
    expect(pair.connection.stats().pendingCalls).toBe(0);
    door.open("late");
  });

  test("travels as the time that is left: the method knows its deadline", async () => {
    const clock = new ManualClock(50_000);
    await using pair = await leakCheckedPair({ deadline: () => currentCall().deadline }, { clock });
    expect(await withOptions(pair.front, { timeoutMs: 2_000 }).deadline()).toBe(52_000);
    expect(await pair.front.deadline()).toBeUndefined();
    expect(await withOptions(pair.front, { timeoutMs: Number.POSITIVE_INFINITY }).deadline()).toBeUndefined();
  });

  test("aborts the method's signal at its own end too, when the caller can't be heard", async () => {
    const near = new ManualClock();
    const far = new ManualClock();
    const { front, signals, called, door } = waiter();
    await using pair = await leakCheckedPair(front, { connection: { clock: near }, service: { clock: far } });
    const call = withOptions(pair.front, { timeoutMs: 2_000 }).wait();
    await called();
    far.advance(2_000);
    expect(signals[0]?.aborted).toBe(true);
    expect(signals[0]?.reason).toMatchObject({ code: "timeout" });
    door.open("done after all");
    expect(await call).toBe("done after all");
    expect(near.pendingTimers).toBe(1);
  });

  test("before a call could begin fails it there: not-executed", async () => {
    const near = new ManualClock();
    const far = new ManualClock();
    const { front, called, door } = waiter();
    await using pair = await leakCheckedPair(front, {
      connection: { clock: near },
      service: { clock: far, limits: { maxRunningCalls: 1 } },
    });
    const first = pair.front.wait();
    await called();
    const second = failureOf(withOptions(pair.front, { timeoutMs: 1_000 }).take(5));
    await until(() => pair.session.stats().callsIn === 2);
    far.advance(1_000);
    door.open(1);
    expect(await first).toBe(1);
    expect(await second).toMatchObject({ code: "timeout", outcome: "not-executed" });
  });

  test.each([0, -1, Number.NaN])("of %d ms is refused when the view is made", async (timeoutMs) => {
    await using pair = await leakCheckedPair({ add: () => 0 });
    expect(() => withOptions(pair.front, { timeoutMs })).toThrow(
      expect.objectContaining({ code: "invalid-argument", outcome: "not-sent" }),
    );
  });

  test("that never comes leaves no timer behind", async () => {
    const clock = new ManualClock();
    await using pair = await leakCheckedPair({ add: (a: number, b: number) => a + b }, { clock });
    const before = clock.pendingTimers;
    const patient = withOptions(pair.front, { timeoutMs: 60_000 });
    expect(await Promise.all([patient.add(1, 2), patient.add(3, 4)])).toEqual([3, 7]);
    expect(clock.pendingTimers).toBe(before);
  });
});

describe("a signal", () => {
  test("aborted already refuses the call, which never leaves", async () => {
    await using pair = await leakCheckedPair(waiter().front);
    const reason = new Error("changed my mind");
    const failure = await failureOf(withOptions(pair.front, { signal: AbortSignal.abort(reason) }).take(5));
    expect(failure).toMatchObject({ code: "cancelled", outcome: "not-sent" });
    expect(failure.cause).toBe(reason);
    expect(pair.session.stats().callsIn).toBe(0);
  });

  test("aborted in the turn of the call takes it back before it leaves", async () => {
    await using pair = await leakCheckedPair(waiter().front);
    const controller = new AbortController();
    const failure = failureOf(withOptions(pair.front, { signal: controller.signal }).take(new Thing()));
    controller.abort("changed my mind");
    expect(await failure).toMatchObject({ code: "cancelled", outcome: "not-sent", cause: "changed my mind" });
    expect(await pair.front.take(1)).toBe("taken");
    expect(pair.session.stats().callsIn).toBe(1);
    expect(pair.connection.stats().exports).toBe(0);
  });

  test("aborted while the method runs fails the call as unknown and aborts the method's signal", async () => {
    const { front, signals, called, door } = waiter();
    await using pair = await leakCheckedPair(front);
    const controller = new AbortController();
    const failure = failureOf(withOptions(pair.front, { signal: controller.signal }).wait());
    await called();
    controller.abort(new Error("enough"));
    const error = await failure;
    expect(error).toMatchObject({ code: "cancelled", outcome: "unknown" });
    expect(error.cause).toMatchObject({ message: "enough" });
    await until(() => signals[0]?.aborted === true);
    expect(signals[0]?.reason).toMatchObject({ code: "cancelled" });
    door.open(undefined);
  });

  test("aborted while a large call is on its way cancels it: it never runs", async () => {
    await using pair = await leakCheckedPair(waiter().front);
    const controller = new AbortController();
    const failure = failureOf(withOptions(pair.front, { signal: controller.signal }).take(new Uint8Array(9_000_000)));
    await until(() => pair.session.stats().callsIn === 1);
    controller.abort();
    expect(await failure).toMatchObject({ code: "cancelled", outcome: "unknown" });
    expect(await pair.front.take(1)).toBe("taken");
  });

  test("aborted after the answer does nothing", async () => {
    await using pair = await leakCheckedPair(waiter().front);
    const controller = new AbortController();
    expect(await withOptions(pair.front, { signal: controller.signal }).take(1)).toBe("taken");
    controller.abort();
    await turns(2);
    expect(await pair.front.take(2)).toBe("taken");
  });

  test("that many calls share warns nobody and keeps no listener of a settled one", async () => {
    await using pair = await leakCheckedPair(waiter().front);
    const { signal } = new AbortController();
    const view = withOptions(pair.front, { signal });
    await Promise.all(Array.from({ length: 50 }, (_, i) => view.take(i)));
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  test("takes back a call that is held back", async () => {
    const { front, called, door } = waiter();
    await using pair = await leakCheckedPair(front, { service: { limits: { maxRunningCalls: 1, maxQueuedCalls: 1 } } });
    const running = pair.front.wait();
    await called();
    const queued = pair.front.take(new Thing());
    const controller = new AbortController();
    const held = failureOf(withOptions(pair.front, { signal: controller.signal }).take(new Thing()));
    controller.abort();
    expect(await held).toMatchObject({ code: "cancelled", outcome: "not-sent" });
    door.open(undefined);
    await Promise.all([running, queued]);
    expect(pair.session.stats().callsIn).toBe(2);
  });

  test("takes a queued call out of the far queue", async () => {
    const { front, called, door } = waiter();
    const taken: unknown[] = [];
    await using pair = await leakCheckedPair(
      { ...front, take: (value: unknown) => taken.push(value) },
      { service: { limits: { maxRunningCalls: 1 } } },
    );
    const running = pair.front.wait();
    await called();
    const controller = new AbortController();
    const queued = failureOf(withOptions(pair.front, { signal: controller.signal }).take(new Thing()));
    await until(() => pair.session.stats().callsIn === 2);
    const { bytesIn } = pair.session.stats();
    controller.abort();
    await until(() => pair.session.stats().bytesIn > bytesIn);
    expect(await queued).toMatchObject({ code: "cancelled", outcome: "unknown" });
    door.open(undefined);
    await running;
    expect(taken).toEqual([]);
  });
});

describe("a view with options", () => {
  test("keeps the options of the view it was made from, and adds its own", async () => {
    const clock = new ManualClock();
    await using pair = await leakCheckedPair(
      { seen: () => ({ deadline: currentCall().deadline, context: { ...currentCall().context } }) },
      { clock },
    );
    const timed = withOptions(pair.front, { timeoutMs: 500 });
    const both = withOptions(timed, { context: { trace: "abc" } });
    expect(await both.seen()).toEqual({ deadline: clock.now() + 500, context: { trace: "abc" } });
    expect(await pair.front.seen()).toEqual({ deadline: undefined, context: {} });
  });

  test("refuses a context that is not made of strings", async () => {
    await using pair = await leakCheckedPair({ seen: () => 0 });
    const view = withOptions(pair.front, { context: { count: 5 as unknown as string } });
    await expect(view.seen()).rejects.toMatchObject({ code: "invalid-argument", outcome: "not-sent" });
    expect(await pair.front.seen()).toBe(0);
  });

  test("refuses an option that there is not, with the names that there are", async () => {
    await using pair = await leakCheckedPair({ seen: () => 0 });
    const detail = "withOptions: there is no option timeout; there are timeoutMs, signal, idempotent, context";
    expect(() => withOptions(pair.front, { timeout: 5 } as object)).toThrow(
      expect.objectContaining({ code: "invalid-argument", outcome: "not-sent", detail }),
    );
  });

  test("of something that is no stub is refused", () => {
    expect(() => withOptions({}, {})).toThrow(expect.objectContaining({ code: "invalid-argument" }));
  });
});

describe("an answer that comes too late", () => {
  test("gives back the references it brings", async () => {
    Thing.disposed = 0;
    const { front, called, door } = waiter();
    await using pair = await leakCheckedPair(front);
    const controller = new AbortController();
    const failure = failureOf(withOptions(pair.front, { signal: controller.signal }).wait());
    await called();
    controller.abort();
    await failure;
    door.open([new Thing(), { nested: new Thing() }, () => {}]);
    await until(() => Thing.disposed === 2);
    await pair.assertEmpty();
  });

  test("as an error gives back what its data refers to", async () => {
    Thing.disposed = 0;
    const { front, called, door } = waiter();
    await using pair = await leakCheckedPair(front);
    const controller = new AbortController();
    const failure = failureOf(withOptions(pair.front, { signal: controller.signal }).wait());
    await called();
    controller.abort();
    await failure;
    door.fail(Object.assign(new Error("late"), { thing: new Thing() }));
    await until(() => Thing.disposed === 1);
    await pair.assertEmpty();
  });
});
