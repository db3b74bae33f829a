/** A contender's two processes, as the benchmark holds them. */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Contender } from "./contender.ts";
import type { Bounds } from "./load.ts";
import type { Answer, RunRequest } from "./messages.ts";

export class Pair {
  readonly contender: Contender;
  readonly #server: ChildProcess;
  readonly #client: ChildProcess;

  private constructor(contender: Contender, server: ChildProcess, client: ChildProcess) {
    this.contender = contender;
    this.#server = server;
    this.#client = client;
  }

  static async start(contender: Contender): Promise<Pair> {
    const server = child(serverFile, contender, []);
    const { address } = await ready(server);
    const client = child(clientFile, contender, [address]);
    const pair = new Pair(contender, server, client);
    try {
      await ready(client);
    } catch (error) {
      pair.stop();
      throw error;
    }
    return pair;
  }

  /** One round; rejects when the child fails, ends or takes far too long. */
  async measure(scenario: number, bounds: Bounds): Promise<number> {
    const measured = nextAnswer(this.#client, bounds.seconds * 1000 + patienceMs);
    this.#client.send({ scenario, bounds } satisfies RunRequest);
    const got = await measured;
    if (got.kind === "measured") return got.callsPerSecond;
    throw new Error(got.kind === "failed" ? got.message : got.kind);
  }

  stop(): void {
    for (const process of [this.#client, this.#server]) process.kill();
  }
}

const patienceMs = 15_000;
const serverFile = new URL("./server-process.js", import.meta.url);
const clientFile = new URL("./client-process.js", import.meta.url);

function child(file: URL, { name, transport }: Contender, more: readonly string[]): ChildProcess {
  return fork(fileURLToPath(file), [name, transport, ...more]);
}

async function ready(process: ChildProcess): Promise<{ address: string }> {
  try {
    const got = await nextAnswer(process, patienceMs);
    if (got.kind === "ready") return got;
    throw new Error(got.kind === "failed" ? got.message : got.kind);
  } catch (error) {
    process.kill();
    throw error;
  }
}

function nextAnswer(process: ChildProcess, timeoutMs: number): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => settle(() => reject(new Error("no answer in time"))), timeoutMs);
    const onMessage = (message: unknown) => settle(() => resolve(message as Answer));
    const onExit = (code: number | null) => settle(() => reject(new Error(`the process ended with ${code}`)));
    function settle(how: () => void): void {
      clearTimeout(timer);
      process.off("message", onMessage).off("exit", onExit);
      how();
    }
    process.on("message", onMessage).on("exit", onExit);
  });
}
