/** Starts a long job in another process and watches it by a callback. */
import { startServer } from "@farref/example-kit";
import { connect, RemoteError } from "farref";
import type { Copier } from "./server.js";

await using server = await startServer(new URL("./server.js", import.meta.url));
await using copier = await connect<Copier>(server.uri);

// #region watch
const report = await copier.copy(5, (done, total) => {
  if (done === 3) throw new RangeError("nobody looks at file 3");
  console.log(`client: ${done} of ${total}`);
});
console.log(`client: ${report.copied} copied, ${report.failures} report lost`);
// #endregion

try {
  await copier.copyStrictly(5, (done) => {
    if (done === 2) throw new RangeError("enough");
  });
} catch (error) {
  if (!(error instanceof RemoteError)) throw error;
  console.log(`client: the job gave up: ${error.message}`);
}
