/** What browsers can tell of who is part of what: until a method's first `await`. */
import { type Connection, connect, connectionOf, type Remote, serialized, withOptions } from "farref";
import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import type { BrowserService } from "../../../../test/browser-service.ts";

let service: Remote<BrowserService>;
let connection: Connection;

beforeEach(async () => {
  service = await connect<BrowserService>(inject("browserServiceUri"));
  connection = connectionOf(service);
});

afterEach(async () => {
  expect(connection.stats()).toMatchObject({ pendingCalls: 0, runningCalls: 0 });
  await connection.close();
  expect(connection.stats()).toMatchObject({ exports: 0, imports: 0 });
});

function nextTask(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

class Counter {
  #count = 0;

  async next(): Promise<number> {
    const before = this.#count;
    await nextTask();
    this.#count = before + 1;
    return this.#count;
  }

  count(): number {
    return this.#count;
  }

  async during<T>(callback: () => T | Promise<T>): Promise<T> {
    return callback();
  }
}

describe("a serialized object in a page", () => {
  test("runs its methods one at a time, from here and from afar", async () => {
    const counter = serialized(new Counter());
    const next = () => counter.next();
    const [far, ...near] = await Promise.all([service.call(next as never, 10), next(), next()]);
    expect([...(far as number[]), ...near].sort((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
    expect(counter.count()).toBe(12);
  });

  test("lets in what its method calls before it awaits, here and by way of another process", async () => {
    const counter = serialized(new Counter());
    expect(await counter.during(() => counter.during(() => counter.next()))).toBe(1);
    expect(await counter.during(() => service.call(() => counter.count(), 3))).toEqual([1, 1, 1]);
  });

  test("takes what its method calls later for anybody's", async () => {
    const counter = serialized(new Counter());
    const order: string[] = [];
    let later: Promise<unknown> | undefined;
    await counter.during(async () => {
      await nextTask();
      later = Promise.resolve(counter.next()).then(() => order.push("later"));
      await nextTask();
      order.push("the method");
    });
    await later;
    expect(order).toEqual(["the method", "later"]);
  });
});

describe("a page that is called back by a serialized object in Node", () => {
  test("is let in before its function awaits", async () => {
    using counter = await service.counter();
    expect(await counter.during(() => counter.next())).toBe(1);
    const both = async () => Promise.all([counter.next(), counter.during(() => counter.next())]);
    expect(await counter.during(both)).toEqual([2, 3]);
  });

  test("is anybody afterwards: it gets out of its own way when its time is up", async () => {
    using counter = await service.counter();
    const patient = withOptions(counter, { timeoutMs: 50 });
    const late = counter.during(async () => {
      await nextTask();
      return patient.next().catch((error: Error) => error.message);
    });
    expect(await late).toMatch(/^timeout: /);
    expect(await counter.next()).toBe(1);
  });
});
