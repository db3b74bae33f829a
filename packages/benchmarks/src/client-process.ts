/** A child process that puts the load on one contender's server: `client-process.js <name> <transport> <address>`. */
import type { Client } from "./contender.ts";
import { contenderNamed } from "./contenders.ts";
import { answer, failure, type RunRequest } from "./messages.ts";
import { scenarios } from "./scenarios.ts";

const [name = "", transport = "", address = ""] = process.argv.slice(2);
process.once("disconnect", () => process.exit());

try {
  const client = await contenderNamed(name, transport).connect(address);
  process.on("message", (request: RunRequest) => void run(client, request));
  answer({ kind: "ready", address });
} catch (error) {
  answer(failure(error));
}

async function run(client: Client, { scenario, bounds }: RunRequest): Promise<void> {
  try {
    const { call, load } = scenarios[scenario] ?? unknownScenario(scenario);
    answer({ kind: "measured", callsPerSecond: await load((n) => call(client, n), bounds) });
  } catch (error) {
    answer(failure(error));
  }
}

function unknownScenario(index: number): never {
  throw new Error(`no scenario ${index}`);
}
