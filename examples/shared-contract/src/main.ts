/** Serves the guestbook at a free port of this machine; with `--check` also visits it, and ends. */
import { startGuestbook } from "./server.js";

if (process.argv.includes("--check")) {
  const { check } = await import("./check.js");
  await using guestbook = await startGuestbook();
  await check(guestbook.address);
  console.log("ok: what the contract does not allow was refused by the page and by the server");
} else {
  const guestbook = await startGuestbook(Number(process.env["PORT"] ?? 0));
  console.log(`guestbook at ${guestbook.address} (Ctrl+C ends it)`);
}
