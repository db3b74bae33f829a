import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import {
  ByReference,
  byReference,
  currentCall,
  pipeline,
  RemoteError,
  RpcError,
  release,
  withOptions,
} from "../../src/index.ts";
import { leakCheckedPair, places, tcp } from "./pairs.ts";
import { failureOf, gate, until } from "./waiting.ts";

class Owner extends ByReference {
  readonly #name: string;

  constructor(name: string) {
    super();
    this.#name = name;
  }

  name(): string {
    return this.#name;
  }
}

class Account extends ByReference {
  balance: number;
  static disposed = 0;

  constructor(balance: number) {
    super();
    this.balance = balance;
  }

  owner(): Owner {
    return new Owner(`owner of ${this.balance}`);
  }

  async slowOwner(): Promise<Owner> {
    await Promise.resolve();
    return this.owner();
  }

  amount(): number {
    return this.balance;
  }

  add(amount: number): void {
    this.balance += amount;
  }

  addAll(amounts: readonly number[]): number {
    for (const amount of amounts) this.add(amount);
    return this.balance;
  }

  async next(): Promise<Account> {
    await Promise.resolve();
    return new Account(this.balance + 1);
  }

  [Symbol.dispose](): void {
    Account.disposed++;
  }
}

class Bank {
  readonly accounts = [new Account(0), new Account(100)];
  readonly ran: string[] = [];
  readonly opened = gate();

  account(index: number): Account {
    this.ran.push(`account ${index}`);
    const account = this.accounts[index];
    if (!account) throw Object.assign(new RangeError(`no account ${index}`), { index });
    return account;
  }

  async slowAccount(index: number): Promise<Account> {
    await this.opened.opened;
    return this.account(index);
  }

  hang(): Promise<Account> {
    const { signal } = currentCall();
    return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  }

  transfer(from: Account, to: Account, amount: number): void {
    this.ran.push("transfer");
    from.add(-amount);
    to.add(amount);
  }

  record(): { amounts: number[]; account: Account } {
    return { amounts: [1, 2, 3], account: this.accounts[1] as Account };
  }

  change(record: { amounts: number[]; account: Account }): string {
    record.amounts.push(4);
    return `${record.amounts.length} ${record.account === this.accounts[1]}`;
  }

  adder(amount: number): (to: number) => number {
    return (to) => to + amount;
  }

  next(): void {
    this.ran.push("next");
  }

  number(): number {
    return 5;
  }

  sum(...numbers: number[]): number {
    return numbers.reduce((sum, number) => sum + number, 0);
  }

  yours(mine: () => string): () => string {
    return mine;
  }
}

describe.each(places)("a pipeline over $place", ({ at }) => {
  test("calls what earlier calls will return", async () => {
    await using pair = await leakCheckedPair(new Bank(), {}, at);
    expect(await pipeline(pair.front).account(1).owner().name()).toBe("owner of 100");
    expect(await pipeline(pair.front).account(1).slowOwner().name()).toBe("owner of 100");
  });

  test("leaves in one write and comes back as soon as the last step is done", async () => {
    await using pair = await leakCheckedPair(new Bank(), {}, at);
    const before = pair.connection.stats().callsOut;
    const name = pipeline(pair.front).account(1).owner().name();
    expect(pair.connection.stats().callsOut - before).toBe(3);
    expect(await name).toBe("owner of 100");
  });
});

