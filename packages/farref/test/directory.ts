/** A directory of a test's own, for Unix sockets. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Directory extends AsyncDisposable {
  readonly path: string;
}

export async function openDirectory(): Promise<Directory> {
  const path = await mkdtemp(join(tmpdir(), "farref-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}
