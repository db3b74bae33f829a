import { describe, expect, test } from "vitest";
import type { PairOptions } from "../../../conformance/src/index.ts";
import {
  ByReference,
  isRemote,
  pipeline,
  RemoteError,
  registerError,
  registerValue,
  release,
  resolveTypes,
  type Stub,
  UnknownValue,
  type ValueType,
} from "../../src/index.ts";
import { Money, money } from "../values/registered-support.ts";
import { leakCheckedPair, memory, places } from "./pairs.ts";
import { RawPeer, RawReference } from "./raw-peer.ts";
import { failureOf } from "./waiting.ts";

class OutOfStock extends Error {
  override readonly name = "OutOfStock";
  readonly left: number;
  declare readonly price?: Money;
  declare readonly code?: string;

  constructor(left: number, options?: ErrorOptions) {
    super(`only ${left} left`, options);
    this.left = left;
  }
}
const outOfStock = registerError(OutOfStock);

function typed(service: readonly ValueType[], connection = service, changes: PairOptions["service"] = {}): PairOptions {
  return {
    service: { types: resolveTypes(service), ...changes },
    connection: { types: resolveTypes(connection) },
  };
}

/** A front whose methods throw what the test gives it. */
const thrower = (thrown: unknown) => ({
  fail: (): unknown => {
    throw thrown;
  },
  failLater: async (): Promise<unknown> => {
    throw thrown;
  },
  async *failStreaming() {
    yield 1;
    throw thrown;
  },
  shop: (): { open(): void } & ByReference => {
    throw thrown;
  },
  ok: () => "ok",
});

describe.each(places)("over $place, an error of a registered class", ({ at }) => {
  test("that a method throws arrives as one of its class", async () => {
    const cause = new TypeError("sold");
    const thrown = Object.assign(new OutOfStock(3, { cause }), { price: new Money(500, "EUR"), code: "E_STOCK" });
    await using pair = await leakCheckedPair(thrower(thrown), typed([outOfStock, money]), at);
    for (const call of [pair.front.fail(), pair.front.failLater()]) {
      const error = (await failureOf(call)) as OutOfStock;
      expect(error).toBeInstanceOf(OutOfStock);
      expect(error).not.toBeInstanceOf(RemoteError);
      expect(error).toMatchObject({ name: "OutOfStock", message: "only 3 left", left: 3, code: "E_STOCK" });
      expect(error.price).toBeInstanceOf(Money);
      expect(error.cause).toBeInstanceOf(TypeError);
      expect(error).not.toHaveProperty("outcome");
    }
  });
});

