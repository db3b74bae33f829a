/** Servers that a test shares with a WebSocket listener: closed behind each test, and no handle of theirs is left. */
import type { Server } from "node:http";
import { type HandleWatch, handleWatch } from "@farref/conformance";
import { afterEach, beforeEach } from "vitest";

/** For a whole file. What is put into the list is closed behind the test that did. */
export function watchedServers(): Server[] {
  const servers: Server[] = [];
  let watch: HandleWatch;
  beforeEach(() => {
    watch = handleWatch();
  });
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.close();
      server.closeAllConnections();
    }
    await watch.assertClosed();
  });
  return servers;
}