describe("calls that depend on a step", () => {
  test("run when it is done, each step's in the order they were made", async () => {
    const bank = new Bank();
    await using pair = await leakCheckedPair(bank);
    const account = pipeline(pair.front).slowAccount(1);
    const calls = [account.add(1), account.amount(), account.add(10), account.amount()];
    expect(await pair.front.number()).toBe(5);
    bank.opened.open();
    expect(await Promise.all(calls)).toEqual([undefined, 101, undefined, 111]);
  });

  test("may take it as an argument, as it is or deep inside another", async () => {
    const bank = new Bank();
    await using pair = await leakCheckedPair(bank);
    const { account, slowAccount, transfer } = pipeline(pair.front);
    const transferred = transfer(slowAccount(1) as never, account(0) as never, 30);
    bank.opened.open();
    await transferred;
    expect(bank.accounts.map(({ balance }) => balance)).toEqual([30, 70]);
    expect(await pair.front.change({ amounts: [1], account: slowAccount(1) } as never)).toBe("2 true");
  });

  test("get a copy of data, as if it had gone and come home", async () => {
    const bank = new Bank();
    await using pair = await leakCheckedPair(bank);
    const record = pipeline(pair.front).record();
    const changed = [pair.front.change(record as never), pair.front.change(record as never)];
    expect(await Promise.all(changed)).toEqual(["4 true", "4 true"]);
    using arrived = (await record).account;
    expect(await arrived.amount()).toBe(100);
    expect((await record).amounts).toEqual([1, 2, 3]);
  });

  test("that failed refuses a large call that takes it, and nothing waits behind that", async () => {
    const front = {
      fail: () => {
        throw new Error("no");
      },
      take: (bytes: Uint8Array, _step: unknown) => bytes.length,
      small: () => "small",
    };
    await using pair = await leakCheckedPair(front, {}, tcp);
    for (let round = 0; round < 3; round++) {
      const failed = pipeline(pair.front).fail();
      const before = pair.front.take(new Uint8Array(3_000_000), 1);
      const refused = pair.front.take(new Uint8Array(200_000), failed as never);
      const all = await Promise.allSettled([failed, before, refused, pair.front.small()]);
      expect(all).toMatchObject([
        { status: "rejected" },
        { value: 3_000_000 },
        { status: "rejected" },
        { value: "small" },
      ]);
    }
  });

  test("that failed leaves no trace of a large call that took it and waited for another step", async () => {
    const limits = { maxMessageBytes: 1_000_000 };
    class Box extends ByReference {
      take(bytes: Uint8Array, _step: unknown): number {
        return bytes.length;
      }
    }
    class Boxes {
      held = gate();
      async box(): Promise<Box> {
        await this.held.opened;
        return new Box();
      }
      fail(): never {
        throw new Error("no");
      }
      ok(): number {
        return 1;
      }
    }
    const boxes = new Boxes();
    await using pair = await leakCheckedPair(boxes, { service: { limits }, connection: { limits } }, tcp);
    const steps = pipeline(pair.front);
    for (let round = 0; round < 7; round++) {
      boxes.held = gate();
      const { callsIn } = pair.session.stats();
      const box = steps.box();
      const step = round < 6 ? steps.fail() : steps.ok();
      const taken = box.take(new Uint8Array(900_000), step as never);
      const settled = Promise.allSettled([step, taken]);
      await until(() => pair.session.stats().callsIn === callsIn + 3);
      await until(() => pair.session.stats().bytesIn > (round + 1) * 900_000);
      boxes.held.open();
      expect([round, (await settled)[1].status]).toEqual([round, round < 6 ? "rejected" : "fulfilled"]);
    }
  });

  test("may be on a function that will be returned, and take numbers", async () => {
    await using pair = await leakCheckedPair(new Bank());
    const { adder, number, sum } = pipeline(pair.front);
    expect(await adder(3)(4)).toBe(7);
    expect(await sum(number() as never, 1, number() as never)).toBe(11);
  });

  test("on a function stub answer call, apply, bind, name and length as the stub does, and have no methods", async () => {
    const give = function double(number: number) {
      return number * 2;
    };
    await using pair = await leakCheckedPair({ give: () => give });
    using stub = await pair.front.give();
    const { callsOut } = pair.connection.stats();
    for (const begun of [pipeline(stub), withOptions(pipeline(stub), { timeoutMs: 60_000 })]) {
      expect([begun.name, begun.length]).toEqual([stub.name, stub.length]);
      expect(begun.name).toBe("double");
      for (const key of ["toJSON", "prototype", "constructor", "arguments", "twice"]) {
        expect([key, Reflect.get(begun, key), Reflect.get(stub, key)]).toEqual([key, undefined, undefined]);
      }
    }
    expect(pair.connection.stats().callsOut).toBe(callsOut);
    const begun = pipeline(stub);
    expect(await begun.call(undefined, 4)).toBe(8);
    expect(await begun.apply(undefined, [5])).toBe(10);
    expect(await begun.bind(undefined, 6)()).toBe(12);
    expect(await begun.bind(undefined)(7)).toBe(14);
  });

  test("on a step may have any name: whether it will be a function is not known", async () => {
    const phone = byReference({ call: (number: number) => `calling ${number}`, name: () => "a phone" });
    await using pair = await leakCheckedPair({ phone: () => phone });
    expect(await pipeline(pair.front).phone().call(5)).toBe("calling 5");
    expect(await pipeline(pair.front).phone().name()).toBe("a phone");
  });

  test("reach an object of the caller's own that comes home", async () => {
    await using pair = await leakCheckedPair(new Bank());
    expect(await pipeline(pair.front).yours(() => "here")()).toBe("here");
  });

  test("take what is there already of a step that has come, and its failure", async () => {
    await using pair = await leakCheckedPair(new Bank());
    const number = pipeline(pair.front).number();
    const account = pipeline(pair.front).account(1);
    const missing = pipeline(pair.front).account(9);
    expect(await number).toBe(5);
    using _ = await account;
    expect(await failureOf(missing)).toMatchObject({ message: "no account 9" });
    expect(await pair.front.sum(number as never, 1)).toBe(6);
    expect(await account.owner().name()).toBe("owner of 100");
    expect(await failureOf(missing.owner())).toMatchObject({ remoteName: "RangeError", outcome: "not-executed" });
    await expect(pair.front.sum(missing as never)).rejects.toMatchObject({ outcome: "not-executed" });
  });

  test("on what turns out to be data are refused", async () => {
    await using pair = await leakCheckedPair(new Bank());
    const number = pipeline(pair.front).number() as unknown as { digits(): Promise<string> };
    expect(await failureOf(number.digits())).toMatchObject({ code: "not-exposed", outcome: "not-executed" });
    await number;
    expect(await failureOf(number.digits())).toMatchObject({ code: "not-exposed", outcome: "not-sent" });
  });

  test("keep their place among the calls on their target while an argument is awaited", async () => {
    const bank = new Bank();
    await using pair = await leakCheckedPair(bank);
    const slow = pipeline(pair.front).slowAccount(1) as never;
    const transferred = pair.front.transfer(slow, slow, 1);
    const next = pair.front.next();
    await until(() => pair.session.stats().runningCalls > 0);
    expect(bank.ran).toEqual([]);
    bank.opened.open();
    await Promise.all([transferred, next]);
    expect(bank.ran).toEqual(["account 1", "transfer", "next"]);
  });

  test("wait in any number for a slow step without taking a slot from it", async () => {
    const bank = new Bank();
    const limits = { maxRunningCalls: 1, maxQueuedCalls: 200 };
    await using pair = await leakCheckedPair(bank, { service: { limits } });
    const account = pipeline(pair.front).slowAccount(1);
    const amounts = Array.from({ length: 500 }, () => account.amount());
    bank.opened.open();
    expect(new Set(await Promise.all(amounts))).toEqual(new Set([100]));
  });

  test("have their arguments though the caller got those, and let them go, before they could run", async () => {
    const bank = new Bank();
    await using pair = await leakCheckedPair(bank);
    const number = pipeline(pair.front).number();
    const changed = pipeline(pair.front)
      .slowAccount(1)
      .addAll([number, 2] as never);
    expect(await number).toBe(5);
    await pair.front.number();
    bank.opened.open();
    expect(await changed).toBe(107);
  });

  test("may be more than wait in a queue, while their step takes its time", async () => {
    const bank = new Bank();
    await using pair = await leakCheckedPair(bank);
    const account = pipeline(pair.front).slowAccount(1);
    const amounts = Promise.allSettled(Array.from({ length: 2_000 }, () => account.amount()));
    await until(() => pair.session.stats().callsIn > 1_200);
    bank.opened.open();
    expect(new Set((await amounts).map(({ status }) => status))).toEqual(new Set(["fulfilled"]));
  });

  test("in a long chain are told of by its end, and cost no more than they are", async () => {
    await using pair = await leakCheckedPair(new Bank());
    let account = pipeline(pair.front).account(9);
    for (let i = 0; i < 3_000; i++) account = account.next() as never;
    const error = await failureOf(account);
    expect(error).toMatchObject({ message: "no account 9", outcome: "not-executed" });
    expect(pair.reported.connection).toEqual([]);
    let missing = pipeline(pair.front).number() as never as Account;
    for (let i = 0; i < 9; i++) missing = missing.next() as never as Account;
    const refused = await failureOf(missing as never);
    expect(refused.message.length).toBeLessThan(300);
  });

  test("may be a thousand, one on the other", async () => {
    await using pair = await leakCheckedPair(new Bank());
    let account = pipeline(pair.front).account(0);
    for (let i = 0; i < 1_000; i++) account = account.next() as never;
    expect(await account.amount()).toBe(1_000);
  });
});

