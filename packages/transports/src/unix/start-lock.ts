/**
 * One starter at a time for a socket path, over all processes: a file that only one can create. In it the holder's pid
 * and, where the system tells, when that process began: in a container every process before us may have had our pid.
 */
import { randomBytes } from "node:crypto";
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { codeOf } from "../system-failures.ts";

/** Takes `<path>.lock` and returns what gives it back. Throws when another starter has it. */
export function takeStartLock(path: string): () => void {
  const lock = `${path}.lock`;
  if (!create(lock)) {
    const holder = readHolder(lock);
    if (holder && isRunning(holder)) throw lockHeld(lock, holder);
    removeStale(lock);
    if (!create(lock)) throw lockHeld(lock, readHolder(lock));
  }
  return () => rmSync(lock, { force: true });
}

interface Holder {
  readonly pid: number;
  /** `""` where the system does not tell. */
  readonly startedAt: string;
}

function create(lock: string): boolean {
  try {
    writeFileSync(lock, `${process.pid} ${startOf(process.pid)}\n`, { flag: "wx", mode: 0o600 });
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
}

/** Undefined when the lock is gone. A lock whose holder has not written its pid yet counts as held by a live one. */
function readHolder(lock: string): Holder | undefined {
  try {
    const [pid = "", startedAt = ""] = readFileSync(lock, "utf8").trim().split(" ");
    return { pid: Number.parseInt(pid, 10) || process.pid, startedAt };
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

function isRunning({ pid, startedAt }: Holder): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (codeOf(error) === "ESRCH") return false;
  }
  const start = startOf(pid);
  return startedAt === "" || start === "" || start === startedAt;
}

/** The 22nd field of Linux' process table; the second is a name in brackets, which may hold anything. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  } catch {
    return "";
  }
}

/** Moved aside before it is judged again: of two who found it stale, the second may have caught the first's new lock. */
function removeStale(lock: string): void {
  const aside = `${lock}.${randomBytes(6).toString("hex")}`;
  try {
    renameSync(lock, aside);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return;
    throw error;
  }
  const holder = readHolder(aside);
  if (holder && isRunning(holder)) linkSync(aside, lock);
  rmSync(aside, { force: true });
}

function lockHeld(lock: string, holder: Holder | undefined): Error {
  const who = holder ? `process ${holder.pid}` : "another process";
  return new Error(`${who} is starting to listen there (it holds ${lock})`);
}
