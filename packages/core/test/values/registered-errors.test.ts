import { types as nodeTypes } from "node:util";
import { describe, expect, test } from "vitest";
import { registerError } from "../../src/values/register.ts";
import { UnknownValue } from "../../src/values/unknown-values.ts";
import { Box, box, Money, money, TypedCodec } from "./registered-support.ts";

let constructed = 0;

class OutOfStock extends Error {
  override readonly name = "OutOfStock";
  readonly left: number;
  readonly price: Money | undefined;

  constructor(left: number, options: ErrorOptions & { price?: Money } = {}) {
    super(`only ${left} left`, options);
    this.left = left;
    this.price = options.price;
    constructed++;
  }

  get isSoldOut(): boolean {
    return this.left === 0;
  }
}
const outOfStock = registerError(OutOfStock);
const codec = new TypedCodec([outOfStock, money, box]);

describe("an error of a registered class", () => {
  test("arrives as one of it, and no constructor is run", () => {
    const cause = new RangeError("sold");
    const error = new OutOfStock(3, { cause, price: new Money(500, "EUR") });
    const before = constructed;
    const copy = codec.roundTrip(error) as OutOfStock;
    expect(constructed).toBe(before);
    expect(copy).toBeInstanceOf(OutOfStock);
    expect(Object.getPrototypeOf(copy)).toBe(OutOfStock.prototype);
    expect(copy).toMatchObject({ name: "OutOfStock", message: "only 3 left", left: 3, isSoldOut: false });
    expect(copy.price).toBeInstanceOf(Money);
    expect(copy.cause).toBeInstanceOf(RangeError);
    expect(nodeTypes.isNativeError(copy)).toBe(true);
    expect(`${copy}`).toBe("OutOfStock: only 3 left");
  });

  test("has no stack but a line that names it", () => {
    const copy = codec.roundTrip(new OutOfStock(3)) as OutOfStock;
    expect(copy.stack).toBe("OutOfStock: only 3 left");
  });

  test("arrives in every place, the same one in all of them", () => {
    const error = new OutOfStock(1);
    const [first, list, outer, held] = codec.roundTrip([
      error,
      [error],
      new Error("x", { cause: error }),
      new Box(error),
    ]) as [OutOfStock, [OutOfStock], Error, Box];
    expect(first).toBeInstanceOf(OutOfStock);
    expect([list[0], outer.cause, held.content].every((each) => each === first)).toBe(true);
  });

  test("of a subclass that is not registered arrives as an Error with its name", () => {
    class Backordered extends OutOfStock {
      override readonly name = "Backordered" as never;
    }
    const copy = codec.roundTrip(new Backordered(2)) as Error;
    expect(Object.getPrototypeOf(copy)).toBe(Error.prototype);
    expect(copy).toMatchObject({ name: "Backordered", message: "only 2 left", left: 2 });
  });

  test("may hold references", () => {
    const retry = () => {};
    const copy = codec.roundTrip(Object.assign(new OutOfStock(1), { retry })) as OutOfStock & { retry: unknown };
    expect(copy.retry).toBe(retry);
  });

  test("may extend another built-in class", () => {
    class TooFar extends RangeError {}
    class Several extends AggregateError {}
    const typed = new TypedCodec([registerError(TooFar), registerError(Several)]);
    expect(typed.roundTrip(new TooFar("x"))).toBeInstanceOf(TooFar);
    const several = typed.roundTrip(new Several([new TooFar("x"), 1], "two")) as Several;
    expect(several).toBeInstanceOf(Several);
    expect(several.errors).toEqual([expect.any(TooFar), 1]);
    expect(Object.keys(several)).toEqual([]);
  });

  test("is called as it calls itself, by its class or on its own", () => {
    class ByClass extends Error {}
    Object.defineProperty(ByClass.prototype, "name", { value: "shop.ByClass" });
    class Computed extends Error {
      override get name(): string {
        return `Computed ${this.message}`;
      }
    }
    const typed = new TypedCodec([registerError(ByClass), registerError(Computed)]);
    const byClass = typed.roundTrip(new ByClass("x")) as Error;
    expect(byClass.name).toBe("shop.ByClass");
    expect(Object.hasOwn(byClass, "name")).toBe(false);
    expect((typed.roundTrip(new Computed("x")) as Error).name).toBe("Computed x");
    const own = Object.defineProperty(new ByClass("x"), "name", { value: "own" });
    expect((typed.roundTrip(own) as Error).name).toBe("own");
  });

  test("with an accessor or a symbol of its own is refused", () => {
    const accessor = Object.defineProperty(new OutOfStock(1), "secret", { get: () => 1, enumerable: true });
    expect(() => codec.encode({ accessor })).toThrow(
      expect.objectContaining({
        code: "unsupported-value",
        detail: expect.stringMatching(/^result\.accessor\.secret: accessors/),
      }),
    );
    const symbol = Object.assign(new OutOfStock(1), { [Symbol("s")]: 1 });
    expect(() => codec.encode({ symbol })).toThrow(
      expect.objectContaining({
        code: "unsupported-value",
        detail: expect.stringMatching(/^result\.symbol: symbol keys/),
      }),
    );
  });

  test("that is its own cause is refused", () => {
    const error = new OutOfStock(1);
    Object.assign(error, { self: error });
    expect(() => codec.encode([error])).toThrow(
      expect.objectContaining({
        code: "unsupported-value",
        detail: expect.stringMatching(/^result\[0\]: .*holds itself/),
      }),
    );
  });
});