describe("an error of a registered class that is thrown", () => {
  test("by a stream ends it as one of its class", async () => {
    await using pair = await leakCheckedPair(thrower(new OutOfStock(1)), typed([outOfStock]));
    const stream = await pair.front.failStreaming();
    expect(await stream.next()).toMatchObject({ value: 1 });
    expect(await failureOf(stream.next())).toBeInstanceOf(OutOfStock);
  });

  test("by a callback arrives at the service as one of its class", async () => {
    const caught: unknown[] = [];
    const front = {
      async call(callback: () => Promise<void>) {
        await callback().catch((error: unknown) => caught.push(error));
      },
    };
    await using pair = await leakCheckedPair(front, typed([outOfStock]));
    await pair.front.call(async () => {
      throw new OutOfStock(1);
    });
    expect(caught).toEqual([expect.any(OutOfStock)]);
  });

  test("fails what a pipeline has built on the call with the same error", async () => {
    await using pair = await leakCheckedPair(thrower(new OutOfStock(1)), typed([outOfStock]));
    const first = pipeline(pair.front).shop();
    const errors = await Promise.allSettled([first, first.open()]);
    expect(errors).toEqual([
      { status: "rejected", reason: expect.any(OutOfStock) },
      { status: "rejected", reason: expect.any(OutOfStock) },
    ]);
  });

  test("tells no stack, but where stacks are exposed", async () => {
    await using kept = await leakCheckedPair(thrower(new OutOfStock(1)), typed([outOfStock]));
    expect((await failureOf(kept.front.fail())).stack).toBe("OutOfStock: only 1 left");
    const exposing = typed([outOfStock], [outOfStock], { exposeStacks: true });
    await using sent = await leakCheckedPair(thrower(new OutOfStock(1)), exposing);
    const error = await failureOf(sent.front.fail());
    expect(error).toBeInstanceOf(OutOfStock);
    expect(error.stack).toContain("registered-errors.test.ts");
    expect(Object.keys(error)).not.toContain("stack");
  });

  test("is redacted before it is told", async () => {
    const redacting = typed([outOfStock], [outOfStock], { redactErrors: true });
    await using pair = await leakCheckedPair(thrower(new OutOfStock(1)), redacting);
    const error = await failureOf(pair.front.fail());
    expect(error).toBeInstanceOf(RemoteError);
    expect(error.message).toMatch(/^internal error \w+$/);
    expect(pair.takeReported().service).toEqual([expect.objectContaining({ cause: expect.any(OutOfStock) })]);
    const replacing = typed([outOfStock], [outOfStock], { redactErrors: () => new OutOfStock(0) });
    await using other = await leakCheckedPair(thrower(new Error("secret")), replacing);
    expect(await failureOf(other.front.fail())).toMatchObject({ name: "OutOfStock", left: 0 });
  });

  test("loses what of it can't be sent, and stays of its class", async () => {
    const thrown = Object.assign(new OutOfStock(3, { cause: new WeakMap() }), { socket: new WeakMap(), kept: [1] });
    Object.defineProperty(thrown, "secret", { get: () => "never", enumerable: true });
    Object.assign(thrown, { [Symbol("s")]: 1 });
    await using pair = await leakCheckedPair(thrower(thrown), typed([outOfStock]));
    const error = await failureOf(pair.front.fail());
    expect(error).toBeInstanceOf(OutOfStock);
    expect(error).toMatchObject({ message: "only 3 left", left: 3, kept: [1] });
    for (const lost of ["cause", "socket", "secret"]) expect(error).not.toHaveProperty(lost);
    expect(pair.session.stats().exports).toBe(0);
  });

  test("loses all but its texts where there is no room for more", async () => {
    const thrown = Object.assign(new OutOfStock(3), {
      many: Array.from({ length: 900 }, () => 1),
      more: new Array(900).fill(1),
    });
    const options = typed([outOfStock]);
    const limited = { ...options, connection: { ...options.connection, limits: { maxNodes: 1_000 } } };
    await using pair = await leakCheckedPair(thrower(thrown), limited);
    const error = await failureOf(pair.front.fail());
    expect(error).toBeInstanceOf(OutOfStock);
    expect(error.message).toBe("only 3 left");
    expect(error).not.toHaveProperty("many");
  });

  test("may hold references, which the caller then holds", async () => {
    class Retry extends ByReference {
      again(): string {
        return "again";
      }
    }
    const thrown = Object.assign(new OutOfStock(1), { retry: new Retry() });
    await using pair = await leakCheckedPair(thrower(thrown), typed([outOfStock]));
    const { retry } = (await failureOf(pair.front.fail())) as unknown as {
      retry: Stub<Retry> & { again(): Promise<string> };
    };
    expect(isRemote(retry)).toBe(true);
    expect(await retry.again()).toBe("again");
    release(retry);
  });

  test("of a subclass that is not registered is a RemoteError with its name", async () => {
    class Backordered extends OutOfStock {
      override readonly name = "Backordered" as never;
    }
    await using pair = await leakCheckedPair(thrower(new Backordered(2)), typed([outOfStock]));
    const error = await failureOf(pair.front.fail());
    expect(error).toBeInstanceOf(RemoteError);
    expect(error).toMatchObject({ remoteName: "Backordered", message: "only 2 left", data: { left: 2 } });
  });

  test("of a class that is registered as a value is a RemoteError: only registerError is for what is thrown", async () => {
    const asValue = registerValue(OutOfStock, {
      name: "OutOfStock",
      pack: ({ left }) => left,
      unpack: (left) => new OutOfStock(Number(left)),
    });
    await using pair = await leakCheckedPair(thrower(new OutOfStock(2)), typed([asValue]));
    expect(await failureOf(pair.front.fail())).toMatchObject({ name: "RemoteError", remoteName: "OutOfStock" });
  });

  test("and can't be unpacked fails the call, which was executed", async () => {
    const picky = registerValue(Money, {
      name: "money",
      pack: ({ cents }) => cents,
      unpack: () => {
        throw new RangeError("no money");
      },
    });
    const thrown = Object.assign(new OutOfStock(1), { price: new Money(1, "EUR") });
    await using pair = await leakCheckedPair(thrower(thrown), typed([outOfStock, money], [outOfStock, picky]));
    expect(await failureOf(pair.front.fail())).toMatchObject({ code: "invalid-argument", outcome: "executed" });
    expect(await pair.front.ok()).toBe("ok");
  });
});

