/** A bank: data is copied, accounts stay here and are called from afar, functions are called back. */
import { ByReference, currentCall, startService } from "farref";

export class InsufficientFunds extends Error {
  override readonly name = "InsufficientFunds";
  readonly missing: number;

  constructor(missing: number) {
    super(`${missing} are missing`);
    this.missing = missing;
  }
}

/** Travels as a reference: the far side gets a stub, the balance never leaves. */
export class Account extends ByReference {
  #balance = 0;

  deposit(amount: number) {
    this.#balance += amount;
    return this.#balance;
  }

  withdraw(amount: number) {
    if (amount > this.#balance) throw new InsufficientFunds(amount - this.#balance);
    this.#balance -= amount;
    return this.#balance;
  }
}

export class Bank {
  readonly #opened = new Map<string, Date>();
  readonly #accounts = new Map<string, Account>();

  account(owner: string): Account {
    const known = this.#accounts.get(owner);
    if (known) return known;
    const account = new Account();
    this.#accounts.set(owner, account);
    this.#opened.set(owner, new Date("2026-01-01T09:00:00Z"));
    return account;
  }

  /** Whether an account is one of ours: a reference that comes home is the object itself. */
  knows(account: Account) {
    return [...this.#accounts.values()].includes(account);
  }

  opened() {
    return this.#opened;
  }

  async count(vaults: number, onProgress: (done: number, total: number) => void) {
    for (let done = 1; done <= vaults; done++) await onProgress(done, vaults);
    return "all there";
  }

  /** Takes so long that nobody will live to see it. */
  audit() {
    const { signal } = currentCall();
    return new Promise<void>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  }

  _vaultCode() {
    return "0000";
  }
}

const service = await startService("tcp://127.0.0.1:0", new Bank());
console.log(`bank at ${service.uri}`);
