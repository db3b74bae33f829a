import { describe, expect, test } from "vitest";
import * as z from "zod";
import { ByReference, pipeline } from "../../../core/src/index.ts";
import { callback, defineContract, method, reference } from "../../src/index.ts";
import { contractPair, places } from "./pairs.ts";

const owner = defineContract({ name: method([], z.string()) });
const account = defineContract({
  owner: method([], reference(owner)),
  balance: method([], z.number()),
  plain: method([], reference()),
});
const bank = defineContract({
  account: method([z.string()], reference(account)),
  merge: method([reference(account), reference(account)], z.number()),
  adder: method([z.number()], callback([z.number()], z.number())),
  count: method([], z.number()),
});

class Owner extends ByReference {
  name() {
    return "Ada";
  }
  secret() {
    return "secret";
  }
}
class Account extends ByReference {
  readonly #balance: number;
  constructor(balance: number) {
    super();
    this.#balance = balance;
  }
  owner() {
    return new Owner();
  }
  plain() {
    return new Owner();
  }
  balance() {
    return this.#balance;
  }
}
const served = {
  account: (name: string) => new Account(name.length),
  merge: (a: { balance(): number | Promise<number> }, b: { balance(): number | Promise<number> }) =>
    Promise.all([a.balance(), b.balance()]).then(([one, other]) => one + other),
  adder: (amount: number) => (to: number) => amount + to,
  count: () => 2,
};

describe.each(places)("a pipeline under contracts, over $place", ({ at }) => {
  test("goes by the contract of each step's result", async () => {
    await using pair = await contractPair(bank, served as never, {}, at);
    const begun = pipeline(pair.bound);
    expect(await begun.account("seven!!").owner().name()).toBe("Ada");
    expect(await begun.adder(3)(4)).toBe(7);
    const failures = await Promise.allSettled([
      (begun.account("x").owner() as unknown as { secret(): Promise<string> }).secret(),
      (begun.count() as unknown as { digits(): Promise<string> }).digits(),
      begun.adder(3)("four" as never),
    ]);
    expect(failures).toMatchObject([
      { reason: { code: "not-exposed", outcome: "not-sent" } },
      { reason: { code: "not-exposed", outcome: "not-sent" } },
      { reason: { code: "invalid-argument", outcome: "not-executed" } },
    ]);
  });

  test("gives results as arguments, which are validated where they are used", async () => {
    await using pair = await contractPair(bank, served as never, {}, at);
    const begun = pipeline(pair.bound);
    expect(await begun.merge(begun.account("ab") as never, begun.account("abc") as never)).toBe(5);
    const [refused] = await Promise.allSettled([begun.merge(begun.count() as never, begun.account("a") as never)]);
    expect(refused).toMatchObject({ reason: { code: "invalid-argument", outcome: "not-executed" } });
  });

  test("calls what has no contract of its own as it is", async () => {
    await using pair = await contractPair(bank, served as never, {}, at);
    const plain = pipeline(pair.bound).account("x").plain() as unknown as { name(): Promise<string> };
    expect(await plain.name()).toBe("Ada");
  });
});

test("a oneway method of a contract is not waited for", async () => {
  const log = defineContract({
    write: method([z.string()], undefined, { oneway: true }),
    lines: method([], z.number()),
  });
  const lines: string[] = [];
  const served = { write: (line: string) => void lines.push(line), lines: () => lines.length };
  await using pair = await contractPair(log, served);
  await pair.bound.write("one");
  expect(lines).toEqual([]);
  expect(await pair.bound.lines()).toBe(1);
});