describe("to a caller that lacks the class, the error", () => {
  test("is a RemoteError that has lost nothing", async () => {
    const cause = new TypeError("sold");
    const thrown = Object.assign(new OutOfStock(3, { cause }), { code: "E_STOCK", price: new Money(5, "EUR") });
    await using pair = await leakCheckedPair(thrower(thrown), typed([outOfStock, money], [money]));
    const error = await failureOf(pair.front.fail());
    expect(error).toBeInstanceOf(RemoteError);
    expect(error).toMatchObject({
      remoteName: "OutOfStock",
      message: "only 3 left",
      code: "E_STOCK",
      outcome: "executed",
      data: { left: 3, price: expect.any(Money) },
    });
    expect(error.cause).toBeInstanceOf(TypeError);
    expect(Object.keys((error as RemoteError).data as object)).toEqual(["left", "price"]);
  });

  test("is what it would be were it not registered at all", async () => {
    class Nameless extends Error {
      readonly at = 7;
    }
    const told = async (options: PairOptions) => {
      await using pair = await leakCheckedPair(thrower(new Nameless("far")), options);
      const { remoteName, message, code, data, outcome } = (await failureOf(pair.front.fail())) as RemoteError;
      return { remoteName, message, code, data, outcome };
    };
    expect(await told(typed([registerError(Nameless, { name: "shop.nameless" })], []))).toEqual(await told({}));
  });

  test("shows the far stack where stacks are exposed, else one of its own", async () => {
    await using kept = await leakCheckedPair(thrower(new OutOfStock(1)), typed([outOfStock], []));
    expect((await failureOf(kept.front.fail())).stack).not.toContain("registered-errors.test.ts");
    const exposing = typed([outOfStock], [], { exposeStacks: true });
    await using sent = await leakCheckedPair(thrower(new OutOfStock(1)), exposing);
    expect((await failureOf(sent.front.fail())).stack).toContain("registered-errors.test.ts");
  });

  test("is an unknown value where it is data", async () => {
    const front = { last: () => new OutOfStock(3) as Error };
    await using pair = await leakCheckedPair(front, typed([outOfStock], []));
    const unknown = (await pair.front.last()) as unknown as UnknownValue;
    expect(unknown).toBeInstanceOf(UnknownValue);
    expect(unknown.data).toMatchObject({ name: "OutOfStock", message: "only 3 left", left: 3 });
  });
});

/** An object at C, which A has handed on to B. */
class Shop extends ByReference {
  buy(): void {
    throw Object.assign(new OutOfStock(3, { cause: new RangeError("sold") }), { code: "E_STOCK" });
  }
}

describe("an error of a registered class thrown at C, called by B through A,", () => {
  async function caughtAtB(atA: readonly ValueType[], atB: readonly ValueType[], changes: PairOptions["service"] = {}) {
    const shop = new Shop();
    await using far = await leakCheckedPair({ shop: () => shop }, typed([outOfStock], atA));
    const caught: unknown[] = [];
    const front = {
      async buy(sold: { buy(): Promise<void> }) {
        await sold.buy().catch((error: unknown) => caught.push(error));
      },
    };
    const toB = { service: { types: resolveTypes(atB) }, connection: { types: resolveTypes(atA), ...changes } };
    await using near = await leakCheckedPair(front, toB as PairOptions);
    const stub = await far.front.shop();
    await near.front.buy(stub as never);
    release(stub);
    return caught[0];
  }

  test.each([
    ["which knows the class", [outOfStock]],
    ["which lacks it", []],
  ])("%s, arrives as one of its class", async (_what, atA) => {
    const error = await caughtAtB(atA, [outOfStock]);
    expect(error).toBeInstanceOf(OutOfStock);
    expect(error).toMatchObject({ message: "only 3 left", left: 3, code: "E_STOCK", cause: expect.any(RangeError) });
    expect((error as Error).stack).toBe("OutOfStock: only 3 left");
  });

  test.each([
    ["which knows the class", [outOfStock]],
    ["which lacks it", []],
  ])("%s, is a RemoteError to B when B lacks it", async (_what, atA) => {
    const error = await caughtAtB(atA, []);
    expect(error).toBeInstanceOf(RemoteError);
    expect(error).toMatchObject({
      remoteName: "OutOfStock",
      message: "only 3 left",
      code: "E_STOCK",
      data: { left: 3 },
    });
  });

  test("goes through a method of A's that lets it through", async () => {
    await using far = await leakCheckedPair(thrower(new OutOfStock(3)), typed([outOfStock]));
    await using near = await leakCheckedPair({ relay: () => far.front.fail() }, typed([outOfStock]));
    expect(await failureOf(near.front.relay())).toBeInstanceOf(OutOfStock);
  });
});

describe("a peer that keeps to no rule", () => {
  test.each<[what: string, thrown: unknown]>([
    ["a built-in error", new RangeError("far")],
    ["an unknown error", new UnknownValue("Other", new RangeError("far"))],
    ["an unknown value", new UnknownValue("Other", 5)],
    ["a value of a registered class", new UnknownValue("money", [1, "EUR"])],
    ["an object", { message: "far" }],
  ])("and puts %s in the place of an error's name makes a RemoteError", async (_what, thrown) => {
    const caught: unknown[] = [];
    const front = {
      async call(callback: () => Promise<unknown>) {
        await callback().catch((error: unknown) => caught.push(error));
      },
    };
    await using pair = await leakCheckedPair(front, typed([outOfStock, money]));
    await using peer = await RawPeer.connect(memory.transport, pair.service.uri);
    peer.call(1, 0, "call", [new RawReference("function", 5)]);
    const { id } = await peer.nextCall();
    peer.thrown(id, [thrown]);
    await peer.nextResult();
    expect(caught).toEqual([expect.any(RemoteError)]);
    expect(caught[0]).not.toHaveProperty("outcome", "not-executed");
  });
});
