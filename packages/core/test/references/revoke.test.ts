import { describe, expect, test } from "vitest";
import { turns } from "../../../conformance/src/index.ts";
import { memoryTransport } from "../../../transports/src/index.ts";
import {
  ByReference,
  byReference,
  type Down,
  isRemote,
  monitor,
  perCall,
  perSession,
  pipeline,
  type Remote,
  release,
  revoke,
  sameReference,
} from "../../src/index.ts";
import { callFlag, frame } from "../../src/wire/frames.ts";
import { leakCheckedPair, places } from "../session/pairs.ts";
import { RawPeer, RawReference } from "../session/raw-peer.ts";
import { failureOf, gate, until } from "../session/waiting.ts";

const staleHere = { code: "stale-reference", outcome: "not-sent" };
const staleThere = { code: "stale-reference", outcome: "not-executed" };

class Account extends ByReference {
  disposals = 0;
  readonly #door = gate();

  deposit(amount: number): number {
    return amount;
  }

  async wait(): Promise<string> {
    await this.#door.opened;
    return `finished before ${this.disposals} disposals`;
  }

  open(): void {
    this.#door.open();
  }

  [Symbol.dispose](): void {
    this.disposals++;
  }
}

function bank() {
  const account = new Account();
  const front = {
    account: () => account,
    isMine: (thing: unknown) => thing === account,
    fresh: () => new Account(),
    deposit: async (thing: Remote<Account>) => thing.deposit(1),
  };
  return { account, front };
}

describe.each(places)("an object that its owner revokes, over $place,", ({ at }) => {
  test("is stale: not-executed until the news is there, then not-sent", async () => {
    const { account, front } = bank();
    await using pair = await leakCheckedPair(front, {}, at);
    const stub = await pair.front.account();
    revoke(account);
    await expect(stub.deposit(1)).rejects.toMatchObject(staleThere);
    await until(() => pair.connection.stats().imports === 0);
    await expect(stub.deposit(1)).rejects.toMatchObject(staleHere);
    await expect(pair.front.isMine(stub)).rejects.toMatchObject(staleHere);
    expect(String(stub)).toContain("revoked");
    expect(account.disposals).toBe(1);
  });

  test("is a new reference when it is sent again, and is not disposed twice", async () => {
    const { account, front } = bank();
    await using pair = await leakCheckedPair(front, {}, at);
    const old = await pair.front.account();
    revoke(account);
    using fresh = await pair.front.account();
    expect(fresh).not.toBe(old);
    expect(sameReference(fresh, old)).toBe(false);
    expect(await fresh.deposit(3)).toBe(3);
    expect(await pair.front.isMine(fresh)).toBe(true);
    await expect(old.deposit(1)).rejects.toMatchObject({ code: "stale-reference" });
    release(fresh);
    await until(() => pair.session.stats().exports === 0);
    expect(account.disposals).toBe(1);
  });
});

