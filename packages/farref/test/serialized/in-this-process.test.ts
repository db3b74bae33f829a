import { AsyncLocalStorage } from "node:async_hooks";
import { inspect } from "node:util";
import { byReference, currentCall, isRemote, RpcError, serialized } from "farref";
import { describe, expect, test } from "vitest";
import { gate } from "../../../core/test/session/waiting.ts";
import { Account, FarAccount, nextTurn } from "./accounts.ts";

describe("methods", () => {
  test("lose nothing to each other, as they do without", async () => {
    const racing = new Account();
    await Promise.all(Array.from({ length: 100 }, () => racing.deposit(1)));
    expect(racing.balance()).toBe(1);

    const account = serialized(new Account());
    const balances = await Promise.all(Array.from({ length: 100 }, () => account.deposit(1)));
    expect(balances).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
    expect(account.seen.atOnce).toBe(1);
  });

  test("begin at once when nobody is before them, and return what they return", () => {
    const account = serialized(new Account());
    expect(account.balance()).toBe(0);
    expect(() => account.fail("synchronously")).toThrow(new RangeError("synchronously"));
    expect(account.balance()).toBe(0);
  });

  test("run in the order of their calls, synchronous ones too", async () => {
    const account = serialized(new Account());
    const { opened, open } = gate();
    const settled: unknown[] = [];
    const calls = [account.hold(opened), account.deposit(1), account.balance(), account.deposit(1), account.balance()];
    for (const [i, call] of calls.entries()) void Promise.resolve(call).then(() => settled.push(i));
    open();
    expect(await Promise.all(calls)).toEqual([undefined, 1, 1, 2, 2]);
    expect(settled).toEqual([0, 1, 2, 3, 4]);
  });

  test("many synchronous ones that wait begin in a loop, not in each other", async () => {
    const account = serialized(new Account());
    const { opened, open } = gate();
    const first = account.hold(opened);
    const waiting = Array.from({ length: 20_000 }, () => account.balance());
    open();
    await first;
    expect(new Set(await Promise.all(waiting))).toEqual(new Set([0]));
  });

  test.each<[what: string, settles: (resolve: (value: unknown) => void, reject: (error: unknown) => void) => void]>([
    ["that fails later", (_, reject) => setImmediate(reject, new RangeError("no"))],
    ["whose then throws", () => throwRangeError()],
  ])("may return what can be awaited and is no promise, %s", async (_what, then) => {
    const object = serialized({ thenable: () => ({ then }), later: () => "next" });
    await expect(object.thenable()).rejects.toThrow(new RangeError("no"));
    expect(await object.later()).toBe("next");
  });

  test("that fail, at once or later, let the next one begin", async () => {
    const account = serialized(new Account());
    const calls = [account.failLater("first"), account.deposit(1), account.failLater("second"), account.deposit(1)];
    const waits = Promise.resolve().then(() => account.fail("third"));
    await expect(Promise.allSettled(calls)).resolves.toMatchObject([
      { reason: { message: "first" } },
      { value: 1 },
      { reason: { message: "second" } },
      { value: 2 },
    ]);
    await expect(waits).rejects.toThrow("third");
    expect(account.balance()).toBe(2);
  });

  test("that fail unheard are unheard, not swallowed", async () => {
    const heard: unknown[] = [];
    const listeners = process.rawListeners("unhandledRejection");
    process.removeAllListeners("unhandledRejection");
    process.on("unhandledRejection", (reason) => heard.push(reason));
    try {
      const account = serialized(new Account());
      void account.failLater("nobody listens");
      void account.failLater("nobody listens either");
      await account.balance();
      await nextTurn();
      expect(heard.map(String)).toEqual(["RangeError: nobody listens", "RangeError: nobody listens either"]);
    } finally {
      process.removeAllListeners("unhandledRejection");
      for (const listener of listeners) process.on("unhandledRejection", listener as () => void);
    }
  });

  test("that return their object return the serialized one", async () => {
    const original = new Account();
    const account = serialized(original);
    expect(account.itself()).toBe(account);
    expect(await account.itselfLater()).toBe(account);
    expect(original.itself()).toBe(original);
  });

  test("keep what followed the program when they were called", async () => {
    const tracer = new AsyncLocalStorage<string>();
    const { opened, open } = gate();
    const account = serialized(new Account());
    const first = account.hold(opened);
    const traced = tracer.run("a request", () => account.during(() => tracer.getStore()));
    open();
    await first;
    expect(await traced).toBe("a request");
  });

  test("have no current call of their own", async () => {
    const account = serialized(new Account());
    const { opened, open } = gate();
    const first = account.hold(opened);
    const asked = Promise.resolve(account.during(() => currentCall()));
    open();
    await first;
    await expect(asked).rejects.toMatchObject({ code: "not-found" });
  });
});

