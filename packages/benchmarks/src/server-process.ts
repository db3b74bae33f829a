/** A child process that serves for one contender until its parent lets go: `server-process.js <name> <transport>`. */
import { contenderNamed } from "./contenders.ts";
import { answer, failure } from "./messages.ts";

const [name = "", transport = ""] = process.argv.slice(2);
process.once("disconnect", () => process.exit());

try {
  const server = await contenderNamed(name, transport).serve();
  // The only thing a server is asked.
  process.on("message", () => answer({ kind: "weighed", rssBytes: process.memoryUsage.rss() }));
  answer({ kind: "ready", address: server.address });
} catch (error) {
  answer(failure(error));
}
