/** An object that was never meant for strangers: it believes what it is given. */

// #region ledger
export class Ledger {
  readonly #balances = new Map([
    ["ann", 100],
    ["bob", 20],
  ]);

  balance(owner: string) {
    return this.#balances.get(owner) ?? 0;
  }

  transfer(from: string, to: string, amount: number) {
    this.#balances.set(from, this.balance(from) - amount);
    this.#balances.set(to, this.balance(to) + amount);
  }

  /** For the program itself. */
  erase() {
    this.#balances.clear();
  }
}
// #endregion
