/** A folder that a page may read from and write to, a little at a time. */
import { open, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { currentCall } from "farref";

const pollMs = 100;

export class Files {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  // #region tail
  /** The lines of a file, and then each that is appended, as long as somebody reads. */
  async *tail(name: string) {
    const { signal } = currentCall(); // fires when nobody does any more
    const file = await open(this.#path(name));
    try {
      const decoder = new TextDecoder();
      for (let unfinished = ""; ; ) {
        const { bytesRead, buffer } = await file.read();
        if (bytesRead === 0) await sleep(pollMs, undefined, { signal });
        const lines = (unfinished + decoder.decode(buffer.subarray(0, bytesRead), { stream: true })).split("\n");
        unfinished = lines.pop() ?? "";
        yield* lines;
      }
    } finally {
      await file.close();
    }
  }
  // #endregion

  // #region store
  /** Takes a file in, and tells how many bytes of it are on the disk. Broken off, it leaves nothing behind. */
  async *store(name: string, content: ReadableStream<Uint8Array>) {
    const path = this.#path(name);
    const partial = `${path}.part`;
    const file = await open(partial, "wx");
    try {
      let stored = 0;
      for await (const chunk of content) {
        await file.write(chunk);
        stored += chunk.length;
        yield stored;
      }
      await rename(partial, path);
    } finally {
      await file.close();
      await rm(partial, { force: true });
    }
  }
  // #endregion

  #path(name: string): string {
    if (name !== basename(name) || name.startsWith(".")) throw new RangeError("not the name of a file here");
    return join(this.#folder, name);
  }
}
