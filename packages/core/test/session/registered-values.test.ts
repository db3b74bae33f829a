import { describe, expect, test } from "vitest";
import type { PairOptions } from "../../../conformance/src/index.ts";
import {
  ByReference,
  isRemote,
  pipeline,
  type Remote,
  RpcError,
  registerValue,
  resolveTypes,
  UnknownValue,
  type ValueType,
  withOptions,
} from "../../src/index.ts";
import { Box, box, Money, money } from "../values/registered-support.ts";
import { leakCheckedPair, memory, places } from "./pairs.ts";
import { RawPeer } from "./raw-peer.ts";
import { failureOf, gate, until } from "./waiting.ts";

/** The classes registered at each end. */
function typed(service: readonly ValueType[], connection = service): PairOptions {
  return { service: { types: resolveTypes(service) }, connection: { types: resolveTypes(connection) } };
}

class Account extends ByReference {
  balance(): Money {
    return new Money(100, "EUR");
  }
}

class Bank {
  readonly account = new Account();
  calls = 0;

  double(amount: Money): Money {
    this.calls++;
    return new Money(2 * amount.cents, amount.currency);
  }
  echo(value: unknown): unknown {
    this.calls++;
    return value;
  }
  kindOf(value: unknown): string {
    return (value as object).constructor.name;
  }
  boxed(): Box {
    return new Box(this.account);
  }
}

describe.each(places)("over $place, a registered value", ({ at }) => {
  test("is an argument and a result", async () => {
    await using pair = await leakCheckedPair(new Bank(), typed([money, box]), at);
    const doubled = await pair.front.double(new Money(21, "EUR"));
    expect(doubled).toBeInstanceOf(Money);
    expect(doubled).toMatchObject({ cents: 42, currency: "EUR" });
  });

  test("keeps what it is and who it is among many, in a message that is cut", async () => {
    await using pair = await leakCheckedPair(new Bank(), typed([money, box]), at);
    const euro = new Money(1, "EUR");
    const large = [euro, new Box(new Uint8Array(200_000)), new Map([[euro, "x".repeat(50_000)]]), euro];
    const [first, bytes, map, last] = (await pair.front.echo(large)) as [Money, Box, Map<Money, string>, Money];
    expect(last).toBe(first);
    expect(map.get(first)).toHaveLength(50_000);
    expect(bytes.content).toHaveLength(200_000);
  });
});

describe("references in a registered value", () => {
  test("are stubs there, and objects again at home", async () => {
    const bank = new Bank();
    await using pair = await leakCheckedPair(bank, typed([money, box]));
    using content = (await pair.front.boxed()).content as Remote<Account>;
    expect(isRemote(content)).toBe(true);
    expect(await content.balance()).toMatchObject({ cents: 100 });
    expect(await pair.front.kindOf(new Box(content))).toBe("Box");
    const [again] = (await pair.front.echo([new Box(content)])) as [Box];
    expect(again.content).toBe(content);
  });

  test("may be functions that are called back", async () => {
    const front = { run: async ({ content }: Box) => `${await (content as () => Promise<string>)()}!` };
    await using pair = await leakCheckedPair(front, typed([box]));
    expect(await pair.front.run(new Box(() => "called"))).toBe("called!");
  });

  test("may abort the signal of the very call they are packed for", async () => {
    const controller = new AbortController();
    const aborting = registerValue(Box, {
      name: "box",
      pack({ content }) {
        controller.abort();
        return content;
      },
      unpack: (content) => new Box(content),
    });
    await using pair = await leakCheckedPair({ hang: (_box: Box) => new Promise(() => {}) }, typed([aborting]));
    const call = withOptions(pair.front, { signal: controller.signal }).hang(new Box(1));
    await expect(call).rejects.toMatchObject({ code: "cancelled", outcome: "not-sent" });
  });

  test("count no hold when it can't be packed, or goes on to what can't be sent", async () => {
    const picky = registerValue(Box, {
      name: "box",
      pack({ content }) {
        if (content === undefined) throw new RangeError("empty");
        return content;
      },
      unpack: (content) => new Box(content),
    });
    await using pair = await leakCheckedPair(new Bank(), typed([picky]));
    const refused = { code: "unsupported-value", outcome: "not-sent" };
    await expect(pair.front.echo([new Account(), new Box()])).rejects.toMatchObject({
      ...refused,
      message: expect.stringContaining("args[0][1]: it can't be packed as box: RangeError: empty"),
    });
    await expect(pair.front.echo(new Box([new Account(), Symbol("s")]))).rejects.toMatchObject({
      ...refused,
      message: expect.stringContaining("args[0]<packed box>[1]: symbols"),
    });
    expect(pair.connection.stats().exports).toBe(0);
  });
});