describe("a method that calls its object again", () => {
  test("is let in, directly and after awaits", async () => {
    const account = serialized(new Account());
    const other = account.deposit(1);
    expect(await account.during(() => account.deposit(1))).toBe(2);
    expect(await account.during(() => account.during(() => account.deposit(1)))).toBe(3);
    expect(await other).toBe(1);
  });

  test("is let in before those who wait", async () => {
    const account = serialized(new Account());
    const within = account.during(async () => {
      expect(await account.deposit(1)).toBe(1);
      expect(await account.deposit(1)).toBe(2);
    });
    const waits = account.deposit(10);
    await within;
    expect(await waits).toBe(12);
  });

  test("is let in through another serialized object, which may be called back too", async () => {
    const here = serialized(new Account());
    const there = serialized(new Account());
    const result = here.during(() => there.during(() => here.during(() => there.deposit(1))));
    expect(await result).toBe(1);
    expect(here.balance()).toBe(0);
  });

  test("has its calls one at a time as well", async () => {
    const account = serialized(new Account());
    const waits = account.deposit(1_000);
    const within = account.during(() => Promise.all(Array.from({ length: 10 }, () => account.deposit(1))));
    expect(await waits).toBe(1_000);
    expect(await within).toEqual(Array.from({ length: 10 }, (_, i) => 1_001 + i));
  });

  test("holds the line for calls it did not wait for, which begin as part of it", async () => {
    const account = serialized(new Account());
    const { opened, open } = gate();
    const order: string[] = [];
    await account.during(() => {
      void account.hold(opened).then(() => order.push("left behind"));
    });
    const waits = account.during(() => order.push("waited"));
    await nextTurn();
    await nextTurn();
    expect(order).toEqual([]);
    open();
    await waits;
    expect(order).toEqual(["left behind", "waited"]);
  });

  test("when it is over is an outsider like any other", async () => {
    const account = serialized(new Account());
    const { opened, open } = gate();
    let afterwards: Promise<number> | undefined;
    await account.during(() => {
      afterwards = nextTurn().then(() => account.deposit(1));
    });
    const holds = account.hold(opened);
    await nextTurn();
    await nextTurn();
    expect(account.seen.atOnce).toBe(1);
    open();
    await holds;
    expect(await afterwards).toBe(1);
  });

  test("again and again, from timers it sets, remembers nothing of the turns before", async () => {
    let rounds = 0;
    class Clock {
      tick(done: () => void): void {
        if (++rounds === 1_000) done();
        else setImmediate(() => clock.tick(done));
      }
    }
    const clock = serialized(new Clock());
    await new Promise<void>((resolve) => clock.tick(resolve));
    expect(rounds).toBe(1_000);
  });
});