describe("the fields of an error", () => {
  class Declined extends Error {
    override readonly name = "Declined";
    readonly code: string;
    readonly card: string;
    declare readonly bank?: string;

    constructor(code: string, card: string) {
      super("declined");
      this.code = code;
      this.card = card;
      Object.defineProperty(this, "hidden", { value: "told all the same", enumerable: false });
    }
  }
  const named = new TypedCodec([registerError(Declined, { fields: ["code", "bank", "hidden"] })]);
  const all = new TypedCodec([registerError(Declined)]);

  test("are those that are named, and what every error says", () => {
    const cause = new Error("why");
    const copy = named.roundTrip(Object.assign(new Declined("E_LIMIT", "4242"), { cause })) as Declined;
    expect(copy).toBeInstanceOf(Declined);
    expect(Object.keys(copy).sort()).toEqual(["cause", "code", "hidden"]);
    expect(copy).toMatchObject({
      name: "Declined",
      message: "declined",
      code: "E_LIMIT",
      hidden: "told all the same",
      cause,
    });
    expect(copy).not.toHaveProperty("card");
  });

  test("are all that are enumerable where none are named", () => {
    const copy = all.roundTrip(new Declined("E_LIMIT", "4242")) as Declined;
    expect(copy).toMatchObject({ code: "E_LIMIT", card: "4242" });
    expect(copy).not.toHaveProperty("hidden");
  });

  test("that a receiver does not name are not taken", () => {
    const copy = all.roundTrip(new Declined("E_LIMIT", "4242"), named) as Declined;
    expect(copy).toBeInstanceOf(Declined);
    expect(copy).toMatchObject({ code: "E_LIMIT", message: "declined" });
    expect(copy).not.toHaveProperty("card");
  });
});

describe("where its class is not registered, an error", () => {
  const lacking = new TypedCodec([money]);

  test("arrives as an unknown value whose data is an Error that says the same", () => {
    const unknown = codec.roundTrip(new OutOfStock(3, { price: new Money(1, "EUR") }), lacking) as UnknownValue;
    expect(unknown).toBeInstanceOf(UnknownValue);
    expect(unknown.name).toBe("OutOfStock");
    expect(Object.getPrototypeOf(unknown.data)).toBe(Error.prototype);
    expect(unknown.data).toMatchObject({
      name: "OutOfStock",
      message: "only 3 left",
      left: 3,
      price: expect.any(Money),
    });
  });

  test("can be passed on, and is of its class where that is registered", () => {
    const bytes = codec.encode([new OutOfStock(3)]);
    const passedOn = lacking.encode(lacking.read(bytes));
    expect(passedOn).toEqual(bytes);
    expect((codec.read(passedOn) as [OutOfStock])[0]).toBeInstanceOf(OutOfStock);
  });
});

test("what is packed as no error makes none", () => {
  for (const data of [5, "text", null, { message: "x" }]) {
    expect(() => codec.roundTrip(new UnknownValue("OutOfStock", data))).toThrow(
      expect.objectContaining({
        code: "invalid-argument",
        detail: expect.stringContaining("OutOfStock can't be unpacked"),
      }),
    );
  }
});
