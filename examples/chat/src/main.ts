/** Serves the chat at a free port of this machine; with `--check` also visits it, and ends. */
import { startChat } from "./server.js";

if (process.argv.includes("--check")) {
  const { check } = await import("./check.js");
  await using chat = await startChat();
  await check(chat.address);
  console.log("ok: two pages have talked to each other");
} else {
  const chat = await startChat(Number(process.env["PORT"] ?? 0));
  console.log(`chat at ${chat.address} (open it in two windows; Ctrl+C ends it)`);
}
