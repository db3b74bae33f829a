/** Two counters are incremented in another process, first copied, then referenced. */
import { startServer } from "@farref/example-kit";
import { connect, type RpcError } from "farref";
import { Counter } from "./counter.js";
import type { Incrementer } from "./server.js";

await using server = await startServer(new URL("./server.js", import.meta.url));
await using incrementer = await connect<Incrementer>(server.uri);

// #region copied
const plain = [{ value: 10 }, { value: 20 }];
const copies = await incrementer.incrementCopies(plain);
console.log(
  "copied:     ours",
  plain.map(({ value }) => value),
  "theirs",
  copies.map(({ value }) => value),
);
// #endregion

// #region referenced
const counters = [new Counter(10), new Counter(20)];
const returned = await incrementer.incrementAll(counters);
console.log(
  "referenced: ours",
  counters.map((counter) => counter.value()),
);
console.log("            what came back is ours:", returned[0] === (counters[0] as unknown));
// #endregion

// #region refused
class Unmarked {
  value = 10;
}
const attempt = incrementer.incrementCopies([new Unmarked()]);
await attempt.catch((error: RpcError) => console.log("unmarked:  ", error.message));
// #endregion
