/** A module started as a process of its own. Nothing here is about farref. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A process that was started, and what it printed first. Disposing it ends it. */
export interface OwnProcess extends AsyncDisposable {
  readonly pid: number;
  /** The address in the first line it printed. */
  readonly uri: string;
  /** Settles when the process has ended, by itself or not. */
  readonly ended: Promise<void>;
  /** Ends it without warning, as a crash would. */
  kill(): Promise<void>;
}

/** Runs a module with this Node and waits for a line with an address. Further lines are printed as they come. */
export async function startServer(module: URL, ...args: readonly string[]): Promise<OwnProcess> {
  const child = start(module, args);
  const lines = createInterface(child.stdout as NonNullable<ChildProcess["stdout"]>);
  const ended = once(child, "close").then(() => {});
  const uri = await new Promise<string>((resolve, reject) => {
    lines.once("line", (line) => {
      lines.on("line", (further) => console.log(further));
      const [address] = /\b(tcp|unix|ws):\S+/.exec(line) ?? [];
      if (address) resolve(address);
      else reject(new Error(`${module.pathname}: expected an address, it printed ${line}`));
    });
    void ended.then(() => reject(new Error(`${module.pathname} ended before it printed an address`)));
  });
  const kill = async () => {
    child.kill("SIGKILL");
    await ended;
  };
  return { pid: child.pid ?? 0, uri, ended, kill, [Symbol.asyncDispose]: kill };
}

/** Runs a module with this Node to its end and gives what it printed. */
export async function runToEnd(module: URL, ...args: readonly string[]): Promise<string> {
  const child = start(module, args);
  let printed = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    printed += chunk.toString();
  });
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`${module.pathname} ended with ${code}`);
  return printed.trim();
}

function start(module: URL, args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [fileURLToPath(module), ...args], { stdio: ["ignore", "pipe", "inherit"] });
}
