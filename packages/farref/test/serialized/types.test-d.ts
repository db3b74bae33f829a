import { type FrontOf, type Remote, serialized, startService } from "farref";
import { expectTypeOf, test } from "vitest";

class Account {
  #balance = 0;
  owner = "";

  async deposit<T extends number>(amount: T): Promise<T> {
    this.#balance += amount;
    return amount;
  }
}

test("the serialized object has the type of the original", async () => {
  expectTypeOf(serialized(new Account())).toEqualTypeOf<Account>();
  expectTypeOf(serialized((a: number, b: string) => a + b)).toEqualTypeOf<(a: number, b: string) => string>();
  expectTypeOf(serialized({ add: (a: number, b: number) => a + b })).toEqualTypeOf<{
    add: (a: number, b: number) => number;
  }>();
  const service = await startService("tcp://127.0.0.1:0", serialized(new Account()));
  expectTypeOf<FrontOf<typeof service>>().toEqualTypeOf<Account>();
  expectTypeOf<Remote<FrontOf<typeof service>>>().toEqualTypeOf<Remote<Account>>();
});

test("only objects are serialized", () => {
  // @ts-expect-error: a number has no methods of its own
  serialized(5);
  // @ts-expect-error: nor has nothing
  serialized(undefined);
});
