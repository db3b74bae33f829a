/** Two client processes deposit 200 times each, in an account as it is and in a serialized one. */
import { runToEnd, startServer } from "@farref/example-kit";
import { connect } from "farref";
import type { Account } from "./server.js";

await using server = await startServer(new URL("./server.js", import.meta.url));

for (const [name, uri] of [
  ["as it is", server.uri],
  ["serialized", `${server.uri}#serialized`],
] as const) {
  const client = () => runToEnd(new URL("./client.js", import.meta.url), uri);
  await Promise.all([client(), client()]);
  await using account = await connect<Account>(uri);
  const balance = await account.balance();
  console.log(`${name.padEnd(10)} ${balance} of 400${balance < 400 ? `, ${400 - balance} lost` : ""}`);
}

// #region callback
await using account = await connect<Account>(`${server.uri}#serialized`);
const approve = async (amount: number) => {
  const balance = await account.balance(); // let in, though withdraw holds the line: it waits for this
  console.log(`withdraw ${amount} of ${balance}?`);
  return amount <= balance;
};
const [first, second] = await Promise.all([account.withdraw(300, approve), account.withdraw(300, approve)]);
console.log(`the first ${first ? "went" : "refused"}, the second ${second ? "went" : "refused"}`);
// #endregion