describe("a step that fails", () => {
  test("fails all that depends on it with the same error, and none of it runs", async () => {
    const bank = new Bank();
    await using pair = await leakCheckedPair(bank);
    const account = pipeline(pair.front).account(9);
    const transferred = pair.front.transfer(account as never, account as never, 1);
    const settled = await Promise.allSettled([account, account.owner().name(), account.amount(), transferred]);
    settled.forEach((call, index) => {
      const outcome = index === 0 ? "executed" : "not-executed";
      const reason = { remoteName: "RangeError", message: "no account 9", data: { index: 9 }, outcome };
      expect(call).toMatchObject({ reason });
      expect((call as PromiseRejectedResult).reason).toBeInstanceOf(RemoteError);
    });
    expect(bank.ran).toEqual(["account 9"]);
  });

  test("is told once: by the step that is awaited, not by those before it", async () => {
    await using pair = await leakCheckedPair(new Bank());
    expect(await failureOf(pipeline(pair.front).account(9).owner().name())).toMatchObject({ message: "no account 9" });
    expect(pair.reported.connection).toEqual([]);
  });

  test("is told to onError when nobody awaits it, or what depends on it", async () => {
    await using pair = await leakCheckedPair(new Bank());
    void pipeline(pair.front).account(9).owner();
    await until(() => pair.reported.connection.length > 0);
    expect(pair.takeReported().connection).toMatchObject([{ message: "no account 9" }]);
  });

  test("because it can't be sent fails what depends on it, not-executed", async () => {
    await using pair = await leakCheckedPair(new Bank());
    const account = pipeline(pair.front).account(Symbol("no") as never);
    expect(await Promise.allSettled([account, account.amount()])).toMatchObject([
      { reason: { code: "unsupported-value", outcome: "not-sent" } },
      { reason: { code: "unsupported-value", outcome: "not-executed" } },
    ]);
  });

  test("because it is cancelled fails what waits for it: before it leaves, and after", async () => {
    await using pair = await leakCheckedPair(new Bank());
    for (const isSent of [false, true]) {
      const controller = new AbortController();
      const hanging = withOptions(pipeline(pair.front), { signal: controller.signal }).hang();
      const amount = withOptions(hanging, {}).amount();
      const outcome = Promise.allSettled([hanging, amount]);
      if (isSent) await until(() => pair.session.stats().runningCalls === 1);
      controller.abort(new Error("enough"));
      expect(await outcome).toMatchObject([
        { reason: { code: "cancelled", outcome: isSent ? "unknown" : "not-sent" } },
        { reason: { code: "cancelled" } },
      ]);
    }
  });

  test("because its own time is up leaves those that have none to what the far side says", async () => {
    await using pair = await leakCheckedPair(new Bank());
    const controller = new AbortController();
    const hanging = withOptions(pair.front, { signal: controller.signal });
    const step = pipeline(hanging).hang();
    const settled = Promise.allSettled([step, withOptions(step, { signal: undefined }).amount()]);
    await until(() => pair.session.stats().runningCalls === 1);
    controller.abort();
    expect(await settled).toMatchObject([
      { reason: { code: "cancelled", outcome: "unknown" } },
      { reason: { code: "cancelled", outcome: "not-executed" } },
    ]);
  });

  test("with its session fails like every other call", async () => {
    await using pair = await leakCheckedPair(new Bank());
    const step = pipeline(pair.front).hang();
    const calls = Promise.allSettled([step, step.amount(), step.owner().name()]);
    await until(() => pair.session.stats().runningCalls === 1);
    pair.session.close();
    for (const call of await calls) expect(call).toMatchObject({ reason: { code: "closed", outcome: "unknown" } });
  });
});

