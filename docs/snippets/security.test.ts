import {
  acl,
  bearer,
  connect,
  currentCall,
  defineContract,
  implement,
  method,
  rateLimit,
  sharedSecret,
  startService,
  verifyBearer,
} from "farref";
import { afterEach, expect, test, vi } from "vitest";
import * as z from "zod";
import { closeServices } from "./free-ports.ts";

vi.spyOn(console, "log").mockImplementation(() => {});
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

test("names", async () => {
  class Admin {
    wipe() {}
  }
  // #region names
  const service = await startService("tcp://127.0.0.1:8787", new Calculator(), {
    authorize: ({ method, principal }) => method !== "#admin" || principal?.id === "ann",
  });
  service.publish("admin", new Admin());
  // #endregion
  const refused = { code: "denied", outcome: "not-sent" };
  await expect(connect("tcp://127.0.0.1:8787#admin")).rejects.toMatchObject(refused);
  using calculator = await connect<Calculator>("tcp://127.0.0.1:8787");
  expect(await calculator.add(5, 3)).toBe(8);
});

test("names under a policy by scope", async () => {
  const reports = implement(defineContract({ count: method([], z.int(), { scope: "reports" }) }), { count: () => 3 });
  const may = (_principal: unknown, scope: string | undefined) => scope === "reports";
  // #region scopes
  const openNames = new Set(["#reports"]);
  const service = await startService("tcp://127.0.0.1:8787", undefined, {
    authorize: ({ method, principal, scope }) => {
      const isLookup = method.startsWith("#");
      return isLookup ? openNames.has(method) : may(principal, scope);
    },
  });
  service.publish("reports", reports);
  // #endregion
  service.publish("drafts", reports);
  using published = await connect<{ count(): number }>("tcp://127.0.0.1:8787#reports");
  expect(await published.count()).toBe(3);
  const denied = { code: "denied", outcome: "not-sent" };
  await expect(connect("tcp://127.0.0.1:8787#drafts")).rejects.toMatchObject(denied);
  await closeServices();
  await using byScopeAlone = await startService("memory:by-scope-alone", undefined, {
    authorize: ({ principal, scope }) => may(principal, scope),
  });
  byScopeAlone.publish("reports", reports);
  await expect(connect("memory:by-scope-alone#reports")).rejects.toMatchObject(denied);
});

test("contract", async () => {
  // #region contract
  const calculatorContract = defineContract({
    add: method([z.number(), z.number()], z.number()),
  });

  await startService("tcp://127.0.0.1:8787", implement(calculatorContract, new Calculator()));
  // #endregion
  using calculator = await connect<Record<"add" | "reset", (...args: unknown[]) => unknown>>("tcp://127.0.0.1:8787");
  expect(await calculator.add(5, 3)).toBe(8);
  const refused = { code: "invalid-argument", outcome: "not-executed" };
  await expect(calculator.add("5", () => 3)).rejects.toMatchObject(refused);
  await expect(calculator.reset()).rejects.toMatchObject({ code: "not-exposed" });
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

test("shared secret", async () => {
  // #region shared-secret
  const secret = process.env["CALCULATOR_SECRET"] ?? "a long random text that both ends know";
  await startService("tcp://127.0.0.1:8787", new Calculator(), { authenticate: sharedSecret(secret) });

  const calculator = await connect<Calculator>("tcp://127.0.0.1:8787", { credentials: sharedSecret(secret) });
  // #endregion
  expect(await calculator.add(5, 3)).toBe(8);
  calculator[Symbol.dispose]();
  const stranger = connect("tcp://127.0.0.1:8787", { credentials: sharedSecret("a guess") });
  await expect(stranger).rejects.toMatchObject({ code: "unauthenticated", outcome: "not-sent" });
});

test("bearer", async () => {
  const owners = new Map([["a token", "ada"]]);
  // #region bearer
  class Whoami {
    name() {
      return currentCall().principal?.id;
    }
  }
  await startService("tcp://127.0.0.1:8787", new Whoami(), {
    authenticate: verifyBearer((token) => {
      const owner = owners.get(token);
      return owner === undefined ? null : { id: owner };
    }),
  });

  const whoami = await connect<Whoami>("tcp://127.0.0.1:8787", { credentials: bearer("a token") });
  console.log(await whoami.name()); // ada
  // #endregion
  expect(await whoami.name()).toBe("ada");
  whoami[Symbol.dispose]();
  await expect(connect("tcp://127.0.0.1:8787")).rejects.toMatchObject({ code: "unauthenticated" });
});

test("rate limit", async () => {
  // #region rate-limit
  await startService("tcp://127.0.0.1:8787", new Calculator(), {
    authorize: rateLimit({ perSecond: 50, burst: 200 }),
  });
  // #endregion
  using calculator = await connect<Calculator>("tcp://127.0.0.1:8787");
  const calls = Array.from({ length: 300 }, () => calculator.add(5, 3));
  const settled = await Promise.allSettled(calls);
  const refused = settled.filter(({ status }) => status === "rejected");
  expect(refused.length).toBeGreaterThan(50);
});

test("errors and the audit", async () => {
  class Vault {
    open() {
      throw new Error("the code is 0000");
    }
  }
  const audited: string[] = [];
  const heard: Error[] = [];
  await startService("tcp://127.0.0.1:8787", new Vault(), {
    redactErrors: true,
    audit: ({ method, permitted, threw }) => audited.push(`${method} ${permitted} ${threw}`),
    onError: (error) => heard.push(error),
  });
  using vault = await connect<Vault>("tcp://127.0.0.1:8787");
  await expect(vault.open()).rejects.toMatchObject({ message: expect.stringMatching(/^internal error [0-9a-f]{12}$/) });
  expect(audited).toEqual(["open true true"]);
  expect(heard[0]?.cause).toMatchObject({ message: "the code is 0000" });
});
