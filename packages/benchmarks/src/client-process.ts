/** A child process that puts the load on one contender's server: `client-process.js <name> <transport> <address>`. */
import { constants, setPriority } from "node:os";
import { attacks } from "./attack/attacks.ts";
import { flood } from "./attack/flood.ts";
import type { Client } from "./contender.ts";
import { contenderNamed } from "./contenders.ts";
import { p99OneAtATime } from "./load.ts";
import { type Answer, answer, answerEach, failure, type Request } from "./messages.ts";
import { scenarios } from "./scenarios.ts";

const [name = "", transport = "", address = ""] = process.argv.slice(2);
process.once("disconnect", () => process.exit());

try {
  const client = await contenderNamed(name, transport).connect(address);
  answerEach((request) => serve(client, request));
  answer({ kind: "ready", address });
} catch (error) {
  answer(failure(error));
}

async function serve(client: Client, request: Request): Promise<Answer> {
  switch (request.kind) {
    case "run": {
      const { call, load } = at(scenarios, request.scenario);
      return { kind: "measured", callsPerSecond: await load((n) => call(client, n), request.bounds) };
    }
    case "time":
      return { kind: "timed", p99Ms: await p99OneAtATime((n) => client.add(n & 0xffff, 3), request.bounds) };
    case "flood":
      // It stands for another machine: the core it keeps busy is the honest client's first.
      setPriority(constants.priority.PRIORITY_LOW);
      return { kind: "flooded", bytes: await flood(at(attacks, request.attack), request.victim, request.seconds) };
    default:
      throw new Error(`a client can't ${request.kind}`);
  }
}

function at<T>(rows: readonly T[], index: number): T {
  const row = rows[index];
  if (row === undefined) throw new Error(`there is no row ${index}`);
  return row;
}
