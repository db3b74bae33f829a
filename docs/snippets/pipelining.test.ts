import { ByReference, connect, oneway, pipeline, startService, withOptions } from "farref";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { closeServices } from "./free-ports.ts";

const log = vi.spyOn(console, "log").mockImplementation(() => {});
vi.mock("farref", async (original) => (await import("./free-ports.ts")).withFreePorts(original));
beforeEach(() => void log.mockClear());
afterEach(closeServices);

// #region bank
class Account extends ByReference {
  #balance: number;
  readonly #owner: Owner;

  constructor(balance: number, owner: Owner) {
    super();
    this.#balance = balance;
    this.#owner = owner;
  }

  owner() {
    return this.#owner;
  }

  balance() {
    return this.#balance;
  }

  deposit(amount: number) {
    this.#balance += amount;
  }
}

class Owner extends ByReference {
  readonly #name: string;

  constructor(name: string) {
    super();
    this.#name = name;
  }

  name() {
    return this.#name;
  }
}

export class Bank {
  readonly #accounts = new Map([
    [7, new Account(100, new Owner("Ada"))],
    [8, new Account(5, new Owner("Grace"))],
  ]);

  account(number: number) {
    const account = this.#accounts.get(number);
    if (!account) throw new RangeError(`there is no account ${number}`);
    return account;
  }

  async transfer(from: Account, to: Account, amount: number) {
    // From afar, either may be a stub.
    await from.deposit(-amount);
    await to.deposit(amount);
  }
}
// #endregion

async function connected() {
  await startService("tcp://127.0.0.1:8787", new Bank());
  return connect<Bank>("tcp://127.0.0.1:8787");
}

test("a chain", async () => {
  using bank = await connected();
  // #region chain
  const account = await bank.account(7); // one round trip
  const owner = await account.owner(); // two
  console.log(await owner.name()); // three

  console.log(await pipeline(bank).account(7).owner().name()); // one
  // #endregion
  expect(log.mock.calls).toEqual([["Ada"], ["Ada"]]);
});

test("several calls on a step", async () => {
  using bank = await connected();
  // #region several
  const account = pipeline(bank).account(7); // a step: not here yet
  const [balance, name] = await Promise.all([account.balance(), account.owner().name()]);
  // #endregion
  expect([balance, name]).toEqual([100, "Ada"]);
});

test("steps as arguments", async () => {
  using bank = await connected();
  // #region arguments
  const { account, transfer } = pipeline(bank);
  await transfer(account(7), account(8), 30); // three calls, one round trip
  // #endregion
  expect(await account(8).balance()).toBe(35);
});

test("failures", async () => {
  using bank = await connected();
  // #region failures
  try {
    await pipeline(bank).account(99).owner().name();
  } catch (error) {
    console.log(error); // RemoteError: there is no account 99, with the outcome not-executed
  }
  // #endregion
  expect(log.mock.calls[0]?.[0]).toMatchObject({ remoteName: "RangeError", outcome: "not-executed" });
});

test("options of steps", async () => {
  using bank = await connected();
  const controller = new AbortController();
  // #region options
  const patient = pipeline(withOptions(bank, { timeoutMs: 60_000 })); // each step has a minute
  const account = patient.account(7);
  await withOptions(account, { signal: controller.signal }).balance(); // this one can be cancelled, too
  // #endregion
  expect(await account).toBeDefined();
});

test("oneway", async () => {
  const written: string[] = [];
  class Log {
    write(line: string) {
      written.push(line);
    }
    lines() {
      return written.length;
    }
  }
  await startService("tcp://127.0.0.1:8787", new Log());
  // #region oneway
  const remote = await connect<Log>("tcp://127.0.0.1:8787", {
    onError: (error) => console.log("lost:", error.message),
  });
  const fast = oneway(remote);
  for (let i = 0; i < 10_000; i++) await fast.write(`line ${i}`); // waits only while the other side has enough to do
  console.log(await remote.lines()); // 10000: calls keep their order
  // #endregion
  expect(log.mock.calls).toEqual([[10_000]]);
  remote[Symbol.dispose]();
});
