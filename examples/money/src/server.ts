/** A shop whose prices are amounts of money. */
import { startService } from "farref";
import { Money, money, OutOfStock, outOfStock } from "./money.js";

export class Shop {
  readonly #prices = new Map([["tea", new Money(350, "EUR")]]);
  #left = 5;

  prices(): ReadonlyMap<string, Money> {
    return this.#prices;
  }

  buy(article: string, count: number, paid: Money) {
    if (count > this.#left) throw new OutOfStock(article, this.#left);
    this.#left -= count;
    return `${count} x ${article} for ${paid}`;
  }
}

// #region serve
const service = await startService("tcp://127.0.0.1:0", new Shop(), { types: [money, outOfStock] });
// #endregion
console.log(`shop at ${service.uri}`);