describe("revoke", () => {
  test("ends the holds of all sessions of all endpoints, in both directions", async () => {
    const { account, front } = bank();
    const kept: Remote<Account>[] = [];
    const keeper = { keep: (stub: Remote<Account>) => void kept.push(stub) };
    await using one = await leakCheckedPair(front);
    await using two = await leakCheckedPair(front);
    await using three = await leakCheckedPair(keeper);
    await using raw = await RawPeer.connect(memoryTransport, one.service.uri);
    raw.call(1, 0, "account");
    const { references } = await raw.nextResult();
    const stubs = [await one.front.account(), await two.front.account()];
    await three.front.keep(account as never);
    revoke(account);
    for (const stub of [...stubs, ...kept]) {
      await expect(stub.deposit(1)).rejects.toMatchObject({ code: "stale-reference" });
    }
    raw.call(2, references[0] as number, "deposit", [1]);
    expect(await raw.nextError()).toMatchObject({ parts: ["stale-reference", expect.any(String), "not-executed"] });
    expect(account.disposals).toBe(1);
    raw.release(references[0] as number, 1);
    expect(await two.front.isMine(account as never)).toBe(false);
  });

  test("does nothing to what nobody holds: never sent, given back, or data", async () => {
    const { account, front } = bank();
    await using pair = await leakCheckedPair(front);
    revoke(account);
    release(await pair.front.account());
    await until(() => account.disposals === 1);
    revoke(account);
    revoke({});
    revoke(() => {});
    expect(account.disposals).toBe(1);
    using stub = await pair.front.account();
    expect(await stub.deposit(1)).toBe(1);
  });

  test("twice does nothing more", async () => {
    const { account, front } = bank();
    await using pair = await leakCheckedPair(front);
    const told: Down[] = [];
    const stub = await pair.front.account();
    monitor(stub, (down) => told.push(down));
    revoke(account);
    revoke(account);
    await until(() => told.length > 0);
    await turns(5);
    expect(told).toEqual([{ reason: "disposed" }]);
    expect(account.disposals).toBe(1);
  });

  test("lets running calls finish, disposes the object after them, and refuses the next", async () => {
    const { account, front } = bank();
    await using pair = await leakCheckedPair(front);
    const stub = await pair.front.account();
    const waits = [stub.wait(), stub.wait()];
    await until(() => pair.session.stats().runningCalls === 2);
    revoke(account);
    await expect(stub.deposit(1)).rejects.toMatchObject({ code: "stale-reference" });
    expect(account.disposals).toBe(0);
    account.open();
    expect(await Promise.all(waits)).toEqual(Array(2).fill("finished before 0 disposals"));
    await until(() => account.disposals === 1);
  });

  test("refuses calls that wait for a slot, and runs none of them", async () => {
    const { account, front } = bank();
    const limits = { maxRunningCalls: 1 };
    await using pair = await leakCheckedPair(front, { service: { limits } });
    const stub = await pair.front.account();
    const running = stub.wait();
    const waiting = stub.deposit(1);
    await until(() => pair.session.stats().callsIn === 3);
    revoke(account);
    account.open();
    expect(await running).toBe("finished before 0 disposals");
    await expect(waiting).rejects.toMatchObject(staleThere);
    await until(() => account.disposals === 1);
  });

  test("refuses a call that somebody is being asked about", async () => {
    const { account, front } = bank();
    const door = gate<boolean>();
    const authorize = [({ method }: { method: string }) => (method === "deposit" ? door.opened : true)];
    await using pair = await leakCheckedPair(front, { service: { authorize } });
    const stub = await pair.front.account();
    const asked = stub.deposit(1);
    await until(() => pair.session.stats().runningCalls === 1);
    revoke(account);
    door.open(true);
    await expect(asked).rejects.toMatchObject(staleThere);
    await until(() => account.disposals === 1);
  });

  test("by a method of the object itself lets the method answer, with the object too", async () => {
    class Ticket extends ByReference {
      disposals = 0;

      use(): string {
        revoke(this);
        return "used";
      }

      renew(): this {
        revoke(this);
        return this;
      }

      [Symbol.dispose](): void {
        this.disposals++;
      }
    }
    const ticket = new Ticket();
    await using pair = await leakCheckedPair({ ticket: () => ticket });
    const first = await pair.front.ticket();
    using second = await first.renew();
    expect(second).not.toBe(first);
    expect(ticket.disposals).toBe(0);
    expect(await second.use()).toBe("used");
    await until(() => ticket.disposals === 1);
    await expect(second.use()).rejects.toMatchObject({ code: "stale-reference" });
  });

  test("of a front makes it stale for who is connected; the session stays, and it is not disposed", async () => {
    const { front } = bank();
    let disposals = 0;
    const offered = Object.assign(front, { me: () => offered, [Symbol.dispose]: () => void disposals++ });
    await using pair = await leakCheckedPair(offered, { published: { bank: offered } });
    using account = await pair.front.account();
    revoke(offered);
    await expect(pair.front.account()).rejects.toMatchObject(staleThere);
    await turns(5);
    await expect(pair.front.account()).rejects.toMatchObject(staleHere);
    expect(await account.deposit(1)).toBe(1);
    using again = await pair.connection.lookup<typeof offered>("bank");
    expect(await again.isMine(account)).toBe(true);
    const later = await RawPeer.connect(memoryTransport, pair.service.uri);
    later.call(1, 0, "isMine", [1]);
    expect(await later.nextResult()).toMatchObject({ value: false });
    await later[Symbol.asyncDispose]();
    expect(pair.connection.state).toBe("open");
    expect(disposals).toBe(0);
  });

  test("of a front of one session leaves its disposal to the session's end", async () => {
    const made: Account[] = [];
    const front = perSession(() => {
      const account = new Account();
      made.push(account);
      return account;
    });
    const pair = await leakCheckedPair(front);
    revoke(made[0] as Account);
    await expect(pair.front.deposit(1)).rejects.toMatchObject({ code: "stale-reference" });
    expect(made[0]?.disposals).toBe(0);
    await pair[Symbol.asyncDispose]();
    expect(made[0]?.disposals).toBe(1);
  });

  test("of what perCall made ends nothing but what was handed out of it", async () => {
    class Work extends ByReference {
      self(): this {
        return this;
      }
    }
    const made: Work[] = [];
    const front = perCall(() => {
      const work = new Work();
      made.push(work);
      return work;
    });
    await using pair = await leakCheckedPair(front);
    const stub = await pair.front.self();
    revoke(made[0] as Work);
    await expect(stub.self()).rejects.toMatchObject({ code: "stale-reference" });
    using another = await pair.front.self();
    expect(isRemote(another)).toBe(true);
  });

  test("of a published object leaves it published", async () => {
    const { account, front } = bank();
    await using pair = await leakCheckedPair(front, { published: { account } });
    const stub = await pair.connection.lookup<Account>("account");
    revoke(account);
    await expect(stub.deposit(1)).rejects.toMatchObject({ code: "stale-reference" });
    using again = await pair.connection.lookup<Account>("account");
    expect(await again.deposit(2)).toBe(2);
    expect(account.disposals).toBe(0);
  });

  test("of what connect was given by name makes it stale and keeps the connection", async () => {
    const { account } = bank();
    await using pair = await leakCheckedPair(account, { published: { account }, name: "account" });
    revoke(account);
    await expect(pair.front.deposit(1)).rejects.toMatchObject({ code: "stale-reference" });
    expect(pair.connection.state).toBe("open");
  });

  test("of a function", async () => {
    const callback = () => "called";
    let kept: Remote<() => string> | undefined;
    await using pair = await leakCheckedPair({
      keep: async (given: () => string) => {
        kept = given as unknown as Remote<() => string>;
        return kept();
      },
    });
    expect(await pair.front.keep(callback)).toBe("called");
    revoke(callback);
    await expect(kept?.()).rejects.toMatchObject({ code: "stale-reference" });
    kept = undefined;
  });

  test("of what is frozen", async () => {
    const frozen = Object.freeze(byReference({ ping: () => "pong" }));
    await using pair = await leakCheckedPair({ frozen: () => frozen });
    const stub = await pair.front.frozen();
    expect(await stub.ping()).toBe("pong");
    revoke(frozen);
    await expect(stub.ping()).rejects.toMatchObject({ code: "stale-reference" });
  });

  test("of a stub that was handed on ends the relay, not the stub", async () => {
    const { account, front } = bank();
    await using far = await leakCheckedPair(front);
    using relayed = await far.front.account();
    await using near = await leakCheckedPair({ account: () => relayed });
    const stub = await near.front.account();
    revoke(relayed);
    await expect(stub.deposit(1)).rejects.toMatchObject({ code: "stale-reference" });
    expect(await relayed.deposit(2)).toBe(2);
    expect(account.disposals).toBe(0);
  });
});

