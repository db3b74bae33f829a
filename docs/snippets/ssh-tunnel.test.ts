import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, connect as dial, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ByReference, connect, connectionOf, type Remote, startService } from "farref";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { closeServices } from "./free-ports.ts";

vi.mock("farref", async (original) => (await import("./free-ports.ts")).withFreePorts(original));

const home = process.cwd();
const folder = mkdtempSync(join(tmpdir(), "farref-docs-"));
let tunnel: Server | undefined;
beforeAll(() => process.chdir(folder));
afterEach(async () => {
  await closeServices();
  tunnel?.close();
});
afterAll(() => {
  process.chdir(home);
  rmSync(folder, { recursive: true });
});

/** What `ssh -L` does, without the encryption. */
async function forward(near: string, far: string): Promise<Server> {
  const server = createServer((socket) => {
    const other = dial(far);
    for (const end of [socket, other]) end.on("error", () => {});
    socket.pipe(other).pipe(socket);
  });
  server.listen(near);
  await once(server, "listening");
  return server;
}

// #region server
class Report extends ByReference {
  lines() {
    return ["all is well"];
  }
}

class Reports {
  async write(progress: Remote<(percent: number) => void>) {
    for (const percent of [0, 50, 100]) await progress(percent);
    return new Report();
  }
}
// #endregion

test("one tunnel carries calls both ways", async () => {
  // #region listen
  await startService("unix:reports.sock", new Reports());
  // #endregion
  tunnel = await forward("near.sock", "reports.sock");
  const seen: number[] = [];
  const print = (percent: number) => void seen.push(percent);
  // #region client
  const reports = await connect<Reports>("unix:near.sock");
  const report = await reports.write((percent) => print(percent));
  // #endregion
  expect(seen).toEqual([0, 50, 100]);
  // #region object
  const lines = await report.lines();
  // #endregion
  expect(lines).toEqual(["all is well"]);
  await connectionOf(reports).close();
});
