/** Calls objects that live in another process, and shows what arrives. */
import { setTimeout as sleep } from "node:timers/promises";
import { startServer } from "@farref/example-kit";
import { connect, RemoteError, RpcError } from "farref";
import type { Bank } from "./server.js";

await using server = await startServer(new URL("./server.js", import.meta.url));
await using bank = await connect<Bank>(server.uri);
console.log(`process ${server.pid} serves a bank, process ${process.pid} has ${bank}`);

const account = await bank.account("Ada");
console.log(`an object by reference  ${account}: its balance there is ${await account.deposit(100)}`);
console.log(
  `the same object again   ${(await bank.account("Ada")) === account}, and at home ${await bank.knows(account)}`,
);
console.log("data by value          ", await bank.opened());

const progress: string[] = [];
const counted = await bank.count(3, (done, total) => progress.push(`${done}/${total}`));
console.log(`a callback              ${progress.join(" ")} ${counted}`);

try {
  await account.withdraw(150);
} catch (error) {
  if (!(error instanceof RemoteError)) throw error;
  console.log(`what a method throws    ${error.remoteName}: ${error.message}, data:`, error.data);
}

const forbidden = bank as unknown as { _vaultCode(): Promise<string> };
await forbidden._vaultCode().catch((error: RpcError) => console.log(`what is not offered     ${error.code}`));

const audit = bank.audit();
await sleep(50);
await server.kill();
await audit.catch((error: unknown) => {
  if (error instanceof RpcError) console.log(`the server was killed   ${error.code}, outcome ${error.outcome}`);
});
