import { once } from "node:events";
import { createServer } from "node:net";
import { handleWatch } from "@farref/conformance";
import { expect, test } from "vitest";

test("what is still open is named, what is being closed is waited for", async () => {
  const watch = handleWatch(50);
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  await expect(watch.assertClosed()).rejects.toThrow("still open: 1 TCPServerWrap");
  server.close();
  await watch.assertClosed();
});
