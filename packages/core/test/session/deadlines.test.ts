import { describe, expect, test } from "vitest";
import { ManualClock } from "../../../conformance/src/index.ts";
import { byReference, currentCall, perCall, RemoteError, RpcError, withOptions } from "../../src/index.ts";
import { leakCheckedPair, places, tcp } from "./pairs.ts";
import { failureOf, gate, until } from "./waiting.ts";

class Slow {
  readonly released = gate();
  readonly signals: AbortSignal[] = [];
  disposed = 0;

  hello(): string {
    return "hello";
  }

  deadline(): number | undefined {
    return currentCall().deadline;
  }

  async work(): Promise<object> {
    this.signals.push(currentCall().signal);
    await this.released.opened;
    return byReference({ [Symbol.dispose]: () => this.disposed++ });
  }

  async fail(): Promise<void> {
    await this.released.opened;
    throw new Error("too late to be heard");
  }
}

function timed() {
  const clock = new ManualClock();
  return { clock, options: { clock, service: { callTimeoutMs: 100 } } };
}

describe.each(places)("a service with callTimeoutMs, over $place", ({ at }) => {
  test("answers timeout when a method takes longer, and aborts its signal", async () => {
    const slow = new Slow();
    const { clock, options } = timed();
    await using pair = await leakCheckedPair(slow, options, at);
    const work = failureOf(pair.front.work());
    await until(() => slow.signals.length === 1);
    clock.advance(99);
    expect(slow.signals[0]?.aborted).toBe(false);
    clock.advance(1);
    expect(await work).toMatchObject({ code: "timeout", outcome: "unknown" });
    expect(slow.signals[0]?.aborted).toBe(true);
    slow.released.open();
    await until(() => pair.session.stats().runningCalls === 0);
    expect(await pair.front.hello()).toBe("hello");
  });
});

describe("a caller's timeoutMs", () => {
  test("ends in the same error whichever side notices it first", async () => {
    const slow = {
      async work() {
        const { signal } = currentCall();
        return await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      },
    };
    await using pair = await leakCheckedPair(slow, {}, tcp);
    const calls = Array.from({ length: 20 }, (_, i) => failureOf(withOptions(pair.front, { timeoutMs: 5 + i }).work()));
    for (const call of await Promise.all(calls)) {
      expect(call).not.toBeInstanceOf(RemoteError);
      expect(call).toMatchObject({ code: "timeout", outcome: "unknown" });
    }
  });
});

describe("callTimeoutMs", () => {
  test("counts while policies decide and fronts are made: then the method never runs", async () => {
    const { clock, options } = timed();
    const never = new Promise<never>(() => {});
    const makers = [
      { front: perCall(() => never), service: options.service },
      { front: new Slow(), service: { ...options.service, authorize: [() => never] } },
    ];
    for (const { front, service } of makers) {
      await using pair = await leakCheckedPair<Slow>(front as Slow, { clock, service });
      const calls = [failureOf(pair.front.hello()), failureOf(pair.front.hello())];
      await until(() => pair.session.stats().runningCalls > 0);
      clock.advance(100);
      for (const call of calls) expect(await call).toMatchObject({ code: "timeout", outcome: "not-executed" });
      await until(() => pair.session.stats().runningCalls === 0);
    }
  });

  test("is the deadline a method sees, where the caller's is not nearer", async () => {
    const { clock, options } = timed();
    await using pair = await leakCheckedPair(new Slow(), options);
    const now = clock.now();
    expect(await pair.front.deadline()).toBe(now + 100);
    expect(await withOptions(pair.front, { timeoutMs: 50 }).deadline()).toBe(now + 50);
    expect(await withOptions(pair.front, { timeoutMs: 500 }).deadline()).toBe(now + 100);
  });

  test("drops what comes late: results hold nothing, errors are not heard", async () => {
    const slow = new Slow();
    const { clock, options } = timed();
    await using pair = await leakCheckedPair(slow, options);
    const calls = [failureOf(pair.front.work()), failureOf(pair.front.fail())];
    await until(() => pair.session.stats().runningCalls === 2);
    clock.advance(100);
    for (const call of await Promise.all(calls)) expect(call).toBeInstanceOf(RpcError);
    slow.released.open();
    await until(() => pair.session.stats().runningCalls === 0);
    expect(pair.session.stats().exports).toBe(0);
  });

  test("leaves a method its slot until it is done, so that the limit on running calls holds", async () => {
    const slow = new Slow();
    const { clock, options } = timed();
    const service = { ...options.service, limits: { maxRunningCalls: 1 } };
    await using pair = await leakCheckedPair(slow, { clock, service });
    const work = failureOf(pair.front.work());
    await until(() => slow.signals.length === 1);
    clock.advance(100);
    await work;
    const queued = failureOf(pair.front.hello());
    await until(() => pair.session.stats().callsIn === 2);
    clock.advance(100);
    slow.released.open();
    expect(await queued).toMatchObject({ code: "timeout", outcome: "not-executed" });
    expect(await pair.front.hello()).toBe("hello");
  });

  test("is audited once, as permitted, with its code", async () => {
    const slow = new Slow();
    const { clock, options } = timed();
    const entries: unknown[] = [];
    const service = { ...options.service, audit: (entry: unknown) => entries.push(entry) };
    await using pair = await leakCheckedPair(slow, { clock, service });
    const work = failureOf(pair.front.work());
    await until(() => slow.signals.length === 1);
    clock.advance(100);
    await work;
    slow.released.open();
    await until(() => pair.session.stats().runningCalls === 0);
    expect(entries).toMatchObject([{ method: "work", permitted: true, code: "timeout" }]);
  });

  test.each([0, -1, Number.NaN])("of %s is refused when the service is started", async (callTimeoutMs) => {
    await expect(leakCheckedPair(new Slow(), { service: { callTimeoutMs } })).rejects.toMatchObject({
      code: "invalid-argument",
    });
  });
});
