/** One ledger, served in three ways. */
import { startService } from "farref";
import { checkedLedger } from "./by-contract.js";
import { CheckedLedger } from "./by-hand.js";
import { Ledger } from "./ledger.js";

// #region serve
const service = await startService("tcp://127.0.0.1:0");
service.publish("bare", new Ledger()); // don't: for comparison
service.publish("by-hand", new CheckedLedger(new Ledger()));
service.publish("by-contract", checkedLedger(new Ledger()));
// #endregion
console.log(`ledgers at ${service.uri}`);
