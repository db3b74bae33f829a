/**
 * Carries over what DRb's suite asks of errors: of classes that the other side lacks, of what cannot be marshalled, of types
 * that belong to the language; and what DRb itself lacks: a connection survives them, whatever was thrown.
 */
import { RemoteError, RpcError } from "farref";
import { describe, expect, test } from "vitest";
import { leakCheckedPair, places } from "../places.ts";

class OutOfStock extends Error {
  readonly code = "E_STOCK";
  readonly left = 2;
}

class Handle {}

class Shop {
  hello(): string {
    return "hello";
  }

  order(): never {
    throw new OutOfStock("only two left", { cause: new RangeError("wanted 3") });
  }

  async orderLater(): Promise<never> {
    await null;
    return this.order();
  }

  /** What no program throws on purpose. */
  stumble(): unknown {
    return (undefined as unknown as Shop).hello();
  }

  fall(): unknown {
    return this.fall();
  }

  throwHandle(): never {
    throw Object.assign(new OutOfStock("with a handle"), { handle: new Handle(), list: [1, 2] });
  }

  throwShy(): never {
    throw Object.defineProperty(new OutOfStock("shy"), "odd", {
      enumerable: true,
      get: () => {
        throw new Error("no");
      },
    });
  }

  throwNothingOfAnError(): never {
    throw "a text";
  }

  handle(): unknown {
    return { of: [new Handle()] };
  }
}

/** What a call fails with; the test fails where it does not. */
async function failureOf(call: Promise<unknown>): Promise<Error> {
  const failure = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(Error);
  return failure as Error;
}

describe.each(places)("an error, over $place,", ({ at }) => {
  test("of a class that the caller need not have tells its name, its code, its data and its cause", async () => {
    await using pair = await leakCheckedPair(at, new Shop());
    for (const call of [pair.front.order(), pair.front.orderLater()]) {
      const failure = await failureOf(call);
      expect(failure).toBeInstanceOf(RemoteError);
      expect(failure).not.toBeInstanceOf(OutOfStock);
      expect(failure).toMatchObject({
        remoteName: "OutOfStock",
        message: "only two left",
        code: "E_STOCK",
        data: { left: 2 },
        outcome: "executed",
      });
      expect(failure.cause).toBeInstanceOf(RangeError);
      expect(failure.stack).not.toContain("orderLater");
    }
  });

  test("of the language itself is named as such, a full stack too", async () => {
    await using pair = await leakCheckedPair(at, new Shop());
    expect(await failureOf(pair.front.stumble())).toMatchObject({ remoteName: "TypeError" });
    expect(await failureOf(pair.front.fall())).toMatchObject({ remoteName: "RangeError" });
    expect(await pair.front.hello()).toBe("hello");
  });

  test("that cannot be sent whole arrives without what cannot", async () => {
    await using pair = await leakCheckedPair(at, new Shop());
    const left = { remoteName: "OutOfStock", message: "with a handle", data: { left: 2, list: [1, 2] } };
    const withHandle = await failureOf(pair.front.throwHandle());
    expect(withHandle).toMatchObject(left);
    expect(withHandle).not.toHaveProperty("data.handle");
    expect(await failureOf(pair.front.throwShy())).toMatchObject({ remoteName: "OutOfStock", message: "shy" });
  });

  test("that is none is in the data, under no name", async () => {
    await using pair = await leakCheckedPair(at, new Shop());
    const failure = await failureOf(pair.front.throwNothingOfAnError());
    expect(failure).toMatchObject({ remoteName: "", message: "a text", data: "a text" });
  });

  test("of a result that cannot be sent says where in it, and that the method ran", async () => {
    await using pair = await leakCheckedPair(at, new Shop());
    const failure = await failureOf(pair.front.handle());
    expect(failure).toBeInstanceOf(RpcError);
    expect(failure).toMatchObject({ code: "unsupported-value", outcome: "executed" });
    expect(failure.message).toContain("result.of[0]: an instance of Handle is not copied");
  });

  test("costs nothing but itself: a hundred in a row leave the connection as it was", async () => {
    await using pair = await leakCheckedPair(at, new Shop());
    const { id } = pair.session;
    for (let i = 0; i < 100; i++)
      expect(await failureOf(pair.front.order())).toMatchObject({ remoteName: "OutOfStock" });
    expect(await pair.front.hello()).toBe("hello");
    expect([...pair.service.sessions].map((session) => session.id)).toEqual([id]);
  });
});
