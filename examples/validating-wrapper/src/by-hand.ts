/** The wrapper, by hand: it has the methods that strangers may call, and checks what they bring before it delegates. */
import type { Ledger } from "./ledger.js";

// #region wrapper
export class CheckedLedger {
  readonly #ledger: Ledger;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  balance(owner: unknown) {
    return this.#ledger.balance(checkedName(owner, "owner"));
  }

  transfer(from: unknown, to: unknown, amount: unknown) {
    this.#ledger.transfer(checkedName(from, "from"), checkedName(to, "to"), checkedAmount(amount));
  }
}

function checkedName(value: unknown, what: string): string {
  if (typeof value === "string" && /^[a-z]{1,20}$/.test(value)) return value;
  throw new TypeError(`${what}: expected a name of 1 to 20 small letters`);
}

function checkedAmount(value: unknown): number {
  if (Number.isInteger(value) && (value as number) > 0 && (value as number) <= 1_000) return value as number;
  throw new TypeError("amount: expected an integer from 1 to 1,000");
}
// #endregion