describe("the results of steps", () => {
  test("that were only gone on from are released with the calls on them", async () => {
    Account.disposed = 0;
    const bank = new Bank();
    await using pair = await leakCheckedPair(bank);
    expect(await pipeline(pair.front).account(1).next().next().amount()).toBe(102);
    await until(() => pair.session.stats().exports === 0);
    expect(pair.connection.stats().imports).toBe(0);
    expect(Account.disposed).toBe(3);
  });

  test("that are awaited are stubs like others, and live as long", async () => {
    await using pair = await leakCheckedPair(new Bank());
    const step = pipeline(pair.front).account(1);
    const amount = step.amount();
    using account = await step;
    expect(await amount).toBe(100);
    await pair.front.number();
    expect(await account.amount()).toBe(100);
    expect(await step.amount()).toBe(100);
    expect(account).toBe(await pair.front.account(1));
  });

  test("can be awaited right after what depends on them, and not long after", async () => {
    await using pair = await leakCheckedPair(new Bank());
    const soon = pipeline(pair.front).account(1);
    await soon.amount();
    {
      using account = await soon;
      expect(await account.amount()).toBe(100);
    }
    const late = pipeline(pair.front).account(1);
    await late.amount();
    await until(() => pair.connection.stats().imports === 0 && pair.session.stats().exports === 0);
    expect(await failureOf(late)).toMatchObject({ code: "stale-reference" });
    expect(await failureOf(late.amount())).toMatchObject({ code: "stale-reference" });
  });

  test("do not take away a stub that the program has of the same object", async () => {
    await using pair = await leakCheckedPair(new Bank());
    using account = await pair.front.account(1);
    await pipeline(pair.front).account(1).owner().name();
    await pair.front.number();
    expect(await account.amount()).toBe(100);
  });
});