describe("an object that is revoked on its way", () => {
  test("in a result arrives and is stale at once; its monitor says so", async () => {
    const account = new Account();
    const front = {
      account: () => {
        queueMicrotask(() => revoke(account));
        return account;
      },
    };
    await using pair = await leakCheckedPair(front);
    const told: Down[] = [];
    const stub = await pair.front.account();
    monitor(stub, (down) => told.push(down));
    await until(() => told.length > 0);
    expect(told).toEqual([{ reason: "disposed" }]);
    expect(account.disposals).toBe(1);
  });

  test("in a large result that is still being sent is stale when it is there", async () => {
    const account = new Account();
    const front = { account: () => ({ account, ballast: new Uint8Array(4_000_000) }), ping: () => "pong" };
    await using pair = await leakCheckedPair(front);
    const result = pair.front.account();
    await until(() => pair.session.stats().exports === 1);
    revoke(account);
    const told: Down[] = [];
    const stub = (await result).account as unknown as Remote<Account>;
    monitor(stub, (down) => told.push(down));
    await until(() => told.length > 0);
    expect(told).toEqual([{ reason: "disposed" }]);
    expect(await pair.front.ping()).toBe("pong");
  });

  test("in the arguments of a call that is held back is stale when they are there", async () => {
    const { account } = bank();
    const door = gate();
    const told: Down[] = [];
    const front = {
      wait: () => door.opened,
      take: (stub: Account) => void monitor(stub, (down) => told.push(down)),
    };
    const limits = { maxRunningCalls: 1, maxQueuedCalls: 1 };
    await using pair = await leakCheckedPair(front, { service: { limits } });
    const waits = [pair.front.wait(), pair.front.wait()];
    const takes = [pair.front.take(account), pair.front.take(account)];
    expect(pair.connection.stats().exports).toBe(1);
    revoke(account);
    expect(account.disposals).toBe(1);
    door.open();
    await Promise.all([...waits, ...takes]);
    await until(() => told.length === 2);
    expect(told.map(({ reason }) => reason)).toEqual(["disposed", "disposed"]);
  });

  test("is told of though calls wait: who holds it already need not wait for them", async () => {
    const door = gate();
    const account = new Account();
    const told: Down[] = [];
    const front = {
      take: (stub: Account) => void monitor(stub, (down) => told.push(down)),
      wait: () => door.opened,
    };
    const limits = { maxRunningCalls: 1, maxQueuedCalls: 1 };
    await using pair = await leakCheckedPair(front, { service: { limits } });
    await pair.front.take(account);
    const waits = Array.from({ length: 5 }, () => pair.front.wait());
    revoke(account);
    await until(() => told.length > 0);
    door.open();
    await Promise.all(waits);
  });

  test("in arguments that are refused before they are looked at leaves nothing behind", async () => {
    const account = new Account();
    const front = { known: () => 1 };
    await using pair = await leakCheckedPair<{ unknown(account: Account): void }>(front as never);
    const refused = pair.front.unknown(account);
    revoke(account);
    await expect(refused).rejects.toMatchObject({ code: "not-exposed" });
    expect(account.disposals).toBe(1);
  });

  test("home fails its call: in arguments not-executed, in a result executed", async () => {
    const { account, front } = bank();
    const back: unknown[] = [];
    const client = { give: (thing: unknown) => thing, giveLate: (_thing: unknown) => back[0] };
    await using pair = await leakCheckedPair(front, { clientFront: client });
    const stub = await pair.front.account();
    back.push(stub);
    const isMine = pair.front.isMine(stub);
    revoke(account);
    await expect(isMine).rejects.toMatchObject(staleThere);
    const echo = pair.session.front<typeof client>().give(account);
    await until(() => pair.connection.stats().callsIn === 1);
    revoke(account);
    expect(await failureOf(echo)).toMatchObject({ code: "stale-reference", outcome: "executed" });
    await expect(pair.session.front<typeof client>().giveLate(1)).rejects.toMatchObject({ code: "stale-reference" });
  });

  test("as the step of a pipeline is stale to the calls on it, and as their argument", async () => {
    const { account, front } = bank();
    await using pair = await leakCheckedPair(front);
    await using raw = await RawPeer.connect(memoryTransport, pair.service.uri);
    raw.callFlagged(callFlag.keepResult, 1, 0, "account");
    const { references } = await raw.nextResult();
    revoke(account);
    raw.callFlagged(callFlag.onResult, 2, 1, "deposit", [1]);
    expect(await raw.nextError()).toMatchObject({ parts: ["stale-reference", expect.any(String), "not-executed"] });
    raw.callFlagged(callFlag.resultArguments, 3, 0, "isMine", [new RawReference("result", 1)]);
    expect(await raw.nextError()).toMatchObject({ parts: ["stale-reference", expect.any(String), "not-executed"] });
    raw.cancel(1);
    raw.release(references[0] as number, 1);
    expect(await pipeline(pair.front).account().deposit(5)).toBe(5);
  });
});

