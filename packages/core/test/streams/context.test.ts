/** `currentCall()` in the steps of a stream, and what lives as long as the stream does. */
import { describe, expect, test } from "vitest";
import { turns } from "../../../conformance/src/index.ts";
import { ByReference, type CallContext, currentCall, perCall, withOptions } from "../../src/index.ts";
import { leakCheckedPair } from "../session/pairs.ts";
import { gate, until } from "../session/waiting.ts";
import { counting, readAll, upTo } from "./support.ts";

test("each step of a stream is part of the call that made it, its end too", async () => {
  const seen: (string | undefined)[] = [];
  const note = () => seen.push(currentCall().context["user"]);
  const steps = {
    next: () => Promise.resolve({ done: false, value: note() }),
    return: () => Promise.resolve({ done: true, value: note() }),
    [Symbol.asyncIterator]() {
      note();
      return this;
    },
  };
  await using pair = await leakCheckedPair({ steps: () => steps });
  const stream = (await withOptions(pair.front, { context: { user: "ann" } }).steps()) as unknown as AsyncGenerator;
  await stream.next();
  await turns(5);
  await stream.return(undefined);
  expect(seen.length).toBeGreaterThan(3);
  expect(new Set(seen)).toEqual(new Set(["ann"]));
  expect(() => currentCall()).toThrow("no call runs here");
});

test("it has no deadline: the call was answered in time", async () => {
  let context: CallContext | undefined;
  const front = {
    async *count() {
      context = currentCall();
      yield* upTo(3);
    },
  };
  await using pair = await leakCheckedPair(front);
  await readAll(await withOptions(pair.front, { timeoutMs: 10_000 }).count());
  expect(context).toMatchObject({ method: "count", deadline: undefined, session: pair.session });
});

test("a stream within an item is part of the same call", async () => {
  const front = {
    async *outer() {
      const method = () => currentCall().method;
      yield (async function* inner() {
        yield method();
      })();
    },
  };
  await using pair = await leakCheckedPair(front);
  const outer = await pair.front.outer();
  const { value: inner } = await outer.next();
  expect((await readAll(inner as AsyncIterator<string>)).items).toEqual(["outer"]);
  await readAll(outer);
});

test("an argument's steps are part of no call", async () => {
  const front = {
    async read(stream: AsyncIterable<boolean>) {
      for await (const isInCall of stream) return isInCall;
      return undefined;
    },
  };
  await using pair = await leakCheckedPair(front);
  async function* probe() {
    try {
      currentCall();
      yield true;
    } catch {
      yield false;
    }
  }
  expect(await pair.front.read(probe())).toBe(false);
});

describe("the signal", () => {
  const signals: AbortSignal[] = [];
  const front = {
    two() {
      signals.push(currentCall().signal);
      const make = async function* () {
        signals.push(currentCall().signal);
        yield* counting();
      };
      return [make(), make()];
    },
  };

  test("of a stream fires when it is cancelled; that of its call when no stream of it is wanted", async () => {
    signals.length = 0;
    await using pair = await leakCheckedPair(front);
    const [first, second] = await pair.front.two();
    await first?.next();
    await second?.next();
    await first?.return?.();
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, true, false]);
    await second?.return?.();
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, true]);
    expect(signals[0]?.reason).toMatchObject({ code: "cancelled" });
  });

  test("fires with the session's end", async () => {
    signals.length = 0;
    await using pair = await leakCheckedPair(front);
    const [first] = await pair.front.two();
    await first?.next();
    await pair.connection.close();
    await until(() => signals.every(({ aborted }) => aborted));
    expect(signals[0]?.reason).toMatchObject({ code: "closed" });
  });

  test("does not fire for a stream that ends by itself", async () => {
    let signal: AbortSignal | undefined;
    const one = {
      async *count() {
        signal = currentCall().signal;
        yield* upTo(2);
      },
    };
    await using pair = await leakCheckedPair(one);
    await readAll(await pair.front.count());
    expect(signal?.aborted).toBe(false);
  });
});

describe("what a call has is kept until its streams have ended:", () => {
  test("what perCall made", async () => {
    const events: string[] = [];
    const open = gate();
    class Desk {
      async *lines() {
        try {
          yield "one";
          await open.opened;
        } finally {
          events.push("finally");
        }
      }
      [Symbol.dispose]() {
        events.push("disposed");
      }
    }
    await using pair = await leakCheckedPair(perCall(() => new Desk()));
    const lines = await pair.front.lines();
    await lines.next();
    await turns(5);
    expect(events).toEqual([]);
    open.open();
    await readAll(lines);
    await until(() => events.length === 2);
    expect(events).toEqual(["finally", "disposed"]);
  });

  test("an object whose last reference is given up meanwhile", async () => {
    const events: string[] = [];
    const open = gate();
    class Table extends ByReference {
      async *rows() {
        yield 1;
        await open.opened;
        yield events.length;
      }
      [Symbol.dispose]() {
        events.push("disposed");
      }
    }
    await using pair = await leakCheckedPair({ table: () => new Table() });
    const table = await pair.front.table();
    const rows = await table.rows();
    await rows.next();
    table[Symbol.dispose]();
    await until(() => pair.session.stats().exports === 0);
    expect(events).toEqual([]);
    open.open();
    expect((await readAll(rows)).items).toEqual([0]);
    await until(() => events.length === 1);
  });
});
