import { describe, expect, test } from "vitest";
import { collectGarbage, turns } from "../../../conformance/src/index.ts";
import { memoryTransport } from "../../../transports/src/index.ts";
import {
  ByReference,
  byReference,
  isRemote,
  type Remote,
  release,
  sameReference,
  withOptions,
} from "../../src/index.ts";
import { frame } from "../../src/wire/frames.ts";
import { leakCheckedPair, memory, places, tcp } from "../session/pairs.ts";
import { RawPeer, RawReference } from "../session/raw-peer.ts";
import { failureOf, gate, until } from "../session/waiting.ts";

class Account extends ByReference {
  #balance = 0;
  disposals = 0;

  deposit(amount: number): number {
    this.#balance += amount;
    return this.#balance;
  }

  [Symbol.dispose](): void {
    this.disposals++;
  }
}

/** A bank with one account, that tells what it is given. */
function bank() {
  const account = new Account();
  const front = {
    account: () => account,
    accounts: () => [account, { again: account }, new Map([["key", account]])],
    isMine: (thing: unknown) => thing === account,
    areSame: (a: unknown, b: unknown) => a === b,
    fresh: () => new Account(),
    give: (thing: unknown) => thing,
  };
  return { account, front };
}

describe.each(places)("an object that is referenced, over $place,", ({ at }) => {
  test("is the same stub each time it comes", async () => {
    const { front } = bank();
    await using pair = await leakCheckedPair(front, {}, at);
    using stub = await pair.front.account();
    expect(isRemote(stub)).toBe(true);
    expect(await pair.front.account()).toBe(stub);
    const [first, second, third] = await pair.front.accounts();
    expect(first).toBe(stub);
    expect((second as { again: unknown }).again).toBe(stub);
    expect((third as Map<string, unknown>).get("key")).toBe(stub);
    expect(await stub.deposit(5)).toBe(5);
    expect(await stub.deposit(5)).toBe(10);
  });

  test("is the original again when it comes home, from arguments, arrays, keys and members", async () => {
    const { front, account } = bank();
    const seen: unknown[] = [];
    await using pair = await leakCheckedPair({ ...front, see: (value: unknown) => void seen.push(value) }, {}, at);
    using stub = await pair.front.account();
    expect(await pair.front.isMine(stub)).toBe(true);
    await pair.front.see([stub, { deep: stub }, new Map([[stub, stub]]), new Set([stub])]);
    expect(seen[0]).toStrictEqual([account, { deep: account }, new Map([[account, account]]), new Set([account])]);
    expect(await pair.front.give(stub)).toBe(stub);
  });

  test("keeps its identity when it is sent both ways at once", async () => {
    const { front } = bank();
    await using pair = await leakCheckedPair(front, {}, at);
    const stubs = await Promise.all(Array.from({ length: 20 }, () => pair.front.account()));
    using stub = stubs[0] as Remote<Account>;
    expect(new Set(stubs).size).toBe(1);
    const homes = await Promise.all(Array.from({ length: 20 }, () => pair.front.isMine(stub)));
    expect(new Set(homes)).toEqual(new Set([true]));
  });

  test("of ours is the same stub over there, each time, and the original when it is given back", async () => {
    const { front } = bank();
    await using pair = await leakCheckedPair(front, {}, at);
    const mine = byReference({ name: () => "mine" });
    const callback = () => "called";
    expect(await pair.front.areSame(mine, mine)).toBe(true);
    expect(await pair.front.areSame(callback, callback)).toBe(true);
    expect(await pair.front.areSame(mine, callback)).toBe(false);
    expect(await pair.front.give(mine)).toBe(mine);
    expect(await pair.front.give({ callback })).toEqual({ callback });
  });
});

