/** Two client processes count to 200 each, in several ways; the hash should say 400. */
import { runToEnd, startServer } from "@farref/example-kit";
import { connect } from "farref";
import type { SharedHash } from "./server.js";

const ways = ["read, then write", "a method at the server", "a method that awaits", "the same, in turn"];

await using server = await startServer(new URL("./server.js", import.meta.url));
await using hash = await connect<SharedHash>(server.uri);

for (const way of ways) {
  const client = () => runToEnd(new URL("./client.js", import.meta.url), server.uri, way);
  await Promise.all([client(), client()]);
  const counted = Number(await hash.get(way));
  console.log(`${way.padEnd(22)} ${counted} of 400${counted < 400 ? `, ${400 - counted} lost` : ""}`);
}

const last = await hash.get("last access");
console.log(
  `last access            a Date is still a Date: ${last instanceof Date}, ${last instanceof Date && last.toISOString()}`,
);
