/** Programs in processes of their own: TypeScript files of `fixtures`, bundled with farref's sources and run by Node. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { fileURLToPath } from "node:url";
import { build, stop } from "esbuild";
import { afterAll } from "vitest";

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const fixtures = fileURLToPath(new URL("fixtures", import.meta.url));
// A bundled CommonJS package asks for Node's modules this way.
const banner = 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);';
const directory = mkdtempSync(join(tmpdir(), "farref-"));
const bundles = new Map<string, Promise<string>>();

afterAll(() => rmSync(directory, { recursive: true }));

/** Starts `fixtures/<name>.ts`. Disposing it ends the process, whatever state it is in. */
export async function startProgram(name: string, ...args: readonly string[]): Promise<Program> {
  const bundle = bundles.get(name) ?? bundled(name);
  bundles.set(name, bundle);
  return new Program(spawn(process.execPath, [await bundle, ...args], { stdio: ["pipe", "pipe", "inherit"] }));
}

async function bundled(name: string): Promise<string> {
  const outfile = join(directory, `${name}.mjs`);
  await build({
    entryPoints: [join(fixtures, `${name}.ts`)],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    conditions: ["@farref/source"],
    external: ["bufferutil", "utf-8-validate"],
    banner: { js: banner },
    logLevel: "error",
  });
  await stop();
  return outfile;
}

export class Program implements AsyncDisposable {
  readonly exited: Promise<Exit>;
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #output: Interface;

  constructor(child: ChildProcess) {
    this.#process = child;
    if (!child.stdout) throw new Error("a program without output");
    this.#output = createInterface(child.stdout);
    this.#lines = this.#output[Symbol.asyncIterator]();
    this.exited = once(child, "close").then(([code, signal]) => ({ code, signal }));
  }

  /** The next line it prints. */
  async line(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("the program ended without a further line");
    return value;
  }

  /** Ends its input, which asks it to end. */
  endInput(): void {
    this.#process.stdin?.end();
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) this.#process.kill("SIGKILL");
    this.#process.stdin?.destroy();
    await this.exited;
    this.#output.close();
  }
}
