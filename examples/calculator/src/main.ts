/** Starts the server as a process of its own, runs the client in this one, and ends with it. */
import { startServer } from "@farref/example-kit";

await using server = await startServer(new URL("./server.js", import.meta.url), "tcp://127.0.0.1:0");
console.log(`process ${server.pid} serves a calculator at ${server.uri}`);

console.log(`process ${process.pid} calls it:`);
process.argv[2] = server.uri;
await import("./client.js");
