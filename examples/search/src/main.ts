/** Starts searches in another process and does not wait for all of them. */
import { startServer } from "@farref/example-kit";
import { connect, RpcError, withOptions } from "farref";
import type { Primes } from "./server.js";

await using server = await startServer(new URL("./server.js", import.meta.url));
await using primes = await connect<Primes>(server.uri);

console.log(`client: ${await primes.find(1_000_000, "7")} ends in 7`);

// #region cancel
const controller = new AbortController();
const search = withOptions(primes, { signal: controller.signal }).find(1_000_000, "0"); // there is none
setTimeout(() => controller.abort(new Error("nobody needs it any more")), 50);
try {
  await search;
} catch (error) {
  if (!(error instanceof RpcError)) throw error;
  console.log(`client: ${error.code}, ${error.cause}`); // cancelled, Error: nobody needs it any more
}
// #endregion

// #region timeout
try {
  await withOptions(primes, { timeoutMs: 50 }).find(1_000_000, "00");
} catch (error) {
  if (!(error instanceof RpcError)) throw error;
  console.log(`client: ${error.code}, it may have run: ${error.outcome}`); // timeout, it may have run: unknown
}
// #endregion

console.log(`client: ${await primes.find(2_000_000, "1")} ends in 1: the server is as well as before`);
