/**
 * What DRb's suite leaves untested of many callers at once: each call has its own answer, a slow one keeps nobody waiting,
 * calls begin in their order; and the race that DRb's users are warned of, between reading and writing back.
 */
import { connect, connectionOf } from "farref";
import { describe, expect, test } from "vitest";
import { gate } from "../../../core/test/session/waiting.ts";
import { leakCheckedPair, places } from "../places.ts";

class Office {
  readonly begun: number[] = [];
  readonly #waiting: (() => void)[] = [];
  readonly #values = new Map<string, number>();

  /** Answers when it is told to. */
  wait(number: number): Promise<number> {
    this.begun.push(number);
    return new Promise((resolve) => this.#waiting.push(() => resolve(number)));
  }

  /** Answers those who wait, the last one first. */
  finish(): number {
    const waiting = this.#waiting.splice(0).reverse();
    for (const answer of waiting) answer();
    return waiting.length;
  }

  get(key: string): number {
    return this.#values.get(key) ?? 0;
  }

  set(key: string, value: number): void {
    this.#values.set(key, value);
  }

  increment(key: string): number {
    this.set(key, this.get(key) + 1);
    return this.get(key);
  }
}

describe.each(places)("calls at once, over $place,", ({ at, connecting }) => {
  test("get each its own answer, in whatever order they come", async () => {
    await using pair = await leakCheckedPair(at, new Office());
    const order: number[] = [];
    const calls = Array.from({ length: 200 }, (_, i) => {
      const call = pair.front.wait(i);
      void call.then((number) => order.push(number));
      return call;
    });
    expect(await pair.front.finish()).toBe(200);
    expect(await Promise.all(calls)).toEqual(calls.map((_, i) => i));
    expect(order).toEqual(calls.map((_, i) => i).reverse());
  });

  test("begin in the order in which they were made", async () => {
    const office = new Office();
    await using pair = await leakCheckedPair(at, office);
    const calls = Array.from({ length: 100 }, (_, i) => pair.front.wait(i));
    await pair.front.finish();
    await Promise.all(calls);
    expect(office.begun).toEqual(calls.map((_, i) => i));
  });

  test("wait for no slow one, of theirs or of another client's", async () => {
    await using pair = await leakCheckedPair(at, new Office());
    const other = await connect<Office>(pair.service.uri, connecting);
    await using _connection = connectionOf(other);
    const slow = [pair.front.wait(1), other.wait(2)];
    for (let i = 1; i <= 50; i++) expect(await pair.front.increment("quick")).toBe(i);
    expect(await other.finish()).toBe(2);
    expect(await Promise.all(slow)).toEqual([1, 2]);
  });

  test("of more than the service runs at a time are all answered", async () => {
    await using pair = await leakCheckedPair(at, new Office(), { service: { limits: { maxRunningCalls: 4 } } });
    const counts = await Promise.all(Array.from({ length: 500 }, () => pair.front.increment("many")));
    expect(counts).toEqual(counts.map((_, i) => i + 1));
  });
});

describe.each(places)("two clients that count, over $place,", ({ at, connecting }) => {
  test("lose a count between reading and writing back, and none by a method that awaits nothing", async () => {
    await using pair = await leakCheckedPair(at, new Office());
    const other = await connect<Office>(pair.service.uri, connecting);
    await using _connection = connectionOf(other);
    const bothHaveRead = gate();
    const readThenWrite = async (front: typeof other) => {
      const value = await front.get("read, then write");
      await bothHaveRead.opened;
      await front.set("read, then write", value + 1);
    };
    const counting = [readThenWrite(pair.front), readThenWrite(other)];
    await Promise.all([pair.front.get("any"), other.get("any")]);
    bothHaveRead.open();
    await Promise.all(counting);
    expect(await pair.front.get("read, then write")).toBe(1);
    const clients = [pair.front, other];
    await Promise.all(Array.from({ length: 200 }, (_, i) => clients[i % 2]?.increment("at the service")));
    expect(await pair.front.get("at the service")).toBe(200);
  });
});
