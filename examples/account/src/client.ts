/** One of the processes that use the account: deposits 200 times, ten at a time. */
import { connect } from "farref";
import type { Account } from "./server.js";

await using account = await connect<Account>(process.argv[2] ?? "");
for (let i = 0; i < 20; i++) {
  await Promise.all(Array.from({ length: 10 }, () => account.deposit(1)));
}
