import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { acl, bearer, clientCertificate, connect, connectionOf, currentCall, startService, verifyBearer } from "farref";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { closeServices } from "./free-ports.ts";

vi.mock("farref", async (original) => (await import("./free-ports.ts")).withFreePorts(original));

const log = vi.spyOn(console, "log").mockImplementation(() => {});
const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;
const home = process.cwd();
let folder = "";

/** The recipe of docs/tls.md, as it stands there. */
beforeAll(() => {
  if (!hasOpenssl) return;
  const commands = /```sh\n(.*?)```/s.exec(readFileSync(new URL("../tls.md", import.meta.url), "utf8"))?.[1];
  folder = mkdtempSync(join(tmpdir(), "farref-docs-"));
  execFileSync("sh", ["-e"], { input: commands, cwd: folder, stdio: ["pipe", "ignore", "ignore"] });
  process.chdir(folder);
});
afterEach(closeServices);
afterAll(() => {
  process.chdir(home);
  if (folder) rmSync(folder, { recursive: true });
});

class Calculator {
  add(a: number, b: number) {
    return a + b;
  }
}

test.skipIf(!hasOpenssl)("a server that clients can verify", async () => {
  // #region server
  const tls = { key: readFileSync("server.key"), cert: readFileSync("server.crt") };
  await startService("tls://127.0.0.1:8787", new Calculator(), { tls });
  // #endregion
  // #region client
  const ca = readFileSync("ca.crt");
  const calculator = await connect<Calculator>("tls://127.0.0.1:8787", { tls: { ca } });
  console.log(await calculator.add(5, 3)); // 8
  // #endregion
  expect(log).toHaveBeenCalledWith(8);
  await connectionOf(calculator).close();
});

test.skipIf(!hasOpenssl)("clients that the server can verify", async () => {
  const key = readFileSync("server.key");
  const cert = readFileSync("server.crt");
  // #region mutual-server
  class Whoami {
    name() {
      return currentCall().principal?.id;
    }
  }
  const ca = readFileSync("ca.crt");
  await startService("tls://127.0.0.1:8787", new Whoami(), {
    tls: { key, cert, ca, requestCert: true },
    authenticate: clientCertificate(),
  });
  // #endregion
  // #region mutual-client
  const tls = { ca, key: readFileSync("ann.key"), cert: readFileSync("ann.crt") };
  const whoami = await connect<Whoami>("tls://127.0.0.1:8787", { tls });
  console.log(await whoami.name()); // ann
  // #endregion
  expect(log).toHaveBeenCalledWith("ann");
  await connectionOf(whoami).close();
  const asServer = { ca, key, cert };
  await expect(connect("tls://127.0.0.1:8787", { tls: asServer })).rejects.toMatchObject({ outcome: "not-sent" });
});

test.skipIf(!hasOpenssl)("some with a certificate, some with a token", async () => {
  const [key, cert, ca] = ["server.key", "server.crt", "ca.crt"].map((file) => readFileSync(file));
  class Whoami {
    name() {
      return currentCall().principal?.id;
    }
  }
  const owners = new Map([["a token", "bob"]]);
  // #region either
  await startService("tls://127.0.0.1:8787", new Whoami(), {
    tls: { key, cert, ca, requestCert: true, rejectUnauthorized: false },
    authenticate: [
      clientCertificate(({ subject }) => (subject.CN === "ann" ? { id: "ann", role: "operator" } : null)),
      verifyBearer((token) => {
        const owner = owners.get(token);
        return owner === undefined ? null : { id: owner };
      }),
    ],
  });
  // #endregion
  const ann = { ca: ca ?? "", key: readFileSync("ann.key"), cert: readFileSync("ann.crt") };
  for (const [options, name] of [
    [{ tls: ann }, "ann"],
    [{ tls: { ca: ca ?? "" }, credentials: bearer("a token") }, "bob"],
  ] as const) {
    const whoami = await connect<Whoami>("tls://127.0.0.1:8787", options);
    expect(await whoami.name()).toBe(name);
    await connectionOf(whoami).close();
  }
});

test("behind a proxy", async () => {
  // #region proxy
  await startService("ws://127.0.0.1:8080/farref", new Calculator(), {
    trustedProxies: ["127.0.0.1", "10.0.0.0/8"],
    acl: acl(["deny all", "allow 203.0.113.0/24"]),
    allowedOrigins: ["https://calculator.example"],
    onError: (error) => console.error(error),
  });
  // #endregion
  await expect(connect("ws://127.0.0.1:8080/farref")).rejects.toMatchObject({ outcome: "not-sent" });
});