describe("release", () => {
  test("gives up all holds at once, and the object is disposed", async () => {
    const { front, account } = bank();
    await using pair = await leakCheckedPair(front);
    const stub = await pair.front.account();
    await pair.front.accounts();
    expect(pair.session.stats().exports).toBe(1);
    release(stub);
    expect(pair.connection.stats().imports).toBe(0);
    await until(() => pair.session.stats().exports === 0);
    expect(account.disposals).toBe(1);
  });

  test("twice does nothing more", async () => {
    const { front, account } = bank();
    await using pair = await leakCheckedPair(front);
    const stub = await pair.front.account();
    release(stub);
    release(stub);
    stub[Symbol.dispose]();
    await until(() => account.disposals > 0);
    await turns(3);
    expect(account.disposals).toBe(1);
  });

  test("makes the stub stale for good: calls reject stale-reference, not-sent, and it can't be sent", async () => {
    const { front } = bank();
    await using pair = await leakCheckedPair(front);
    const stub = await pair.front.account();
    const { deposit } = stub;
    release(stub);
    await expect(deposit(1)).rejects.toMatchObject({ code: "stale-reference", outcome: "not-sent" });
    await expect(stub.deposit(1)).rejects.toMatchObject({ code: "stale-reference", outcome: "not-sent" });
    await expect(pair.front.isMine(stub)).rejects.toMatchObject({ code: "stale-reference", outcome: "not-sent" });
    expect(String(stub)).toContain("released");
  });

  test("of an object that is sent again leaves it to a new stub", async () => {
    const { front } = bank();
    await using pair = await leakCheckedPair(front);
    const old = await pair.front.account();
    release(old);
    using fresh = await pair.front.account();
    expect(fresh).not.toBe(old);
    expect(await fresh.deposit(1)).toBe(1);
    expect(sameReference(old, fresh)).toBe(false);
  });

  test("lets calls that were made before it finish, in the same turn too", async () => {
    const door = gate();
    class Slow extends ByReference {
      disposals = 0;

      async work(): Promise<string> {
        await door.opened;
        return `done before ${this.disposals} disposals`;
      }

      [Symbol.dispose](): void {
        this.disposals++;
      }
    }
    const slow = new Slow();
    await using pair = await leakCheckedPair({ slow: () => slow });
    const stub = await pair.front.slow();
    const work = stub.work();
    release(stub);
    await until(() => pair.session.stats().exports === 0);
    expect(slow.disposals).toBe(0);
    door.open();
    expect(await work).toBe("done before 0 disposals");
    await until(() => slow.disposals === 1);
  });

  test("leaves only behind large calls that were begun before it", async () => {
    const taken: number[] = [];
    class Sink extends ByReference {
      disposals = 0;

      take(bytes: Uint8Array): number {
        return taken.push(bytes.length);
      }

      [Symbol.dispose](): void {
        this.disposals++;
      }
    }
    const sink = new Sink();
    await using pair = await leakCheckedPair({ sink: () => sink }, {}, tcp);
    const stub = await pair.front.sink();
    const calls = [
      stub.take(new Uint8Array(3_000_000)),
      stub.take(new Uint8Array(10)),
      stub.take(new Uint8Array(400_000)),
    ];
    release(stub);
    expect(await Promise.all(calls)).toEqual([1, 2, 3]);
    expect(taken).toEqual([3_000_000, 10, 400_000]);
    await until(() => sink.disposals === 1);
  });

  test("leaves only behind a large call that takes the object home", async () => {
    const account = new Account();
    const front = { account: () => account, isMine: (thing: unknown, _ballast: Uint8Array) => thing === account };
    await using pair = await leakCheckedPair(front, {}, tcp);
    const stub = await pair.front.account();
    const isMine = pair.front.isMine(stub, new Uint8Array(4_000_000));
    release(stub);
    expect(await isMine).toBe(true);
    await until(() => account.disposals === 1);
  });

  test("leaves only behind calls that are held back", async () => {
    const door = gate();
    const seen: number[] = [];
    class Sink extends ByReference {
      async take(n: number): Promise<void> {
        seen.push(n);
        await door.opened;
      }
    }
    const limits = { maxRunningCalls: 1, maxQueuedCalls: 1 };
    await using pair = await leakCheckedPair({ sink: () => new Sink() }, { service: { limits } });
    const stub = await pair.front.sink();
    const calls = [1, 2, 3, 4, 5].map((n) => stub.take(n));
    release(stub);
    door.open();
    await Promise.all(calls);
    expect(seen).toEqual([1, 2, 3, 4, 5]);
  });

  test("while the object is on its way again does not lose it: holds are counted", async () => {
    const { front, account } = bank();
    await using pair = await leakCheckedPair(front);
    const stub = await pair.front.account();
    const again = pair.front.account();
    await until(() => pair.session.stats().callsIn === 2);
    release(stub);
    using fresh = await again;
    expect(await fresh.deposit(7)).toBe(7);
    expect(account.disposals).toBe(0);
    expect(pair.session.stats().exports).toBe(1);
  });

  test("of a view releases the reference: it is the same", async () => {
    const { front } = bank();
    await using pair = await leakCheckedPair(front);
    const stub = await pair.front.account();
    const view = withOptions(stub, { timeoutMs: 1_000 });
    expect(sameReference(view, stub)).toBe(true);
    expect(await pair.front.isMine(view)).toBe(true);
    release(view);
    await expect(stub.deposit(1)).rejects.toMatchObject({ code: "stale-reference" });
  });

  test("by using, when the scope ends", async () => {
    const { front, account } = bank();
    await using pair = await leakCheckedPair(front);
    {
      using stub = await pair.front.account();
      await stub.deposit(1);
    }
    await until(() => account.disposals === 1);
  });

  test("of what is no stub is refused", () => {
    expect(() => release({} as never)).toThrow(expect.objectContaining({ code: "invalid-argument" }));
  });

  test("of a function that was passed leaves the original callable and its stub stale", async () => {
    await using pair = await leakCheckedPair({
      async keep(callback: (n: number) => number): Promise<unknown[]> {
        const remote = callback as unknown as Remote<(n: number) => number>;
        const answer = await remote(20);
        release(remote);
        const failure = await failureOf(remote(21));
        return [answer, (failure as { code?: string }).code];
      },
    });
    expect(await pair.front.keep((n) => n + 1)).toEqual([21, "stale-reference"]);
  });

  test("of the front of a session does nothing", async () => {
    const client = { ping: () => "pong" };
    await using pair = await leakCheckedPair({ add: () => 1 }, { clientFront: client });
    const front = pair.session.front<typeof client>();
    release(front);
    expect(await front.ping()).toBe("pong");
  });
});