describe("what a peer still believes to hold of a revoked object", () => {
  test("it may give back, once and not more", async () => {
    const { account, front } = bank();
    await using pair = await leakCheckedPair(front);
    const raw = await RawPeer.connect(memoryTransport, pair.service.uri);
    const ids: number[] = [];
    for (const call of [1, 2, 3]) {
      raw.call(call, 0, "account");
      ids.push(...(await raw.nextResult()).references);
    }
    revoke(account);
    const { payload, code } = await raw.next(frame.down);
    expect([code, ...payload]).toEqual([0xa5, 0, 0, ids[0]]);
    raw.release(ids[0] as number, 2);
    raw.call(4, 0, "isMine", [1]);
    expect(await raw.nextResult()).toMatchObject({ value: false });
    raw.release(ids[0] as number, 2);
    expect(await raw.goodbye()).toMatchObject({ code: "protocol" });
    await raw[Symbol.asyncDispose]();
  });

  test("counts as an export until it is given back, so that nothing grows", async () => {
    const { front } = bank();
    const made: Account[] = [];
    const fresh = () => {
      const account = new Account();
      made.push(account);
      return account;
    };
    await using pair = await leakCheckedPair({ ...front, fresh }, { service: { limits: { maxExports: 3 } } });
    await using raw = await RawPeer.connect(memoryTransport, pair.service.uri);
    for (const call of [1, 2, 3]) {
      raw.call(call, 0, "fresh");
      await raw.nextResult();
    }
    for (const account of made) revoke(account);
    raw.call(4, 0, "fresh");
    expect(await raw.nextError()).toMatchObject({ parts: ["limit-exceeded", expect.any(String), "executed"] });
    raw.release(1, 1);
    raw.call(5, 0, "fresh");
    expect((await raw.nextResult()).references).toEqual([4]);
  });

  test("an honest one gives back: as many can be revoked as there are", async () => {
    const made: Account[] = [];
    const fresh = () => {
      const account = new Account();
      made.push(account);
      return account;
    };
    await using pair = await leakCheckedPair({ fresh }, { service: { limits: { maxExports: 3 } } });
    for (let i = 0; i < 50; i++) {
      await pair.front.fresh();
      revoke(made[i] as Account);
      await until(() => pair.connection.stats().imports === 0);
    }
    expect(made.every(({ disposals }) => disposals === 1)).toBe(true);
  });
});

