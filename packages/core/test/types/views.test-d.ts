import { describe, expectTypeOf, test } from "vitest";
import type { Remote, Stub } from "../../src/types/remote.ts";
import type { Oneway, Pipelined } from "../../src/types/views.ts";
import { ByReference } from "../../src/values/marks.ts";

class Owner extends ByReference {
  name(): string {
    return "";
  }
  _secret() {}
}
class Account extends ByReference {
  owner(): Promise<Owner> {
    return Promise.resolve(new Owner());
  }
  balance(): number {
    return 0;
  }
}
interface Bank {
  account(id: number): Account;
  find(name: string): Account | null;
  far(): Remote<Account>;
  onClose(listener: (account: Account) => void): () => void;
  merge(from: Account, into: Remote<Account>, amount?: number): number;
  sum(...amounts: number[]): number;
  _audit(): void;
  open: boolean;
}

describe("oneway", () => {
  test("methods take the same and return nothing", () => {
    expectTypeOf<Oneway<Bank>["account"]>().toEqualTypeOf<(id: number) => Promise<void>>();
    expectTypeOf<Oneway<Bank>["onClose"]>().toEqualTypeOf<
      (listener: (account: Remote<Account>) => void) => Promise<void>
    >();
    expectTypeOf<Oneway<Bank>>().not.toHaveProperty("_audit");
    expectTypeOf<Oneway<Bank>>().not.toHaveProperty("open");
    expectTypeOf<Oneway<Bank>>().toExtend<Stub<Bank>>();
  });

  test("a function too", () => {
    expectTypeOf<ReturnType<Oneway<(a: number) => string>>>().toEqualTypeOf<Promise<void>>();
  });
});

describe("pipelined", () => {
  async function walk(bank: Pipelined<Bank>) {
    expectTypeOf(await bank.account(1).owner().name()).toEqualTypeOf<string>();
    expectTypeOf(await bank.account(1)).toEqualTypeOf<Remote<Account>>();
    expectTypeOf(await bank.find("a").balance()).toEqualTypeOf<number>();
    expectTypeOf(await bank.find("a")).toEqualTypeOf<Remote<Account> | null>();
    expectTypeOf(await bank.far().balance()).toEqualTypeOf<number>();
    expectTypeOf(await bank.onClose(() => {})()).toEqualTypeOf<void>();
    expectTypeOf(await bank.merge(bank.account(1), bank.account(2), bank.sum(1, bank.sum()))).toEqualTypeOf<number>();
    // @ts-expect-error a result of another type
    void bank.merge(bank.sum(), bank.account(2));
    // @ts-expect-error a promise is no step: it could not be sent
    void bank.sum(Promise.resolve(1));
    // @ts-expect-error data has no methods of its own to call
    void bank.account(1).balance().toFixed();
    // @ts-expect-error hidden
    void bank.account(1).owner()._secret;
  }

  test("each step is awaitable and has the methods of what it will be", () => {
    expectTypeOf(walk).toBeFunction();
  });
});
