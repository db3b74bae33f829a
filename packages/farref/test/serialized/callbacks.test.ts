/** A method that is called back by whoever it calls, through other processes or not, is let in; nobody else is. */
import { connect, connectionOf, type Remote, RpcError, serialized, startService, withOptions } from "farref";
import { describe, expect, test } from "vitest";
import { places } from "../../../core/test/session/pairs.ts";
import { gate, until } from "../../../core/test/session/waiting.ts";
import { Account, nextTurn } from "./accounts.ts";
import { leakCheckedPair } from "./pairs.ts";

type FarAccount = Remote<Account>;

/** Has an object somewhere else, and calls it. */
class Agent {
  readonly account: FarAccount | Account;

  constructor(account: FarAccount | Account) {
    this.account = account;
  }

  async deposit(amount: number): Promise<number> {
    await nextTurn();
    return this.account.deposit(amount);
  }

  async during<T>(callback: () => T | Promise<T>): Promise<T> {
    await nextTurn();
    return (await this.account.during(callback as never)) as T;
  }
}

describe.each(places)("a callback to another process ($place)", ({ at }) => {
  test("calls the object that runs it, at once and after it has awaited", async () => {
    await using pair = await leakCheckedPair(serialized(new Account()), {}, at);
    const { front } = pair;
    expect(await front.during(() => front.deposit(1))).toBe(1);
    const later = async () => {
      await nextTurn();
      const sum = await front.deposit(1);
      await nextTurn();
      return sum + (await front.deposit(1));
    };
    expect(await front.during(later)).toBe(5);
  });

  test("as deep as one likes", async () => {
    await using pair = await leakCheckedPair(serialized(new Account()), {}, at);
    const dig = async (depth: number): Promise<number> => {
      await nextTurn();
      return depth === 0 ? pair.front.deposit(1) : pair.front.during(() => dig(depth - 1));
    };
    expect(await dig(60)).toBe(1);
  });

  test("is waited for by all other calls, also of the client it runs in", async () => {
    const account = new Account();
    await using pair = await leakCheckedPair(serialized(account), {}, at);
    const { front } = pair;
    const added: number[] = [];
    const add = async () => {
      const before = await front.balance();
      await nextTurn();
      added.push((await front.deposit(1)) - before);
    };
    await Promise.all(Array.from({ length: 30 }, (_, i) => (i % 2 === 0 ? front.during(add) : front.deposit(1))));
    expect(await front.balance()).toBe(30);
    // Nothing came between what each callback read and what it wrote.
    expect(added).toEqual(Array.from({ length: 15 }, () => 1));
  });

  test("has its calls one at a time", async () => {
    await using pair = await leakCheckedPair(serialized(new Account()), {}, at);
    const { front } = pair;
    await front.during(async () => {
      await Promise.all(Array.from({ length: 20 }, () => front.deposit(1)));
    });
    expect(await front.balance()).toBe(20);
  });

  test("that is answered is not part of the call any more, whatever it left behind", async () => {
    const { opened, open } = gate();
    const account = new Account();
    const front = serialized({
      begun: 0,
      async work(callback: () => unknown): Promise<number> {
        this.begun++;
        await callback();
        await opened;
        return this.begun;
      },
      note(): number {
        return ++this.begun;
      },
    });
    await using pair = await leakCheckedPair(front, {}, at);
    let left: Promise<number> | undefined;
    const work = pair.front.work(() => {
      left = nextTurn()
        .then(nextTurn)
        .then(() => pair.front.note());
    });
    await until(() => pair.session.stats().runningCalls === 2);
    expect(front.begun).toBe(1);
    open();
    expect(await work).toBe(1);
    expect(await left).toBe(2);
    expect(account.balance()).toBe(0);
  });
});

