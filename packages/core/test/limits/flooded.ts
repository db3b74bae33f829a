/** A victim in its own process, an honest client of it, and sockets that write and read only when told to. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect as dial, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { tcpTransport } from "../../../transports/src/index.ts";
import { connectionOf, type Limits, openConnection, type Remote } from "../../src/index.ts";
import { frame, preamble } from "../../src/wire/frames.ts";
import { framed, helloFrame } from "../session/raw-peer.ts";
import type { Status, Victim } from "./victim.ts";

let bundle: Promise<string> | undefined;
const directory = mkdtempSync(join(tmpdir(), "farref-flood-"));
process.once("exit", () => rmSync(directory, { recursive: true, force: true }));

async function bundled(): Promise<string> {
  const outfile = join(directory, "victim.mjs");
  await build({
    entryPoints: [fileURLToPath(new URL("victim.ts", import.meta.url))],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    conditions: ["@farref/source"],
    external: ["bufferutil", "utf-8-validate"],
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
    logLevel: "error",
  });
  return outfile;
}

export interface Flooded extends AsyncDisposable {
  readonly honest: Remote<Victim>;
  /** What the victim has grown by since it was warm. */
  growth(): Promise<Status>;
  /** Connects and shakes hands. */
  attacker(): Promise<Attacker>;
  /** Connects and says nothing. */
  silent(): Promise<Socket>;
}

export async function flooded(limits: Partial<Limits> = {}): Promise<Flooded> {
  bundle ??= bundled();
  const child = fork(await bundle, [JSON.stringify(limits)], { execArgv: ["--expose-gc"] });
  const [uri] = (await once(child, "message")) as [string];
  const port = Number(new URL(uri).port);
  const channel = await tcpTransport.dial(uri, {});
  const honest = (await openConnection(channel, { address: uri })) as Remote<Victim>;
  for (let i = 0; i < 200; i++) await honest.add(i, 1);
  const warm = await honest.status();
  const sockets: Socket[] = [];
  const silent = async () => {
    const socket = dial({ port, host: "127.0.0.1" }).on("error", () => {});
    sockets.push(socket);
    await once(socket, "connect");
    return socket;
  };
  return {
    honest,
    silent,
    async growth() {
      const now = await honest.status();
      return { ...now, rssBytes: now.rssBytes - warm.rssBytes, heldBytes: now.heldBytes - warm.heldBytes };
    },
    async attacker() {
      const socket = await silent();
      socket.write(preamble);
      socket.write(helloFrame());
      // The answer: preamble, hello, ready.
      await once(socket, "data");
      socket.write(framed(frame.ready, () => {}));
      return new Attacker(socket);
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await connectionOf(honest).close();
      child.disconnect();
      await once(child, "exit");
    },
  };
}

export class Attacker {
  readonly socket: Socket;
  #read = 0;
  #lastId = 0;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (bytes) => {
      this.#read += bytes.length;
    });
  }

  get bytesRead(): number {
    return this.#read;
  }

  nextId(): number {
    return ++this.#lastId;
  }

  /** Writes `count` frames as fast as the victim takes them, until it hangs up. Returns how many were written. */
  async flood(count: number, make: (i: number) => Uint8Array): Promise<number> {
    let written = 0;
    while (written < count && !this.isOver) {
      const batch: Uint8Array[] = [];
      for (let bytes = 0; bytes < 64 * 1024 && written < count; written++) {
        const piece = make(written);
        batch.push(piece);
        bytes += piece.length;
      }
      if (!this.socket.write(Buffer.concat(batch))) await this.#room();
    }
    return written;
  }

  /** Reads no further byte. */
  stopReading(): void {
    this.socket.pause();
  }

  get isOver(): boolean {
    return this.socket.destroyed || this.socket.readableEnded;
  }

  /** Room to write, the end of the socket, or a victim that takes nothing for a while. */
  async #room(): Promise<void> {
    const giveUpAt = performance.now() + 3_000;
    while (this.socket.writableNeedDrain && !this.isOver && performance.now() < giveUpAt) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
