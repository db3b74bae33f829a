import { afterAll, expect, test, vi } from "vitest";
import { closeServices } from "./free-ports.ts";

vi.mock("farref", async (original) => (await import("./free-ports.ts")).withFreePorts(original));
afterAll(closeServices);

test("a client that goes on calling learns that its server is gone", async () => {
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  await import("./first-program/server.ts");
  const counting = import("./first-program/counting.ts");
  await vi.waitFor(() => expect(log.mock.calls.flat()).toContain(2));
  await closeServices();
  await expect(counting).rejects.toMatchObject({ code: "closed", outcome: "not-sent" });
});