describe("several processes", () => {
  test("one calls the next, the last the first, over connections of their own", async () => {
    const account = serialized(new Account());
    await using ours = await leakCheckedPair(account);
    await using first = await leakCheckedPair<Agent>(new Agent(ours.front));
    await using second = await leakCheckedPair<Agent>(new Agent(first.front as never));
    const waits = account.hold(nextTurn());
    expect(await account.during(() => second.front.deposit(5))).toBe(5);
    await waits;
    expect(await ours.front.during(() => second.front.deposit(5))).toBe(10);
    expect(account.seen.atOnce).toBeLessThan(3);
  });

  test("a callback that is handed on comes back by the one who handed it on", async () => {
    const account = serialized(new Account());
    await using ours = await leakCheckedPair(account);
    const broker = {
      during: (callback: () => Promise<number>) => ours.front.during(callback),
      deposit: (amount: number) => ours.front.deposit(amount),
    };
    await using theirs = await leakCheckedPair(broker);
    const callback = async () => {
      await nextTurn();
      return theirs.front.deposit(7);
    };
    expect(await theirs.front.during(callback)).toBe(7);
  });

  test("serialized objects in each, called in a circle, twice round", async () => {
    const here = serialized(new Account());
    await using ours = await leakCheckedPair(here);
    const there = serialized(new Agent(ours.front));
    await using theirs = await leakCheckedPair(there);
    const far = theirs.front as unknown as FarAccount;
    const round = here.during(() => far.during(() => here.during(() => far.during(() => here.deposit(3)))));
    expect(await round).toBe(3);
    const back = there.during(() => theirs.front.during(() => ours.front.deposit(4)));
    expect(await back).toBe(7);
  });

  test("with more serialized objects in a row than a call can name: refused, instead of waiting for itself", async () => {
    let account: Account | FarAccount = serialized(new Account());
    const agents: Agent[] = [];
    const pairs: AsyncDisposable[] = [];
    for (let i = 0; i <= 33; i++) {
      const agent: Agent = serialized(new Agent(account));
      const pair = await leakCheckedPair(agent);
      agents.push(agent);
      pairs.unshift(pair);
      account = pair.front as unknown as FarAccount;
    }
    expect(await agents[32]?.deposit(1)).toBe(1);
    await expect(agents[33]?.deposit(1)).rejects.toMatchObject({ message: expect.stringContaining("at most 32") });
    for (const pair of pairs) await pair[Symbol.asyncDispose]();
  });
});

describe("what only looks like part of a call", () => {
  test("calls by a connection that was made within it", async () => {
    const original = new Account();
    const account = serialized(original);
    const { opened, open } = gate();
    let client: FarAccount | undefined;
    const caller = { deposit: () => account.deposit(1) };
    await using service = await startService("tcp://127.0.0.1:0", account);
    const held = account.during(async () => {
      client = await connect<Account>(service.uri, { front: caller });
      await opened;
    });
    await until(() => client !== undefined && service.sessions.size === 1);
    const [session] = service.sessions;
    const deposits = [session?.front<typeof caller>().deposit(), client?.deposit(1)];
    const connection = connectionOf(client as object);
    await until(() => session?.stats().runningCalls === 1 && connection.stats().runningCalls === 1);
    for (let i = 0; i < 5; i++) await nextTurn();
    expect(original.balance()).toBe(0);
    open();
    await held;
    expect((await Promise.all(deposits)).sort()).toEqual([1, 2]);
    await connection.close();
  });

  test("calls that leave in one batch with one of its own", async () => {
    const original = new Account();
    const account = serialized(original);
    await using pair = await leakCheckedPair(account);
    const { opened, open } = gate();
    const inside = account.meanwhile(() => pair.front.balance(), opened);
    // Over memory, the whole batch is delivered in the context of whoever wrote to it first.
    const outside = pair.front.deposit(1);
    for (let i = 0; i < 5; i++) await nextTurn();
    expect(original.balance()).toBe(0);
    open();
    expect(await inside).toBe(0);
    expect(await outside).toBe(1);
  });

  test("an outgoing call that has failed admits nobody", async () => {
    const account = serialized(new Account());
    await using ours = await leakCheckedPair(account);
    const { opened, open } = gate();
    const agent = {
      async late(): Promise<number> {
        await opened;
        return ours.front.deposit(1);
      },
    };
    await using theirs = await leakCheckedPair(agent);
    const controller = new AbortController();
    const done = gate();
    const held = account.during(async () => {
      const call = withOptions(theirs.front, { signal: controller.signal }).late();
      const failure = await call.catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(RpcError);
      await done.opened;
    });
    await until(() => theirs.session.stats().runningCalls === 1);
    controller.abort();
    open();
    await until(() => ours.session.stats().runningCalls === 1);
    expect(account.seen.atOnce).toBe(1);
    done.open();
    await held;
    await until(() => theirs.session.stats().runningCalls === 0);
    expect(account.balance()).toBe(1);
  });
});