describe("an object is disposed", () => {
  test("once, when the last session that holds it lets go", async () => {
    const { front, account } = bank();
    await using first = await leakCheckedPair(front);
    await using raw = await RawPeer.connect(memoryTransport, first.service.uri);
    const stub = await first.front.account();
    raw.call(1, 0, "account");
    const { references } = await raw.nextResult();
    release(stub);
    await until(() => first.session.stats().exports === 0);
    expect(account.disposals).toBe(0);
    raw.release(references[0] as number, 1);
    await until(() => account.disposals > 0);
    await turns(3);
    expect(account.disposals).toBe(1);
  });

  test("when the session that holds it ends, in order or not", async () => {
    for (const end of ["closes", "vanishes"] as const) {
      const { front, account } = bank();
      await using pair = await leakCheckedPair(front);
      await using raw = await RawPeer.connect(memoryTransport, pair.service.uri);
      raw.call(1, 0, "account");
      raw.call(2, 0, "accounts");
      await raw.nextResult();
      await raw.nextResult();
      if (end === "closes") raw.send(frame.goodbye, (writer) => writer.raw(Uint8Array.of(1, 0x78, 0)));
      else raw.destroy();
      await until(() => account.disposals > 0);
      await turns(3);
      expect(account.disposals).toBe(1);
    }
  });

  test("when the session ends while one of its calls runs", async () => {
    const door = gate();
    class Slow extends ByReference {
      disposals = 0;

      work(): Promise<void> {
        return door.opened;
      }

      [Symbol.dispose](): void {
        this.disposals++;
      }
    }
    const slow = new Slow();
    await using pair = await leakCheckedPair({ slow: () => slow });
    await using raw = await RawPeer.connect(memoryTransport, pair.service.uri);
    raw.call(1, 0, "slow");
    const { references } = await raw.nextResult();
    raw.call(2, references[0] as number, "work");
    await until(
      () => pair.service.sessions.size === 2 && [...pair.service.sessions].some((s) => s.stats().runningCalls > 0),
    );
    raw.destroy();
    await until(() => slow.disposals > 0);
    door.open();
    await turns(3);
    expect(slow.disposals).toBe(1);
  });

  test("when the session ends in the middle of a large call on it", async () => {
    const { front, account } = bank();
    await using pair = await leakCheckedPair(front);
    await using raw = await RawPeer.connect(memoryTransport, pair.service.uri);
    raw.call(1, 0, "account");
    const { references } = await raw.nextResult();
    raw.beginCall(2, references[0] as number, "deposit", ["x".repeat(100_000)]);
    const session = [...pair.service.sessions].find((candidate) => candidate !== pair.session);
    await until(() => session?.stats().callsIn === 2);
    raw.destroy();
    await session?.closed;
    expect(account.disposals).toBe(1);
  });

  test("never while it is published or a front, and never for having been one", async () => {
    const { front, account } = bank();
    const offered = Object.assign(front, { disposals: 0, self: () => front });
    Object.defineProperty(offered, Symbol.dispose, { value: () => offered.disposals++ });
    {
      await using pair = await leakCheckedPair(offered, { published: { account } });
      using published = await pair.connection.lookup<Account>("account");
      expect(await published.deposit(1)).toBe(1);
      expect(await pair.front.self()).toBe(pair.front);
    }
    expect(account.disposals).toBe(0);
    expect(offered.disposals).toBe(0);
  });

  test("and an error it throws goes to onError, not to anybody's call", async () => {
    class Stubborn extends ByReference {
      [Symbol.dispose](): void {
        throw new Error("I stay");
      }
    }
    await using pair = await leakCheckedPair({ stubborn: () => new Stubborn(), add: () => 1 });
    release(await pair.front.stubborn());
    await until(() => pair.reported.service.length > 0);
    expect(pair.takeReported().service).toEqual([expect.objectContaining({ message: "I stay" })]);
    expect(await pair.front.add()).toBe(1);
  });

  test("as a function with a dispose of its own", async () => {
    let disposals = 0;
    const counter = Object.assign(() => 1, { [Symbol.dispose]: () => void disposals++ });
    await using pair = await leakCheckedPair({ counter: () => counter });
    release(await pair.front.counter());
    await until(() => disposals === 1);
  });
});

