import {
  type AuditEntry,
  byReference,
  currentCall,
  defineContract,
  expose,
  implement,
  isRemote,
  method,
  perSession,
  type Remote,
  reference,
  release,
  revoke,
  sameReference,
  serialized,
  withOptions,
} from "farref";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { ManualClock } from "../../../conformance/src/index.ts";
import { places } from "../../../core/test/session/pairs.ts";
import { RawPeer } from "../../../core/test/session/raw-peer.ts";
import { failureOf, gate, until } from "../../../core/test/session/waiting.ts";
import { memoryTransport } from "../../../transports/src/index.ts";
import { Account, FarAccount, nextTurn } from "./accounts.ts";
import { leakCheckedPair } from "./pairs.ts";

/** A hundred deposits from two clients at once. */
async function depositHundred(front: Remote<Account>): Promise<void> {
  await Promise.all(Array.from({ length: 100 }, () => front.deposit(1)));
}

describe.each(places)("calls from afar ($place)", ({ at }) => {
  test("lose nothing to each other, as they do without", async () => {
    await using racing = await leakCheckedPair(new Account(), {}, at);
    await depositHundred(racing.front);
    expect(await racing.front.balance()).toBeLessThan(100);

    const account = new Account();
    await using pair = await leakCheckedPair(serialized(account), {}, at);
    await depositHundred(pair.front);
    expect(await pair.front.balance()).toBe(100);
    expect(account.seen.atOnce).toBe(1);
  });

  test("share the line with calls of this process and of other clients", async () => {
    const account = serialized(new Account());
    await using one = await leakCheckedPair(account, {}, at);
    await using other = await leakCheckedPair(account, {}, at);
    const here = Promise.all(Array.from({ length: 50 }, () => account.deposit(1)));
    await Promise.all([depositHundred(one.front), depositHundred(other.front), here]);
    expect(account.balance()).toBe(250);
    expect(account.seen.atOnce).toBe(1);
  });

  test("are answered in the order they came, failed ones among them", async () => {
    await using pair = await leakCheckedPair(serialized(new Account()), {}, at);
    const { front } = pair;
    const answers: unknown[] = [];
    const calls = [front.deposit(1), front.failLater("late"), front.balance(), front.fail("at once"), front.deposit(1)];
    for (const [i, call] of calls.entries()) {
      call.then(
        (value) => answers.push([i, value]),
        () => answers.push(i),
      );
    }
    await Promise.allSettled(calls);
    expect(answers).toEqual([[0, 1], 1, [2, 1], 3, [4, 2]]);
    await expect(front.failLater("again")).rejects.toMatchObject({ remoteName: "RangeError", outcome: "executed" });
  });
});