describe("what a peer says of its references", () => {
  const told: Down[] = [];
  const keeper = {
    watch: (stub: object) => void monitor(stub, (down) => told.push(down)),
    call: async (stub: { ping(): Promise<unknown> }) => {
      await turns(3);
      return stub.ping().catch((error: { code: string; outcome: string }) => [error.code, error.outcome]);
    },
  };

  test.each([
    ["revoked", [0, 0], { reason: "disposed" }, ["stale-reference", "not-sent"]],
    ["closed", [1, 0], { reason: "closed" }, ["closed", "not-sent"]],
    ["lost, and why", [2, 2, 0x6f, 0x6b], { reason: "session-lost", error: { detail: "ok" } }, ["closed", "not-sent"]],
    ["gone in a way of a later version", [9, 0], { reason: "closed" }, ["closed", "not-sent"]],
  ])("%s", async (_what, head, down, failure) => {
    told.length = 0;
    await using pair = await leakCheckedPair(keeper);
    await using raw = await RawPeer.connect(memoryTransport, pair.service.uri);
    raw.call(1, 0, "watch", [new RawReference("object", 5, "Thing")]);
    raw.call(2, 0, "call", [new RawReference("object", 5, "Thing")]);
    raw.send(frame.down, (writer) => writer.raw(Uint8Array.of(...head, 5, 77, 0)));
    expect(await raw.nextResult()).toMatchObject({ callId: 1 });
    expect((await raw.next(frame.release)).payload).toEqual(Uint8Array.of(5, 2));
    expect(await raw.nextResult()).toMatchObject({ callId: 2, value: failure });
    expect(told).toMatchObject([down]);
    expect(told[0]?.error === undefined).toBe(!("error" in down));
  });

  test.each([
    ["nothing", []],
    ["a text that is not there", [0, 5]],
    ["a reference that is cut", [0, 0, 0x80]],
  ])("and does not say whole, ends the session: %s", async (_what, payload) => {
    await using pair = await leakCheckedPair(keeper);
    const raw = await RawPeer.connect(memoryTransport, pair.service.uri);
    raw.send(frame.down, (writer) => writer.raw(Uint8Array.of(...payload)));
    expect(await raw.goodbye()).toMatchObject({ code: "protocol" });
    await raw[Symbol.asyncDispose]();
  });

  test("of more than fit into a frame ends the session", async () => {
    await using pair = await leakCheckedPair(keeper);
    const raw = await RawPeer.connect(memoryTransport, pair.service.uri);
    raw.sendLarge(frame.down, new Uint8Array(65_537));
    expect(await raw.goodbye()).toMatchObject({ code: "protocol" });
    await raw[Symbol.asyncDispose]();
  });
});
