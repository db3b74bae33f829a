/** A child process that serves for one contender until its parent lets go: `server-process.js <name> <transport>`. */
import { contenderNamed } from "./contenders.ts";
import { listenOnLoopback } from "./loopback.ts";
import { type Answer, answer, answerEach, failure, type Request } from "./messages.ts";

const [name = "", transport = ""] = process.argv.slice(2);
process.once("disconnect", () => process.exit());

try {
  const server = await contenderNamed(name, transport).serve();
  answerEach(serve);
  answer({ kind: "ready", address: server.address });
} catch (error) {
  answer(failure(error));
}

async function serve(request: Request): Promise<Answer> {
  switch (request.kind) {
    case "weigh":
      return { kind: "weighed", rssBytes: process.memoryUsage.rss() };
    case "sink":
      return { kind: "sunk", address: (await openSink()).address };
    default:
      throw new Error(`a server can't ${request.kind}`);
  }
}

function openSink(): Promise<{ readonly address: string }> {
  return listenOnLoopback((socket) => {
    socket.on("error", () => {}).resume();
  });
}