describe("all but the methods", () => {
  test("is the original's: fields, accessors, what is not offered, #private members", () => {
    const original = new Account();
    const account = serialized(original);
    account.owner = "ben";
    account.doubled = 20;
    expect(original.owner).toBe("ben");
    expect([account.owner, account.doubled, account.balance(), account._secret()]).toEqual(["ben", 20, 10, 10]);
    expect(`${account}`).toBe("ben has 10");
    expect("owner" in account && "deposit" in account && !("missing" in account)).toBe(true);
    expect(Object.keys(account)).toEqual(["seen", "owner"]);
    expect({ ...account }).toEqual({ seen: original.seen, owner: "ben" });
    Object.defineProperty(account, "note", { value: 1, configurable: true });
    expect(Reflect.get(original, "note")).toBe(1);
    expect(Reflect.deleteProperty(account, "note")).toBe(true);
    expect("note" in original).toBe(false);
  });

  test("is an instance of its class, and is printed as one", () => {
    const account = serialized(new Account());
    expect(account).toBeInstanceOf(Account);
    expect(account.constructor).toBe(Account);
    expect(inspect(account)).toBe("Account { seen: { atOnce: 0 }, owner: 'ann' }");
    expect(inspect(serialized({ a: 1 }))).toBe("{ a: 1 }");
    expect(isRemote(account)).toBe(false);
  });

  test("methods are the same function each time, by their name, and work taken off", async () => {
    const account = serialized(new Account());
    const { deposit } = account;
    expect(account.deposit).toBe(deposit);
    expect(deposit.name).toBe("deposit");
    expect(await deposit(5)).toBe(5);
  });

  test("methods bound in a constructor are in line", async () => {
    class Bound {
      count = 0;
      constructor() {
        this.increment = this.increment.bind(this);
      }
      async increment() {
        const before = this.count;
        await nextTurn();
        this.count = before + 1;
      }
    }
    const bound = serialized(new Bound());
    await Promise.all([bound.increment(), bound.increment()]);
    expect(bound.count).toBe(2);
  });

  test("plain objects, with methods they are given later; functions they only hold", async () => {
    const counter: { value: number; increment?: () => Promise<number> } = serialized({ value: 0 });
    counter.increment = async () => {
      const before = counter.value;
      await nextTurn();
      counter.value = before + 1;
      return counter.value;
    };
    expect(await Promise.all([counter.increment(), counter.increment()])).toEqual([1, 2]);

    const listener = () => {};
    class Holder {
      listener = listener;
    }
    expect(serialized(new Holder()).listener).toBe(listener);
  });

  test("frozen objects", async () => {
    let count = 0;
    const frozen = Object.freeze({
      async increment() {
        const before = count;
        await nextTurn();
        count = before + 1;
      },
    });
    const counter = serialized(frozen);
    await Promise.all([counter.increment(), counter.increment()]);
    expect(count).toBe(2);
    expect(Object.getOwnPropertyNames(counter)).toEqual(["increment"]);
    expect(() => Object.assign(counter, { other: 1 })).toThrow(TypeError);
    expect(serialized(counter)).toBe(counter);
    const account = serialized(Object.freeze(new Account()));
    expect(account).toBeInstanceOf(Account);
    expect(await Promise.all([account.deposit(1), account.deposit(1)])).toEqual([1, 2]);
  });

  test("built-in objects work, and have no line, as they offer nothing", () => {
    const map = serialized(new Map([["a", 1]]));
    expect([map.get("a"), map.size, [...map.keys()]]).toEqual([1, 1, ["a"]]);
  });

  test("it can't be frozen, nor given another prototype", () => {
    const account = serialized(new Account());
    expect(() => Object.freeze(account)).toThrow(TypeError);
    expect(() => Object.setPrototypeOf(account, null)).toThrow(TypeError);
    expect(account.balance()).toBe(0);
  });

  test("disposing it disposes the original", () => {
    const original = new FarAccount();
    {
      using account = serialized(original);
      expect(account.balance()).toBe(0);
    }
    expect(original.disposals).toBe(1);
  });
});

describe("functions", () => {
  test("run one at a time, with their `this`, and let themselves in", async () => {
    let running = 0;
    let most = 0;
    const count = serialized(async function (this: unknown, deeper: number): Promise<unknown> {
      most = Math.max(most, ++running);
      await nextTurn();
      running--;
      return deeper > 0 ? await count.call(this, deeper - 1) : this;
    });
    expect(typeof count).toBe("function");
    expect(count.length).toBe(1);
    expect(await Promise.all([count.call("me", 0), count.call("you", 0)])).toEqual(["me", "you"]);
    expect(most).toBe(1);
    expect(await count.call("me", 2)).toBe("me");
    expect(serialized(count)).toBe(count);
  });

  test("classes still make instances", () => {
    const Made = serialized(Account);
    expect(new Made()).toBeInstanceOf(Account);
    expect(new Made().balance()).toBe(0);
    class Savings extends Made {}
    expect(new Savings()).toBeInstanceOf(Savings);
  });
});

describe("serializing", () => {
  test("twice is the same as once, by whatever way", async () => {
    const original = new Account();
    const account = serialized(original);
    expect(serialized(account)).toBe(account);
    expect(serialized(original)).toBe(account);
    expect(serialized(Object.create(original))).not.toBe(account);
  });

  test("leaves the original as it was for all who look", () => {
    const original = { a: 1, add: () => 2 };
    const before = inspect(original);
    serialized(original);
    expect(Object.keys(original)).toEqual(["a", "add"]);
    expect(JSON.stringify(original)).toBe('{"a":1}');
    expect(inspect(original)).toBe(before);
  });

  test("keeps a mark, and can be marked", () => {
    expect(byReference(serialized(new FarAccount()))).toBeInstanceOf(FarAccount);
    const account = serialized(new Account());
    expect(byReference(account)).toBe(account);
  });

  test("what is no object, or has a method named then, is refused", () => {
    for (const value of [undefined, null, 5, "text"]) {
      const refused = () => serialized(value as unknown as object);
      expect(refused).toThrow(RpcError);
      expect(refused).toThrow(/serialized: expected an object of this process/);
    }
    class Thenable {
      // biome-ignore lint/suspicious/noThenProperty: that is what is refused.
      then() {}
    }
    expect(() => serialized(new Thenable())).toThrow(expect.objectContaining({ code: "unsupported-value" }));
  });
});

function throwRangeError(): never {
  throw new RangeError("no");
}
