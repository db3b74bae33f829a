/** A stranger, who does not care for types, tries the same on a bare ledger and on both wrappers. */
import { startServer } from "@farref/example-kit";
import { connect } from "farref";
import { ledgerContract } from "./by-contract.js";

await using server = await startServer(new URL("./server.js", import.meta.url));

// #region stranger
/** What a stranger has: names and whatever values it likes. */
interface AnyLedger {
  balance(owner: unknown): Promise<unknown>;
  transfer(...args: readonly unknown[]): Promise<void>;
  erase(): Promise<void>;
}

for (const name of ["bare", "by-hand", "by-contract"]) {
  await using ledger = await connect<AnyLedger>(`${server.uri}#${name}`);
  console.log(`${name}:`);
  await report("a good transfer", ledger.transfer("ann", "bob", 5));
  await report("a negative amount", ledger.transfer("ann", "bob", -1_000_000));
  await report("a text for an amount", ledger.transfer("ann", "bob", "5"));
  await report("one argument too many", ledger.transfer("ann", "bob", 5, "again"));
  await report("what it has now", ledger.balance("ann"));
  await report("erase", ledger.erase());
}
// #endregion

// #region caller
await using ledger = await connect(`${server.uri}#by-contract`, { contract: ledgerContract });
await ledger.transfer("ann", "bob", 5); // typed by the contract: a text for the amount does not compile
// #endregion
console.log("with the contract at the caller, ann has", await ledger.balance("ann"));

async function report(what: string, call: Promise<unknown>): Promise<void> {
  const answer = await call.then(
    (value) => (value === undefined ? "done" : JSON.stringify(value)),
    (error: Error) => `refused: ${withoutAddress(error.message)}`,
  );
  console.log(`  ${what}: ${answer}`);
}

/** The port differs each time. */
function withoutAddress(message: string): string {
  return message.replace(/ of \[remote[^\]]*\]/, "");
}
