/** Peers that never became a session: the program hears of them, and of a flood of them no more than it can read. */
import { afterEach, expect, test } from "vitest";
import { turnsUntil } from "../../conformance/src/index.ts";
import { upgrade } from "../../transports/test/upgrade-request.ts";
import { acl, connect, type Service, type ServiceOptions, startService } from "../src/index.ts";

const services: Service<object>[] = [];
afterEach(async () => {
  await Promise.all(services.splice(0).map((service) => service.close()));
});

async function serve(uri: string, options: ServiceOptions) {
  const errors: Error[] = [];
  const service = await startService(
    uri,
    { add: (a: number, b: number) => a + b },
    {
      onError: (error) => errors.push(error),
      ...options,
    },
  );
  services.push(service);
  return { service, errors };
}

test.each(["tcp://127.0.0.1:0", "ws://127.0.0.1:0"])(
  "over %s: an acl's refusals are told with the address",
  async (uri) => {
    const { service, errors } = await serve(uri, { acl: acl("deny all") });
    await expect(connect(service.uri)).rejects.toMatchObject({ code: "unreachable", outcome: "not-sent" });
    expect(errors).toMatchObject([
      { code: "denied", message: expect.stringMatching(/\/\/127\.0\.0\.1:\d+ may not connect \(acl\)/) },
    ]);
  },
);

test("one connection too many is told with the limit", async () => {
  const { service, errors } = await serve("tcp://127.0.0.1:0", { limits: { maxConnections: 1 } });
  using _first = await connect(service.uri);
  await expect(connect(service.uri)).rejects.toMatchObject({ outcome: "not-sent" });
  expect(errors).toMatchObject([{ code: "overloaded", message: expect.stringContaining("limits.maxConnections") }]);
});

test("a flood of pages of another site is ten lines, and who is welcome is served meanwhile", async () => {
  const { service, errors } = await serve("ws://127.0.0.1:0", {});
  const page = { Origin: "https://evil.example" };
  const began = performance.now();
  const statuses = await Promise.all(Array.from({ length: 300 }, () => upgrade(service.uri, page)));
  const seconds = Math.ceil((performance.now() - began) / 1_000);
  expect(new Set(statuses.map(({ status }) => status))).toEqual(new Set([403]));
  await turnsUntil(() => errors.length >= 10, 1_000);
  // Ten a second and a line for what was left out, however long this machine takes.
  expect(errors.length).toBeLessThanOrEqual(11 * (seconds + 1));
  expect(errors.slice(0, 10).map(({ message }) => message)).toEqual(
    Array.from({ length: 10 }, () => expect.stringMatching(/^denied: a WebSocket for 127\.0\.0\.1 .*evil\.example/)),
  );
  await using remote = await connect<{ add(a: number, b: number): number }>(service.uri);
  expect(await remote.add(5, 3)).toBe(8);
});
