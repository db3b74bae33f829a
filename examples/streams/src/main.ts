/** Serves the page at a free port of this machine; with `--check` also visits it, and ends. */
import { appendFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startFiles } from "./server.js";

const folder = await mkdtemp(join(tmpdir(), "farref-streams-"));
const log = join(folder, "server.log");
await appendFile(log, "the server has started\n");

if (process.argv.includes("--check")) {
  const { check } = await import("./check.js");
  await using files = await startFiles(folder);
  await check(files.address, folder).finally(() => rm(folder, { recursive: true }));
  console.log("ok: a log was followed and a file uploaded");
} else {
  const files = await startFiles(folder, Number(process.env["PORT"] ?? 0));
  console.log(`streams at ${files.address}, its files are in ${folder} (Ctrl+C ends it)`);
  setInterval(() => void appendFile(log, `it is ${new Date().toLocaleTimeString()}\n`), 1_000);
}
