import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, startService } from "farref";
import { afterEach, expect, test, vi } from "vitest";
import { closeServices } from "./free-ports.ts";

vi.mock("farref", async (original) => (await import("./free-ports.ts")).withFreePorts(original));
afterEach(closeServices);

class Calculator {
  add(a: number, b: number) {
    return a + b;
  }
}

const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;

test.skipIf(!hasOpenssl)("tls", async () => {
  const { key, cert } = selfSigned();
  // #region tls
  await startService("tls://127.0.0.1:8787", new Calculator(), { tls: { key, cert } });

  const calculator = await connect<Calculator>("tls://127.0.0.1:8787", { tls: { ca: cert } });
  // #endregion
  expect(await calculator.add(5, 3)).toBe(8);
  calculator[Symbol.dispose]();
  const trusting = connect("tls://127.0.0.1:8787");
  await expect(trusting).rejects.toMatchObject({ code: "unauthenticated", outcome: "not-sent" });
});

/** A certificate for this machine that nobody vouches for. */
function selfSigned(): { readonly key: string; readonly cert: string } {
  const folder = mkdtempSync(join(tmpdir(), "farref-docs-"));
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"];
  const names = ["-subj", "/CN=farref", "-addext", "subjectAltName=IP:127.0.0.1"];
  execFileSync("openssl", ["req", ...kind, ...names, "-keyout", key, "-out", cert], { stdio: "ignore" });
  const pair = { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
  rmSync(folder, { recursive: true });
  return pair;
}
