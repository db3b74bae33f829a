import { afterAll, expect, test, vi } from "vitest";
import { closeServices } from "./free-ports.ts";

vi.mock("farref", async (original) => (await import("./free-ports.ts")).withFreePorts(original));
afterAll(closeServices);

test("the first program prints 8", async () => {
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  await import("./first-program/server.ts");
  await import("./first-program/client.ts");
  expect(log.mock.calls.flat()).toContain(8);
});
