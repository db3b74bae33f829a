/**
 * Puts a listening Unix socket at a path, so that at no moment anybody else could connect to it, and a socket that
 * somebody answers on is never taken away:
 *
 *   lock path.lock ─► is the path free, or its file stale? ─► mkdir .x (0700) ─► listen on .x/s ─► chmod
 *                                                             ─► rename .x/s over path ─► rmdir .x ─► unlock
 */
import { chmodSync, lstatSync, mkdtempSync, renameSync, rmdirSync, rmSync, type Stats, unlinkSync } from "node:fs";
import { connect, type Server } from "node:net";
import { dirname, join } from "node:path";
import { listen } from "../socket/server-listener.ts";
import { codeOf } from "../system-failures.ts";
import { takeStartLock } from "./start-lock.ts";
import { fits } from "./unix-path.ts";

/** Listens at `path`. Returns what removes the file again, as long as it is still the one made here. */
export async function bindPrivately(server: Server, path: string, mode: number): Promise<() => void> {
  const unlock = takeStartLock(path);
  try {
    await assertFree(path);
    await bind(server, path, mode);
    const own = lstatSync(path);
    return () => removeIfSame(path, own);
  } finally {
    unlock();
  }
}

/** Free is a path without a file, or with a socket nobody answers on. What is no socket is never touched. */
async function assertFree(path: string): Promise<void> {
  const file = lstatSync(path, { throwIfNoEntry: false });
  if (!file) return;
  if (!file.isSocket()) throw new Error("there is a file that is not a socket");
  if (await isAnswered(path)) throw Object.assign(new Error(`${path} is in use`), { code: "EADDRINUSE" });
}

/** Only a refusal by the kernel proves that nobody listens; what else goes wrong counts as in use. */
function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = connect({ path });
    probe.on("error", (error) => {
      const code = codeOf(error);
      if (code === "ECONNREFUSED" || code === "ENOENT") resolve(false);
      else reject(error);
    });
    probe.on("connect", () => {
      probe.destroy();
      resolve(true);
    });
  });
}

async function bind(server: Server, path: string, mode: number): Promise<void> {
  const directory = mkdtempSync(`${dirname(path)}/.`); // `join` would drop the dot. A longer name would fit less often.
  const temporary = join(directory, "s");
  try {
    if (!fits(temporary)) return await bindUnderUmask(server, path, mode);
    await listen(server, { path: temporary, exclusive: true });
    chmodSync(temporary, mode);
    renameSync(temporary, path);
  } catch (error) {
    server.close();
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    rmdirSync(directory);
  }
}

/**
 * For a path so long that the temporary one does not fit. The mode is right from the first moment here too, but the
 * umask belongs to the whole process: worker threads are not allowed to set it, and fail here.
 */
async function bindUnderUmask(server: Server, path: string, mode: number): Promise<void> {
  const umask = process.umask(0o777 & ~mode);
  try {
    rmSync(path, { force: true });
    const listening = listen(server, { path, exclusive: true }); // The file is made before this returns.
    process.umask(umask);
    await listening;
  } finally {
    process.umask(umask);
  }
}

/** While the server still listens: nobody can take the path over between the look and the removal. */
function removeIfSame(path: string, own: Stats): void {
  try {
    const file = lstatSync(path);
    if (file.ino === own.ino && file.dev === own.dev) unlinkSync(path);
  } catch {
    // Somebody has removed it before us, or has taken the directory away from us.
  }
}