describe("a stub that nobody holds any more", () => {
  test("gives its hold back by itself", async () => {
    const { front } = bank();
    await using pair = await leakCheckedPair(front);
    await Promise.all(Array.from({ length: 100 }, async () => void (await pair.front.fresh())));
    await pair.assertEmpty();
  });

  test("lives on while a method taken off it is held", async () => {
    const { front } = bank();
    await using pair = await leakCheckedPair(front);
    let deposit: ((amount: number) => Promise<number>) | undefined = await (async () =>
      (await pair.front.fresh()).deposit)();
    for (let i = 0; i < 3; i++) {
      collectGarbage();
      await turns(2);
    }
    expect(await deposit(3)).toBe(3);
    deposit = undefined;
    await pair.assertEmpty();
  });

  test("as a callback that was passed and dropped lets go of the function here", async () => {
    await using pair = await leakCheckedPair({ drop: (_callback: () => void) => {} });
    for (let i = 0; i < 50; i++) await pair.front.drop(() => {});
    await pair.assertEmpty();
  });
});

describe("holds in arguments", () => {
  test("that are refused before they were looked at are undone by the sender", async () => {
    const front = { known: () => 1 };
    await using pair = await leakCheckedPair<{ unknown(callback: () => void): void }>(front as never);
    await expect(pair.front.unknown(() => {})).rejects.toMatchObject({ code: "not-exposed" });
    expect(pair.connection.stats().exports).toBe(0);
  });

  test("that were looked at and then refused are the receiver's, which gives them back", async () => {
    await using pair = await leakCheckedPair(
      { take: (_callback: () => void) => {} },
      { service: { authorize: [() => false] } },
    );
    await expect(pair.front.take(() => {})).rejects.toMatchObject({ code: "denied" });
    await pair.assertEmpty();
  });

  test("of a call that could not be sent are undone", async () => {
    await using pair = await leakCheckedPair({ take: (..._things: unknown[]) => {} });
    await expect(pair.front.take(() => {}, new Account(), Symbol("x"))).rejects.toMatchObject({ outcome: "not-sent" });
    expect(pair.connection.stats().exports).toBe(0);
  });

  test("are one for each message, however often the object stands in it", async () => {
    const { front } = bank();
    await using pair = await leakCheckedPair(front);
    await using raw = await RawPeer.connect(memoryTransport, pair.service.uri);
    raw.call(1, 0, "accounts");
    const { references } = await raw.nextResult();
    const [session] = [...pair.service.sessions].filter((candidate) => candidate !== pair.session);
    raw.release(references[0] as number, references.length);
    await until(() => session?.stats().exports === 0);
    expect(session?.state).toBe("open");
  });
});