describe("an argument that can't be unpacked", () => {
  const strict = registerValue(Money, {
    name: "money",
    pack: ({ cents, currency }) => [cents, currency],
    unpack(data) {
      const [cents, currency] = data as [number, string];
      if (cents < 0) throw new RangeError("no debts");
      return new Money(cents, currency);
    },
  });

  test("is refused by the callee, and its method not run; other calls are none the worse", async () => {
    const bank = new Bank();
    await using pair = await leakCheckedPair(bank, typed([strict]));
    const [bad, good] = await Promise.allSettled([
      pair.front.double(new Money(-1, "EUR")),
      pair.front.double(new Money(1, "EUR")),
    ]);
    expect(bad).toMatchObject({
      reason: {
        code: "invalid-argument",
        outcome: "not-executed",
        message: expect.stringMatching(/double of .*: money at \[0\] can't be unpacked: RangeError: no debts$/),
      },
    });
    expect(good).toMatchObject({ value: { cents: 2 } });
    expect(bank.calls).toBe(1);
  });

  test("gives the references beside it back", async () => {
    await using pair = await leakCheckedPair(new Bank(), typed([strict, box]));
    const value = [new Account(), new Box(() => {}), new Money(-1, "EUR"), new Account()];
    await expect(pair.front.echo(value)).rejects.toMatchObject({ code: "invalid-argument", outcome: "not-executed" });
    await pair.assertEmpty();
  });

  test("is not quoted where errors are redacted", async () => {
    const options: PairOptions = {
      service: { types: resolveTypes([strict], "kept"), redactErrors: true },
      connection: { types: resolveTypes([strict]) },
    };
    await using pair = await leakCheckedPair(new Bank(), options);
    const failure = await failureOf(pair.front.double(new Money(-1, "EUR")));
    expect(failure.message).not.toContain("debts");
    expect(failure).toMatchObject({ code: "invalid-argument", outcome: "not-executed" });
  });
});

describe("a result", () => {
  const failing = registerValue(Box, {
    name: "box",
    pack: ({ content }) => content,
    unpack: () => {
      throw new RangeError("unknown box");
    },
  });

  test("that can't be unpacked fails its call at the caller: the method was executed", async () => {
    const bank = new Bank();
    await using pair = await leakCheckedPair(bank, typed([box, money], [failing, money]));
    const failure = await failureOf(pair.front.boxed());
    expect(failure).toMatchObject({
      code: "invalid-argument",
      outcome: "executed",
      message: expect.stringContaining("box can't be unpacked: RangeError: unknown box"),
    });
    expect(await pair.front.double(new Money(1, "EUR"))).toMatchObject({ cents: 2 });
    await pair.assertEmpty();
  });

  test("that can't be packed is unsupported-value, executed", async () => {
    const unpackable = registerValue(Box, { name: "box", pack: () => Symbol("s"), unpack: () => new Box() });
    await using pair = await leakCheckedPair(new Bank(), typed([unpackable]));
    await expect(pair.front.boxed()).rejects.toMatchObject({
      code: "unsupported-value",
      outcome: "executed",
      message: expect.stringContaining("result<packed box>: symbols"),
    });
    expect(pair.session.stats().exports).toBe(0);
  });

  test("that comes late is not unpacked, and gives its references back", async () => {
    const door = gate<Box>();
    let unpacked = 0;
    const counted = registerValue(Box, {
      name: "box",
      pack: ({ content }) => content,
      unpack(content) {
        unpacked++;
        return new Box(content);
      },
    });
    await using pair = await leakCheckedPair({ later: () => door.opened }, typed([counted]));
    const controller = new AbortController();
    const call = withOptions(pair.front, { signal: controller.signal }).later();
    await until(() => pair.session.stats().runningCalls === 1);
    controller.abort();
    await expect(call).rejects.toMatchObject({ code: "cancelled" });
    door.open(new Box(new Account()));
    await pair.assertEmpty();
    expect(unpacked).toBe(0);
  });
});

describe("a registered value of a class that a side lacks", () => {
  test("is an unknown value there, and what it is again at home", async () => {
    await using pair = await leakCheckedPair(new Bank(), typed([], [money, box]));
    expect(await pair.front.kindOf(new Money(1, "EUR"))).toBe("UnknownValue");
    const account = new Account();
    const [back, again] = (await pair.front.echo([new Box([account, new Money(5, "EUR")]), new Money(1, "EUR")])) as [
      Box,
      Money,
    ];
    expect(back).toBeInstanceOf(Box);
    expect((back.content as unknown[])[0]).toBe(account);
    expect((back.content as unknown[])[1]).toMatchObject({ cents: 5 });
    expect(again).toBeInstanceOf(Money);
  });

  test("holds stubs, which work", async () => {
    await using pair = await leakCheckedPair(new Bank(), typed([box, money], [money]));
    const unknown = (await pair.front.boxed()) as unknown as UnknownValue;
    expect(unknown).toBeInstanceOf(UnknownValue);
    expect(unknown.name).toBe("box");
    using account = unknown.data as Remote<Account>;
    expect(await account.balance()).toMatchObject({ cents: 100 });
  });

  test("goes through a process that lacks it to a third that has it", async () => {
    await using far = await leakCheckedPair(new Bank(), typed([money, box], []));
    const relay = { double: (amount: unknown) => far.front.double(amount as Money), boxed: () => far.front.boxed() };
    await using near = await leakCheckedPair(relay, typed([], [money, box]));
    expect(await near.front.double(new Money(4, "EUR"))).toMatchObject({ cents: 8 });
    using content = ((await near.front.boxed()) as Box).content as Remote<Account>;
    expect(await content.balance()).toMatchObject({ cents: 100 });
  });

  test("is refused when an instance of the class itself is sent", async () => {
    await using pair = await leakCheckedPair(new Bank(), typed([money], []));
    await expect(pair.front.double(new Money(1, "EUR"))).rejects.toMatchObject({
      code: "unsupported-value",
      outcome: "not-sent",
      message: expect.stringContaining("register the class"),
    });
  });
});

describe("registered values and what else travels", () => {
  test("items of a stream, both ways", async () => {
    const front = {
      async *doubled(amounts: AsyncIterable<Money>) {
        for await (const { cents, currency } of amounts) yield new Money(2 * cents, currency);
      },
    };
    async function* amounts() {
      yield new Money(1, "EUR");
      yield new Money(2, "EUR");
    }
    await using pair = await leakCheckedPair(front, typed([money]));
    const cents: number[] = [];
    for await (const amount of await pair.front.doubled(amounts())) cents.push((amount as Money).cents);
    expect(cents).toEqual([2, 4]);
  });

  test("the reason of a signal that was aborted before it was sent", async () => {
    await using pair = await leakCheckedPair({ reason: (signal: AbortSignal) => signal.reason }, typed([money, box]));
    const reason = new Box(new Money(3, "EUR"));
    const copy = (await pair.front.reason(AbortSignal.abort(reason))) as Box;
    expect(copy).toBeInstanceOf(Box);
    expect(copy.content).toMatchObject({ cents: 3 });
    const held = new Box();
    held.content = AbortSignal.abort(held);
    await expect(pair.front.reason(held as never)).rejects.toMatchObject({
      code: "unsupported-value",
      message: expect.stringContaining("args[0]: a registered value that holds itself"),
    });
  });

  test("a result that is passed on before it is there", async () => {
    await using pair = await leakCheckedPair(new Bank(), typed([money, box]));
    const front = pipeline(pair.front);
    const doubled = front.double(new Money(1, "EUR"));
    expect(await pair.front.double(doubled as never)).toMatchObject({ cents: 4 });
  });

  test("not a call made while a value is packed", async () => {
    const options = { name: "box", unpack: () => new Box() };
    let front: { echo(value: unknown): Promise<unknown> } | undefined;
    const calling = registerValue(Box, {
      ...options,
      pack() {
        void front?.echo(1).catch(() => {});
        return 1;
      },
    });
    await using pair = await leakCheckedPair(new Bank(), typed([calling]));
    ({ front } = pair);
    expect(await pair.front.echo(new Box())).toBeInstanceOf(Box);
    expect(await pair.front.echo(2)).toBe(2);
  });
});

describe("endpoints of one process", () => {
  test("know nothing of each other's classes", async () => {
    const yours = registerValue(Box, { name: "box", pack: () => "yours", unpack: () => new Box("yours") });
    await using mine = await leakCheckedPair(new Bank(), typed([box]));
    await using other = await leakCheckedPair(new Bank(), typed([yours]));
    await using plain = await leakCheckedPair(new Bank());
    expect(await mine.front.echo(new Box("mine"))).toEqual(new Box("mine"));
    expect(await other.front.echo(new Box("mine"))).toEqual(new Box("yours"));
    await expect(plain.front.echo(new Box("mine"))).rejects.toMatchObject({ code: "unsupported-value" });
  });
});

describe("a peer that keeps to no rule", () => {
  async function hostile(bank: Bank) {
    const pair = await leakCheckedPair(bank, typed([money, box]), memory);
    const peer = await RawPeer.connect(memory.transport, pair.service.uri);
    return { pair, peer };
  }

  test("and sends a value that holds itself is told so, and nothing of its call runs", async () => {
    const bank = new Bank();
    const { pair, peer } = await hostile(bank);
    await using _pair = pair;
    await using _peer = peer;
    const data: unknown[] = [];
    data.push(new UnknownValue("box", data));
    peer.call(1, 0, "echo", [data]);
    expect(await peer.nextError()).toMatchObject({
      callId: 1,
      areArgumentsUntouched: true,
      parts: ["protocol", expect.stringContaining("holds itself"), "not-executed"],
    });
    expect(bank.calls).toBe(0);
    peer.call(2, 0, "echo", [new UnknownValue("money", [1, "EUR"])]);
    expect((await peer.nextResult()).value).toEqual(new UnknownValue("money", [1, "EUR"]));
  });

  test("and packs what its class doesn't have is refused by the class alone", async () => {
    const bank = new Bank();
    const { pair, peer } = await hostile(bank);
    await using _pair = pair;
    await using _peer = peer;
    for (const [id, data] of [null, undefined, {}, ["1", "EUR"], Symbol.iterator.description].entries()) {
      peer.call(id + 1, 0, "double", [new UnknownValue("money", data)]);
      const { parts } = await peer.nextError();
      expect(parts).toEqual(["invalid-argument", expect.stringContaining("no amount of money"), "not-executed"]);
    }
    expect(bank.calls).toBe(0);
  });
});

test("an RpcError that unpack throws is the cause of the refusal, not the refusal", async () => {
  const sly = registerValue(Box, {
    name: "box",
    pack: ({ content }) => content,
    unpack: () => {
      throw new RpcError("denied", "not for you", "executed");
    },
  });
  await using pair = await leakCheckedPair(new Bank(), typed([sly]));
  await expect(pair.front.echo(new Box(1))).rejects.toMatchObject({
    code: "invalid-argument",
    outcome: "not-executed",
  });
});
