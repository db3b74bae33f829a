import { describe, expect, test, vi } from "vitest";
import * as z from "zod";
import { collectGarbage } from "../../../conformance/src/index.ts";
import { ByReference, byReference, isRemote, release, type Stub } from "../../../core/src/index.ts";
import { callback, defineContract, implement, method, reference } from "../../src/index.ts";
import { contractPair, pairOn, places } from "./pairs.ts";

const refused = { code: "invalid-argument", outcome: "not-executed" };
const refusedHere = { code: "invalid-argument", outcome: "not-sent" };

const account = defineContract({
  deposit: method([z.number()], z.number()),
  balance: method([], z.number()),
});
const admin = defineContract({ wipe: method([], z.string()) });

class Account extends ByReference {
  #balance = 0;
  deposit(amount: number) {
    this.#balance += amount;
    return this.#balance;
  }
  balance() {
    return this.#balance;
  }
  wipe() {
    this.#balance = 0;
    return "wiped";
  }
}

describe.each(places)("references, over $place", ({ at }) => {
  const bank = defineContract({
    open: method([], reference(account)),
    same: method([reference(account)], reference(account)),
    isMine: method([reference(account)], z.boolean()),
    add: method([reference(account), z.number()], z.number()),
  });

  function serve(mine = new Account()) {
    return contractPair(
      bank,
      {
        open: () => mine,
        same: (given) => given,
        isMine: (given) => (given as unknown) === mine,
        add: async (given, amount) => await given.deposit(amount),
      },
      {},
      at,
    );
  }

  test("to objects of one's own are offered under the contract, checked by it, and come home as they left", async () => {
    await using served = await serve();
    using mine = await served.bound.open();
    expect(await mine.deposit(5)).toBe(5);
    await expect(mine.deposit("5" as never)).rejects.toMatchObject(refused);
    expect(await served.bound.isMine(mine)).toBe(true);
    expect(await served.bound.same(mine)).toBe(mine);
    expect(await served.bound.open()).toBe(mine);
  });

  test("have the contract's methods and no others, at both sides", async () => {
    await using served = await serve();
    const raw = (await served.unbound.open()) as Stub<unknown> & { wipe(): Promise<unknown> };
    await expect(raw.wipe()).rejects.toMatchObject({ code: "not-exposed", outcome: "not-executed" });
    using mine = await served.bound.open();
    await expect((mine as unknown as typeof raw).wipe()).rejects.toMatchObject({
      code: "not-exposed",
      outcome: "not-sent",
    });
    release(raw);
  });

  test("given by a caller with the contract are guarded where the object lives", async () => {
    await using served = await serve();
    const mine = implement(account, new Account());
    expect(await served.bound.add(mine, 3)).toBe(3);
    expect(await served.bound.add(new Account(), 4)).toBe(4);
    expect(await served.bound.same(mine)).toBe(mine);
    const plain = new Account();
    expect(await served.bound.same(plain)).toBe(plain);
  });

  test("given by a caller without are checked where they are called", async () => {
    await using served = await serve();
    expect(await served.unbound.add(byReference({ deposit: (n: number) => n + 1 }), 3)).toBe(4);
    await expect(served.unbound.add(byReference({ deposit: () => "three" }), 3)).rejects.toMatchObject({
      remoteName: "RpcError",
      message: expect.stringContaining("invalid-result"),
    });
  });

  test.each([
    ["data", { deposit: 1 }],
    ["nothing", undefined],
    ["a string", "account"],
    ["a function", () => 1],
  ])("are not %s", async (_what, forged) => {
    await using served = await serve();
    await expect(served.unbound.isMine(forged)).rejects.toMatchObject(refused);
    await expect(served.bound.isMine(forged as never)).rejects.toMatchObject(refusedHere);
  });

  test("are not objects of ours of another type: the front, or one under another contract", async () => {
    const both = defineContract({
      ...bank.methods,
      admin: method([], reference(admin)),
    });
    const mine = new Account();
    await using served = await contractPair(
      both,
      { open: () => mine, same: (a) => a, isMine: () => true, add: () => 0, admin: () => mine },
      {},
      at,
    );
    const asAdmin = (await served.unbound.admin()) as Stub<unknown> & { wipe(): Promise<string> };
    expect(await asAdmin.wipe()).toBe("wiped");
    await expect(served.unbound.isMine(served.unbound)).rejects.toMatchObject(refused);
    await expect(served.unbound.isMine(asAdmin)).rejects.toMatchObject({
      ...refused,
      detail: expect.stringContaining("args[0]: expected an object of another type"),
    });
    const asAccount = (await served.unbound.open()) as Stub<unknown>;
    expect(asAccount).not.toBe(asAdmin);
    release(asAdmin);
    expect(await served.unbound.isMine(asAccount)).toBe(true);
    release(asAccount);
  });
});

