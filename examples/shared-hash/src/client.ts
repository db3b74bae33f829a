/** One of the processes that share the hash: counts to 200 in the way and under the key it is told. */
import { connect, connectionOf } from "farref";
import type { SharedHash, StartingLine } from "./server.js";

const [where = "", way = "", clients = "2"] = process.argv.slice(2);
await using hash = await connect<SharedHash>(where);
const start = await connectionOf(hash).lookup<StartingLine>("start");

// #region race
/** Between reading and writing, the other client reads and writes as well. */
async function readThenWrite(key: string) {
  const value = await hash.get(key);
  await hash.set(key, Number(value ?? 0) + 1);
}
// #endregion

const ways: Record<string, (key: string) => Promise<void>> = {
  "read, then write": readThenWrite,
  "a method at the server": hash.increment,
  "a method that awaits": hash.incrementSlowly,
  "the same, in turn": hash.incrementInTurn,
};
const count = ways[way];
if (!count) throw new Error(`there is no way of counting called ${way}`);

await start.ready(Number(clients));
for (let i = 0; i < 200; i++) await count(way);
await hash.set("last access", new Date());