describe("a step", () => {
  test("is a promise and a function, prints itself, and makes no call for it", async () => {
    await using pair = await leakCheckedPair(new Bank());
    const begun = pipeline(pair.front);
    expect((begun as { then?: unknown }).then).toBeUndefined();
    const step = begun.account(1);
    const { callsOut } = pair.connection.stats();
    expect(`${step as never as string}`).toMatch(/^the result of account of \[remote Bank memory:/);
    expect(Object.prototype.toString.call(step)).toBe("[object Promise]");
    expect((step as { constructor?: unknown }).constructor).toBeUndefined();
    expect(inspect(step)).toMatch(/^the result of account of /);
    expect(typeof step.valueOf()).toBe("string");
    expect(() => release(step as never)).toThrow("await it first");
    expect(pair.connection.stats().callsOut).toBe(callsOut);
    using _ = await step;
    expect(await step.then((account) => account.amount())).toBe(100);
    let isDone = false;
    await step.finally(() => {
      isDone = true;
    });
    expect(isDone).toBe(true);
    await expect(begun.account(9).catch((error: Error) => error.message)).resolves.toBe("no account 9");
  });

  test("of another connection must be awaited before it is sent", async () => {
    await using one = await leakCheckedPair(new Bank());
    await using other = await leakCheckedPair(new Bank());
    const number = pipeline(one.front).number();
    await expect(other.front.sum(number as never)).rejects.toMatchObject({
      code: "unsupported-value",
      outcome: "not-sent",
    });
    await number;
    expect(await other.front.sum(number as never)).toBe(5);
  });

  test("is no result: a method that returns one inside data is told so", async () => {
    class Middle {
      nested(front: { number(): Promise<number> }): object {
        return { step: pipeline(front as never as Parameters<typeof pipeline<Bank>>[0]).number() };
      }
    }
    await using pair = await leakCheckedPair(new Middle(), {});
    const mine = byReference({ number: () => 1 });
    await expect(pair.front.nested(mine as never)).rejects.toMatchObject({
      code: "unsupported-value",
      outcome: "executed",
    });
  });

  test("pipeline of what is no stub is refused", () => {
    expect(() => pipeline({} as never)).toThrow(RpcError);
  });
});
