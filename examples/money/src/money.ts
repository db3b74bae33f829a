/** Classes that the shop and its customers both have, and how their instances travel. */
import { registerError, registerValue } from "farref";

// #region money
export class Money {
  readonly #cents: number;
  readonly currency: string;

  constructor(cents: number, currency: string) {
    if (!Number.isSafeInteger(cents)) throw new RangeError(`${cents} is no number of cents`);
    this.#cents = cents;
    this.currency = currency;
  }

  get cents() {
    return this.#cents;
  }

  times(count: number) {
    return new Money(this.#cents * count, this.currency);
  }

  toString() {
    return `${this.currency} ${(this.#cents / 100).toFixed(2)}`;
  }
}

export const money = registerValue(Money, {
  name: "money",
  pack: ({ cents, currency }) => ({ cents, currency }),
  /** What comes may be anything: the constructor says what it takes. */
  unpack: (data) => {
    const { cents, currency } = data as { cents: number; currency: string };
    return new Money(cents, String(currency));
  },
});
// #endregion

// #region error
export class OutOfStock extends Error {
  override readonly name = "OutOfStock";
  readonly left: number;

  constructor(article: string, left: number) {
    super(`only ${left} of ${article} left`);
    this.left = left;
  }
}

export const outOfStock = registerError(OutOfStock);
// #endregion

// #region types
/** To the compiler these are data, methods and all: they arrive as they are. */
declare module "farref" {
  interface RegisteredValues {
    money: Money;
    outOfStock: OutOfStock;
  }
}
// #endregion