describe("what is offered", () => {
  test("is what the original offers", async () => {
    await using pair = await leakCheckedPair(serialized(new Account()));
    const front = pair.front as unknown as Record<string, () => Promise<unknown>>;
    for (const name of ["_secret", "owner", "doubled", "seen", "constructor", "hasOwnProperty", "missing"]) {
      const call = withOptions(front, {})[name];
      if (call) await expect(call(), name).rejects.toMatchObject({ code: "not-exposed" });
    }
    expect(`${pair.front}`).toMatch(/^\[remote Account /);
  });

  test("is a plain object's own functions, or the function", async () => {
    let count = 0;
    async function increment(): Promise<number> {
      const before = count;
      await nextTurn();
      count = before + 1;
      return count;
    }
    await using plain = await leakCheckedPair(serialized({ increment }));
    expect(await Promise.all([plain.front.increment(), plain.front.increment()])).toEqual([1, 2]);
    await using callable = await leakCheckedPair(serialized(increment));
    expect(await Promise.all([callable.front(), callable.front()])).toEqual([3, 4]);
    expect(`${callable.front}`).toMatch(/^\[remote increment /);
  });

  test("can be listed or put under a contract, before and after", async () => {
    const map = new Map([["a", 1]]);
    await using listed = await leakCheckedPair(serialized(expose(map, ["get", "set"])));
    await using exposed = await leakCheckedPair(expose(serialized(map), ["get"]));
    expect([await listed.front.get("a"), await exposed.front.get("a")]).toEqual([1, 1]);

    const contract = defineContract({ deposit: method([z.number().positive()], z.number()) });
    for (const front of [
      serialized(implement(contract, new Account())),
      implement(contract, serialized(new Account())),
    ]) {
      await using pair = await leakCheckedPair(front);
      const sums = await Promise.all([pair.front.deposit(1), pair.front.deposit(2)]);
      expect(sums).toEqual([1, 3]);
      await expect(pair.front.deposit(-1)).rejects.toMatchObject({ code: "invalid-argument", outcome: "not-executed" });
    }
  });

  test("comes home to a contract as what left", async () => {
    const account = defineContract({ deposit: method([z.number()], z.number()) });
    const bank = defineContract({
      account: method([], reference(account)),
      isSame: method([reference(account)], z.boolean()),
    });
    const offered = serialized(implement(account, new Account()));
    const front = implement(bank, { account: () => offered, isSame: (given: unknown) => given === offered });
    await using pair = await leakCheckedPair(front);
    expect(await pair.front.isSame(await pair.front.account())).toBe(true);
  });

  test("is marked if the original is, and else refused as the original would be", async () => {
    const account = serialized(new FarAccount());
    const unmarked = serialized(new Account());
    await using pair = await leakCheckedPair({ account: () => account, unmarked: () => unmarked });
    using stub = await pair.front.account();
    expect(isRemote(stub)).toBe(true);
    expect(await Promise.all([stub.deposit(1), stub.deposit(1)])).toEqual([1, 2]);
    await expect(pair.front.unmarked()).rejects.toMatchObject({ code: "unsupported-value" });
    byReference(unmarked);
    using now = (await pair.front.unmarked()) as unknown as Remote<Account>;
    expect(await Promise.all([now.deposit(1), now.deposit(1)])).toEqual([1, 2]);
  });

  test("comes home as the serialized object, and is the same stub each time", async () => {
    const account = serialized(new FarAccount());
    await using pair = await leakCheckedPair({
      account: () => account,
      isSame: (given: unknown) => given === account,
    });
    using stub = await pair.front.account();
    expect(await pair.front.isSame(stub)).toBe(true);
    expect(await pair.front.account()).toBe(stub);
    expect(sameReference(await stub.itself(), stub)).toBe(true);
  });

  test("can be published, and a front for each session", async () => {
    await using published = await leakCheckedPair<Account>(undefined, {
      published: { account: serialized(new Account()) },
      name: "account",
    });
    expect(await Promise.all([published.front.deposit(1), published.front.deposit(1)])).toEqual([1, 2]);

    const made: FarAccount[] = [];
    const front = perSession(() => {
      const account = new FarAccount();
      made.push(account);
      return serialized(account);
    });
    {
      await using pair = await leakCheckedPair(front);
      expect(await Promise.all([pair.front.deposit(1), pair.front.deposit(1)])).toEqual([1, 2]);
      expect(made.map(({ disposals }) => disposals)).toEqual([0]);
    }
    expect(made.map(({ disposals }) => disposals)).toEqual([1]);
  });
});

describe("the original is disposed", () => {
  test("once, when nobody holds the serialized one any more", async () => {
    const original = new FarAccount();
    await using pair = await leakCheckedPair({ account: () => serialized(original) });
    release(await pair.front.account());
    await until(() => original.disposals === 1);
  });

  test("once, when it was handed out both ways", async () => {
    const original = new FarAccount();
    await using pair = await leakCheckedPair({ plain: () => original, account: () => serialized(original) });
    const plain = await pair.front.plain();
    release(await pair.front.account());
    await pair.front.plain();
    expect(original.disposals).toBe(0);
    release(plain);
    await until(() => original.disposals === 1);
    await pair.assertEmpty();
    expect(original.disposals).toBe(1);
  });

  test("not while a call on it runs or waits", async () => {
    const original = serialized(new FarAccount());
    await using pair = await leakCheckedPair({ account: () => original });
    const account = await pair.front.account();
    const calls = [account.deposit(1), account.deposit(1)];
    release(account);
    expect(await Promise.all(calls)).toEqual([1, 2]);
    await until(() => original.disposals === 1);
  });
});

describe("the current call", () => {
  class Listener {
    readonly heard: unknown[] = [];

    async hold(opened: PromiseLike<unknown>): Promise<void> {
      await opened;
    }

    async say(): Promise<string> {
      const { context, method: name, session } = currentCall();
      const said = `${context["who"]} ${name} ${session.peer.transport}`;
      await nextTurn();
      return said;
    }
  }

  test("is there when a method begins, at once or after it has waited", async () => {
    const { opened, open } = gate();
    const listener = serialized(new Listener());
    await using pair = await leakCheckedPair(listener);
    const say = (who: string) => withOptions(pair.front, { context: { who } }).say();
    expect(await say("ann")).toBe("ann say memory");
    const holds = listener.hold(opened);
    const waiting = [say("ben"), say("cleo")];
    await until(() => pair.session.stats().runningCalls === 2);
    open();
    await holds;
    expect(await Promise.all(waiting)).toEqual(["ben say memory", "cleo say memory"]);
    expect(() => currentCall()).toThrow();
  });

  test("of a method that calls a serialized object here is that object's too, and is not given up with it", async () => {
    const { opened, open } = gate();
    const listener = serialized(new Listener());
    const controller = new AbortController();
    const facade = {
      async say(): Promise<string> {
        const said = await listener.say();
        listener.hold(Promise.resolve()).catch(() => {});
        return said;
      },
    };
    await using pair = await leakCheckedPair(facade);
    const holds = listener.hold(opened);
    const call = withOptions(pair.front, { context: { who: "ann" }, signal: controller.signal }).say();
    await until(() => pair.session.stats().runningCalls === 1);
    controller.abort();
    expect(await failureOf(call)).toMatchObject({ code: "cancelled", outcome: "unknown" });
    open();
    await holds;
    await until(() => pair.session.stats().runningCalls === 0);
  });
});

describe("a call that is given up while it waits", () => {
  test("by its signal never begins, and lets those behind it go on", async () => {
    const { opened, open } = gate();
    const account = serialized(new Account());
    const audited: unknown[] = [];
    const audit = ({ method: name, permitted, code }: AuditEntry) => void audited.push([name, permitted, code]);
    await using pair = await leakCheckedPair(account, { service: { audit } });
    const holds = account.hold(opened);
    const controller = new AbortController();
    const dropped = withOptions(pair.front, { signal: controller.signal }).deposit(100);
    const behind = pair.front.deposit(1);
    await until(() => pair.session.stats().runningCalls === 2);
    controller.abort();
    // The caller does not wait to be told whether it has begun.
    await expect(dropped).rejects.toMatchObject({ code: "cancelled", outcome: "unknown" });
    await until(() => pair.session.stats().runningCalls === 1);
    open();
    await holds;
    expect(await behind).toBe(1);
    expect(audited).toEqual([
      ["deposit", false, "cancelled"],
      ["deposit", true, undefined],
    ]);
  });

  test("leaves nothing behind, while others wait on", async () => {
    const { opened, open } = gate();
    const till = serialized(new Till(opened));
    await using pair = await leakCheckedPair({ deposit: till.deposit });
    const before = till.deposit(1);
    const controller = new AbortController();
    const give = withOptions(pair.front as unknown as Remote<{ deposit(by: () => void): number }>, {
      signal: controller.signal,
    });
    const dropped = [give.deposit(() => {}), give.deposit(() => {})].map(failureOf);
    await until(() => pair.session.stats().runningCalls === 2);
    expect(pair.session.stats().imports).toBe(2);
    controller.abort();
    await Promise.all(dropped);
    await pair.assertEmpty();
    open();
    expect(await before).toBe(1);
  });

  test("as its object is revoked does not begin", async () => {
    const { opened, open } = gate();
    const till = serialized(new Till(opened));
    await using pair = await leakCheckedPair({ till: () => byReference(till) });
    const far = await pair.front.till();
    const first = far.deposit(1);
    const waiting = failureOf(far.deposit(10));
    await until(() => pair.session.stats().runningCalls === 2);
    revoke(till);
    open();
    expect(await waiting).toMatchObject({ code: "stale-reference", outcome: "not-executed" });
    expect(await till.deposit(1)).toBe(2);
    await Promise.allSettled([first]);
  });

  test("because its time is up at the service's side is refused as not executed", async () => {
    const contract = defineContract({ deposit: method([z.number()], z.number(), { timeoutMs: 1_000 }) });
    for (const wrap of [
      (till: Till) => implement(contract, serialized(till)),
      (till: Till) => serialized(implement(contract, till)),
      (till: Till) => implement(contract, serialized(expose(till, ["deposit"]))),
      (till: Till) => implement(contract, expose(serialized(till), ["deposit"])),
    ]) {
      const clock = new ManualClock();
      const { opened, open } = gate();
      await using pair = await leakCheckedPair(wrap(new Till(opened)), { clock });
      const running = failureOf(pair.front.deposit(1));
      const late = [pair.front.deposit(10), pair.front.deposit(10)].map(failureOf);
      await until(() => pair.session.stats().runningCalls === 3);
      clock.advance(1_000);
      expect(await running).toMatchObject({ code: "timeout", outcome: "unknown" });
      for (const failure of late) expect(await failure).toMatchObject({ code: "timeout", outcome: "not-executed" });
      open();
      expect(await pair.front.deposit(100)).toBe(101);
    }
  });

  test("but not one that a method makes: what began may go on, whatever it waits for", async () => {
    const contract = defineContract({ pay: method([], z.number(), { timeoutMs: 1_000 }) });
    const clock = new ManualClock();
    const { opened, open } = gate();
    const till = serialized(new Till(opened));
    const purse = { pay: () => till.deposit(1) };
    await using pair = await leakCheckedPair(implement(contract, purse), { clock });
    const before = till.deposit(1);
    const call = pair.front.pay();
    await until(() => pair.session.stats().runningCalls === 1);
    clock.advance(1_000);
    expect(await failureOf(call)).toMatchObject({ code: "timeout", outcome: "unknown" });
    open();
    expect(await before).toBe(1);
    expect(await till.deposit(1)).toBe(3);
  });

  test("but not one that the method makes of itself", async () => {
    const { opened, open } = gate();
    let runs = 0;
    let signal: AbortSignal | undefined;
    const tree = serialized({
      async grow(depth: number): Promise<void> {
        runs++;
        signal = currentCall().signal;
        if (depth > 0) await Promise.all([tree.grow(depth - 1), tree.grow(depth - 1)]);
        await opened;
      },
    });
    await using pair = await leakCheckedPair(tree);
    const controller = new AbortController();
    const call = failureOf(withOptions(pair.front, { signal: controller.signal }).grow(1));
    await until(() => pair.session.stats().runningCalls === 1);
    controller.abort();
    expect(await call).toMatchObject({ code: "cancelled", outcome: "unknown" });
    await until(() => signal?.aborted === true);
    open();
    await until(() => pair.session.stats().runningCalls === 0);
    expect(runs).toBe(3);
  });

  test("late, although no timer has said so yet, does not begin", async () => {
    const clock = new BusyClock();
    const { opened, open } = gate();
    const till = serialized(new Till(opened));
    await using pair = await leakCheckedPair(till, { service: { clock } });
    const first = pair.front.deposit(1);
    const late = withOptions(pair.front, { timeoutMs: 60_000 }).deposit(10);
    await until(() => pair.session.stats().runningCalls === 2);
    clock.busyMs = 60_000;
    open();
    expect(await first).toBe(1);
    expect(await failureOf(late)).toMatchObject({ code: "timeout", outcome: "not-executed" });
    expect(await pair.front.deposit(1)).toBe(2);
  });
});

describe("while calls wait", () => {
  test("a service that drains runs them", async () => {
    const { opened, open } = gate();
    const till = serialized(new Till(opened));
    await using pair = await leakCheckedPair(till);
    const calls = [pair.front.deposit(1), pair.front.deposit(1), pair.front.deposit(1)];
    await until(() => pair.session.stats().runningCalls === 3);
    const drained = pair.service.drain();
    await expect(pair.front.deposit(1)).rejects.toMatchObject({ code: "closed", outcome: "not-executed" });
    open();
    expect(await Promise.all(calls)).toEqual([1, 2, 3]);
    await drained;
  });

  test("a session that ends drops them", async () => {
    const { opened, open } = gate();
    const till = serialized(new Till(opened));
    await using pair = await leakCheckedPair(till);
    const calls = [pair.front.deposit(1), pair.front.deposit(1), pair.front.deposit(1)];
    await until(() => pair.session.stats().runningCalls === 3);
    const settled = Promise.allSettled(calls);
    await pair.connection.close();
    for (const end of await settled) expect(end).toMatchObject({ reason: { code: "closed", outcome: "unknown" } });
    await until(() => pair.session.state === "closed");
    const next = till.deposit(10);
    open();
    // The one that had begun is done as well.
    expect(await next).toBe(11);
  });

  test("they take no slot from calls on other objects, nor from those that they wait for", async () => {
    const { opened, open } = gate();
    const till = serialized(new Till(opened));
    const limits = { maxRunningCalls: 2, maxQueuedCalls: 4 };
    await using pair = await leakCheckedPair(
      { till: () => byReference(till), open: () => open(), slow: () => opened },
      { service: { limits } },
    );
    using far = await pair.front.till();
    const deposits = Array.from({ length: 4 }, () => far.deposit(1));
    await until(() => pair.session.stats().runningCalls === 4);
    await pair.front.open();
    expect(await Promise.all(deposits)).toEqual([1, 2, 3, 4]);
  });

  test("they count as queued: what exceeds the queue is refused", async () => {
    const { opened, open } = gate();
    await using pair = await leakCheckedPair(serialized(new Till(opened)), {
      service: { limits: { maxRunningCalls: 2, maxQueuedCalls: 4 } },
    });
    await using peer = await RawPeer.connect(memoryTransport, pair.service.uri);
    for (let id = 1; id <= 8; id++) peer.call(id, 0, "deposit", [1]);
    for (const callId of [7, 8]) {
      expect(await peer.nextError()).toMatchObject({
        callId,
        isThrown: false,
        parts: ["overloaded", expect.anything(), "not-executed"],
      });
    }
    open();
    for (let id = 1; id <= 6; id++) expect(await peer.nextResult()).toMatchObject({ callId: id, value: id });
  });

  test("they count as queued: what exceeds the queue is held back by an honest caller", async () => {
    const { opened, open } = gate();
    const till = serialized(new Till(opened));
    const limits = { maxRunningCalls: 2, maxQueuedCalls: 4 };
    await using pair = await leakCheckedPair(till, { service: { limits } });
    const deposits = Array.from({ length: 20 }, () => pair.front.deposit(1));
    await until(() => pair.session.stats().runningCalls === 6);
    open();
    expect(await Promise.all(deposits)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
  });
});

/** Waits before it writes what it has read. */
class Till {
  #total = 0;
  readonly #opened: PromiseLike<unknown>;

  constructor(opened: PromiseLike<unknown>) {
    this.#opened = opened;
  }

  async deposit(amount: number): Promise<number> {
    const before = this.#total;
    await this.#opened;
    this.#total = before + amount;
    return this.#total;
  }
}

/** Time passes, and no timer has had its turn yet. */
class BusyClock extends ManualClock {
  busyMs = 0;

  override now(): number {
    return super.now() + this.busyMs;
  }
}
