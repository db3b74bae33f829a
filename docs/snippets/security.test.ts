import { acl, connect, startService } from "farref";
import { afterEach, expect, test, vi } from "vitest";
import { closeServices } from "./free-ports.ts";

vi.mock("farref", async (original) => (await import("./free-ports.ts")).withFreePorts(original));
afterEach(closeServices);

class Calculator {
  add(a: number, b: number) {
    return a + b;
  }

  reset() {}
}

test("authorize", async () => {
  // #region authorize
  await startService("tcp://127.0.0.1:8787", new Calculator(), {
    authorize: ({ method, session }) => method !== "reset" || session.peer.transport === "unix",
  });
  // #endregion
  using calculator = await connect<Calculator>("tcp://127.0.0.1:8787");
  expect(await calculator.add(5, 3)).toBe(8);
  await expect(calculator.reset()).rejects.toMatchObject({ code: "denied", outcome: "not-executed" });
});

test("acl", async () => {
  await expect(startService("tcp://0.0.0.0:0", new Calculator())).rejects.toMatchObject({ code: "refused" });
  // #region acl
  const lan = acl(["deny all", "allow localhost", "allow 192.168.1.*", "allow 10.0.0.0/8"]);
  await startService("tcp://127.0.0.1:8787", new Calculator(), { acl: lan });
  // #endregion
  expect([lan.allows("192.168.1.7"), lan.allows("::ffff:10.1.2.3"), lan.allows("192.168.2.7")]).toEqual([
    true,
    true,
    false,
  ]);
  using calculator = await connect<Calculator>("tcp://127.0.0.1:8787");
  expect(await calculator.add(5, 3)).toBe(8);
});
