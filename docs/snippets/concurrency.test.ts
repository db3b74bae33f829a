import { connect, release, serialized, startService } from "farref";
import { afterEach, expect, test, vi } from "vitest";
import { closeServices } from "./free-ports.ts";

vi.mock("farref", async (original) => (await import("./free-ports.ts")).withFreePorts(original));
afterEach(closeServices);

class Account {
  #balance = 0;

  balance() {
    return this.#balance;
  }

  async deposit(amount: number) {
    const balance = this.#balance;
    await new Promise((resolve) => setTimeout(resolve, 0));
    this.#balance = balance + amount;
  }
}

test("one at a time", async () => {
  // #region serve
  const account = serialized(new Account());
  await startService("tcp://127.0.0.1:8787", account);
  // #endregion
  const far = await connect<Account>("tcp://127.0.0.1:8787");
  await Promise.all([far.deposit(1), account.deposit(1), far.deposit(1)]);
  expect(account.balance()).toBe(3);
  release(far);
});

test("many calls", async () => {
  await startService("tcp://127.0.0.1:8787", { price: (item: string) => item.length });
  const shop = await connect<{ price(item: string): number }>("tcp://127.0.0.1:8787");
  const items = ["pen", "paper", "stamp"];
  // #region batch
  const prices = await Promise.all(items.map((item) => shop.price(item))); // one write, one round trip
  // #endregion
  expect(prices).toEqual([3, 5, 5]);
  release(shop);
});