describe("a stub passed on to a third process", () => {
  test("reaches the same object through a relay, and keeps its identity there", async () => {
    const { front, account } = bank();
    await using far = await leakCheckedPair(front);
    using relayed = await far.front.account();
    await using near = await leakCheckedPair({ account: () => relayed, isIt: (thing: unknown) => thing === relayed });
    using stub = await near.front.account();
    expect(await stub.deposit(4)).toBe(4);
    expect(account.deposit(0)).toBe(4);
    expect(await near.front.account()).toBe(stub);
    expect(await near.front.isIt(stub)).toBe(true);
    expect(sameReference(stub, relayed)).toBe(false);
  });

  test("stays usable here when the third process gives it up", async () => {
    const { front, account } = bank();
    await using far = await leakCheckedPair(front);
    using relayed = await far.front.account();
    await using near = await leakCheckedPair({ account: () => relayed });
    release(await near.front.account());
    await until(() => near.session.stats().exports === 0);
    expect(await relayed.deposit(2)).toBe(2);
    expect(account.disposals).toBe(0);
  });

  test("as what connect returned keeps its connection when the third process gives it up", async () => {
    await using far = await leakCheckedPair({ add: (a: number, b: number) => a + b });
    await using near = await leakCheckedPair({ calculator: () => far.front });
    const calculator = await near.front.calculator();
    expect(await calculator.add(5, 3)).toBe(8);
    release(calculator);
    await until(() => near.session.stats().exports === 0);
    expect(await far.front.add(5, 3)).toBe(8);
  });

  test("fails there as stale when it was released here", async () => {
    const { front } = bank();
    await using far = await leakCheckedPair(front);
    const relayed = await far.front.account();
    await using near = await leakCheckedPair({ account: () => relayed });
    using stub = await near.front.account();
    release(relayed);
    await expect(stub.deposit(1)).rejects.toMatchObject({ code: "stale-reference" });
  });

  test("round a triangle comes back as a relay, which reaches the original", async () => {
    const account = new Account();
    await using first = await leakCheckedPair({ give: (thing: unknown) => thing }, {}, memory);
    await using second = await leakCheckedPair({ forward: (thing: unknown) => first.front.give(thing) });
    const back = (await second.front.forward(account)) as unknown;
    expect(back === account || isRemote(back)).toBe(true);
    expect(await (back as Remote<Account>).deposit(6)).toBe(6);
    expect(account.deposit(0)).toBe(6);
  });
});

describe("references a peer makes up", () => {
  test("as Map keys that are one and the same are refused", async () => {
    await using pair = await leakCheckedPair({ take: (_value: unknown) => {} });
    await using raw = await RawPeer.connect(memoryTransport, pair.service.uri);
    const make = () => new RawReference("object", 4);
    raw.call(1, 0, "take", [
      new Map([
        [make(), 1],
        [make(), 2],
      ]),
    ]);
    expect(await raw.nextError()).toMatchObject({ parts: ["protocol", expect.any(String), "not-executed"] });
  });
});
