/** The same wrapper as a contract: the checks are schemas, and there is nothing to forget. */
import { defineContract, implement, method } from "farref";
import * as z from "zod";
import type { Ledger } from "./ledger.js";

// #region contract
const name = z.string().regex(/^[a-z]{1,20}$/);
const amount = z.int().min(1).max(1_000);

export const ledgerContract = defineContract({
  balance: method([name], z.number()),
  transfer: method([name, name, amount]),
});

export function checkedLedger(ledger: Ledger) {
  return implement(ledgerContract, ledger);
}
// #endregion