test("what is served under a contract shows the class of what is behind it", async () => {
  const bank = defineContract({ open: method([], reference(account)), plain: method([], reference(account)) });
  class Bank {
    open() {
      return new Account();
    }
    plain() {
      return byReference({ deposit: () => 1, balance: () => 1 });
    }
  }
  await using served = await contractPair(bank, new Bank());
  expect(`${served.bound}`).toMatch(/^\[remote Bank memory:/);
  using opened = await served.bound.open();
  expect(`${opened}`).toMatch(/^\[remote Account memory:/);
  using plain = await served.bound.plain();
  expect(`${plain}`).toMatch(/^\[remote Object memory:/);
});

describe("a result that is to be a reference", () => {
  const bank = defineContract({ open: method([], reference(account)), any: method([], reference()) });

  test("is refused at the callee when it has not the contract's methods, or is data", async () => {
    for (const wrong of [byReference({ deposit: () => 1 }), { deposit: () => 1, balance: () => 1 }, () => 1, 7]) {
      await using served = await contractPair(bank, { open: () => wrong as never, any: () => wrong as never });
      await expect(served.unbound.open()).rejects.toMatchObject({ code: "invalid-result", outcome: "executed" });
    }
  });

  test("is refused at the caller when it is none", async () => {
    for (const wrong of [{ deposit: 1 }, () => 1, 7, null]) {
      await using served = await pairOn(bank, { open: () => wrong, any: () => wrong });
      await expect(served.bound.open()).rejects.toMatchObject({ code: "invalid-result", outcome: "executed" });
      await expect(served.bound.any()).rejects.toMatchObject({ code: "invalid-result", outcome: "executed" });
    }
  });

  test("is the object that implement made, where the method returns what it is a method of", async () => {
    const self = defineContract({
      n: method([], z.number()),
      get me() {
        return method(
          [],
          reference(() => self),
        );
      },
    });
    const implementation = {
      n: () => 7,
      me() {
        return this as never;
      },
    };
    await using served = await contractPair(self, implementation);
    const me = await served.bound.me();
    expect(await me.n()).toBe(7);
    expect(await (await me.me()).n()).toBe(7);
    expect(me).toBe(served.bound);
  });
});

describe("without a contract", () => {
  const open = defineContract({ take: method([reference()], z.boolean()), give: method([], reference()) });

  test("any object by reference is taken, ours as itself, and nothing else", async () => {
    const mine = new Account();
    let taken: unknown;
    await using served = await contractPair(open, {
      take: (given) => {
        taken = given;
        return isRemote(given);
      },
      give: () => mine,
    });
    expect(await served.bound.take(new Account())).toBe(true);
    using given = await served.bound.give();
    expect(await served.bound.take(given)).toBe(false);
    expect(taken).toBe(mine);
    taken = undefined;
    await expect(served.unbound.take({})).rejects.toMatchObject(refused);
    await expect(served.unbound.take(() => 1)).rejects.toMatchObject(refused);
  });
});

describe("places for data", () => {
  const anything = defineContract({
    any: method([z.any()], z.boolean()),
    some: method([z.looseObject({}), z.unknown()], z.boolean()),
    mixed: method([reference(), z.any()], z.boolean()),
    give: method([], z.any()),
    nested: method(
      [z.object({ on: z.unknown().transform((value) => parse(callback([z.number()]), value)) })],
      z.boolean(),
    ),
  });

  const parse = (schema: ReturnType<typeof callback>, value: unknown) => {
    const checked = schema["~standard"].validate(value);
    if (checked instanceof Promise || checked.issues) throw new Error("not a function");
    return checked.value;
  };

  function serve() {
    const runs = { count: 0 };
    const ran = () => ++runs.count > 0;
    const implementation = { any: ran, some: ran, mixed: ran, give: () => ran as unknown, nested: ran };
    return contractPair(anything, implementation).then((served) => ({
      served,
      runs,
      [Symbol.asyncDispose]: () => served[Symbol.asyncDispose](),
    }));
  }

  test("let no function or object by reference through, however deep, and data as ever", async () => {
    await using it = await serve();
    const { served, runs } = it;
    const account = new Account();
    for (const smuggled of [
      () => 1,
      account,
      [account],
      { a: { b: () => 1 } },
      new Map([["k", account]]),
      new Set([account]),
    ]) {
      await expect(served.unbound.any(smuggled)).rejects.toMatchObject(refused);
      await expect(served.unbound.some({ extra: smuggled }, 1)).rejects.toMatchObject(refused);
      await expect(served.unbound.some({}, smuggled)).rejects.toMatchObject(refused);
    }
    await expect(served.unbound.any(served.unbound)).rejects.toMatchObject(refused);
    expect(runs.count).toBe(0);
    expect(await served.unbound.any({ a: [1, new Date(0)] })).toBe(true);
  });

  test("let through none that is also given where it may be", async () => {
    await using it = await serve();
    const given = new Account();
    await expect(it.served.unbound.mixed(given, { again: given })).rejects.toMatchObject(refused);
    expect(await it.served.unbound.mixed(given, { again: 1 })).toBe(true);
  });

  test("let none through to a caller who has the contract", async () => {
    await using it = await serve();
    await expect(it.served.bound.give()).rejects.toMatchObject({ code: "invalid-result", outcome: "executed" });
  });

  test("may have places for functions in them, where a library's schema asks ours", async () => {
    await using it = await serve();
    expect(await it.served.unbound.nested({ on: () => 1 })).toBe(true);
    expect(await it.served.bound.nested({ on: () => 1 })).toBe(true);
    await expect(it.served.unbound.nested({ on: () => 1, off: () => 1 })).rejects.toMatchObject(refused);
  });
});

describe("holds", () => {
  test("of one object under two contracts dispose it once, when the last goes", async () => {
    const disposed = vi.fn();
    const both = defineContract({ account: method([], reference(account)), admin: method([], reference(admin)) });
    const mine = Object.assign(new Account(), { [Symbol.dispose]: disposed });
    const object = byReference({
      deposit: (n: number) => mine.deposit(n),
      balance: () => mine.balance(),
      wipe: () => mine.wipe(),
      [Symbol.dispose]: disposed,
    });
    await using served = await contractPair(both, { account: () => object, admin: () => implement(admin, object) });
    const one = await served.bound.account();
    const two = await served.bound.admin();
    expect(served.pair.session.stats().exports).toBe(2);
    release(one);
    expect(await two.wipe()).toBe("wiped");
    expect(disposed).not.toHaveBeenCalled();
    release(two);
    await served.pair.assertEmpty();
    expect(disposed).toHaveBeenCalledOnce();
  });

  test("of a view of the front do not dispose the front", async () => {
    const disposed = vi.fn();
    const readers = defineContract({ n: method([], z.number()) });
    const writers = defineContract({ n: method([], z.number()), reader: method([], reference(readers)) });
    const front = {
      n: () => 1,
      reader() {
        return implement(readers, this);
      },
      [Symbol.dispose]: disposed,
    };
    await using served = await contractPair(writers, front);
    const reader = await served.bound.reader();
    expect(await reader.n()).toBe(1);
    release(reader);
    await served.pair.assertEmpty();
    expect(disposed).not.toHaveBeenCalled();
  });

  test("end when nobody looks at a view any more", async () => {
    const bank = defineContract({ open: method([], reference(account)) });
    await using served = await contractPair(bank, { open: () => new Account() });
    for (let i = 0; i < 10; i++) await (await served.bound.open()).deposit(1);
    collectGarbage();
    await served.pair.assertEmpty();
  });
});

test("a stub that is passed on is seen under the contract that it is passed on under", async () => {
  const bank = defineContract({ open: method([], reference(account)) });
  const vault = defineContract({ open: method([], reference(account)) });
  await using far = await pairOn(vault, { open: () => new Account() });
  await using near = await contractPair(bank, { open: () => far.unbound.open() as never });
  const relayed = (await near.unbound.open()) as Stub<unknown> &
    Record<string, (...args: unknown[]) => Promise<unknown>>;
  expect(await relayed["deposit"]?.(3)).toBe(3);
  await expect(relayed["wipe"]?.()).rejects.toThrow(/not-exposed/);
  release(relayed);
});
