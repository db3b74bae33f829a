/** A server or a client in a process of its own, as the benchmark holds it. */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Contender } from "./contender.ts";
import type { Answer, Request } from "./messages.ts";

type AnswerOf<K extends Answer["kind"]> = Extract<Answer, { kind: K }>;

export class Child {
  readonly address: string;
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess, address: string) {
    this.#process = process;
    this.address = address;
  }

  static server(contender: Contender): Promise<Child> {
    return Child.start(serverFile, [contender.name, contender.transport]);
  }

  static client(contender: Contender, address: string): Promise<Child> {
    return Child.start(clientFile, [contender.name, contender.transport, address]);
  }

  /** Runs a script that answers `ready`. */
  static async start(file: URL, args: readonly string[], execArgv: readonly string[] = []): Promise<Child> {
    const process = fork(fileURLToPath(file), args, { execArgv: [...execArgv] });
    try {
      const { address } = expected("ready", await nextAnswer(process, patienceMs));
      return new Child(process, address);
    } catch (error) {
      process.kill();
      throw error;
    }
  }

  /** Asks for one thing at a time; rejects when the child fails, ends or takes `patienceMs` longer than it should. */
  async ask<K extends Answer["kind"]>(request: Request, kind: K, seconds = 0): Promise<AnswerOf<K>> {
    const answered = nextAnswer(this.#process, seconds * 1000 + patienceMs);
    this.#process.send(request);
    return expected(kind, await answered);
  }

  stop(): void {
    this.#process.kill();
  }
}

const patienceMs = 15_000;
const serverFile = new URL("./server-process.js", import.meta.url);
const clientFile = new URL("./client-process.js", import.meta.url);

function expected<K extends Answer["kind"]>(kind: K, got: Answer): AnswerOf<K> {
  if (got.kind === kind) return got as AnswerOf<K>;
  throw new Error(got.kind === "failed" ? got.message : got.kind);
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
