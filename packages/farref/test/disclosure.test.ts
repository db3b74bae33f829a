/** What clients learn of errors, and what a service learns of its clients' calls. */
import { inspect } from "node:util";
import { afterEach, describe, expect, test } from "vitest";
import {
  type AuditEntry,
  connect,
  type RemoteError,
  RpcError,
  type Service,
  type ServiceOptions,
  startService,
} from "../src/index.ts";

const secret = "hunter2";

class Vault {
  open() {
    const cause = new AggregateError([new Error(secret)], secret);
    throw Object.assign(new TypeError(`wrong: ${secret}`, { cause }), { path: `/home/${secret}`, code: secret });
  }
  async leak() {
    throw { password: secret };
  }
  add(a: number, b: number) {
    return a + b;
  }
}

const services: Service<object>[] = [];
afterEach(async () => {
  await Promise.all(services.splice(0).map((service) => service.close()));
});

async function serve(options: ServiceOptions) {
  const errors: Error[] = [];
  const service = await startService("tcp://127.0.0.1:0", new Vault(), {
    onError: (error) => errors.push(error),
    ...options,
  });
  services.push(service);
  const vault = await connect<Vault>(service.uri);
  return { vault, errors };
}

async function failure(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => expect.unreachable(),
    (error) => error,
  );
}

describe("redactErrors: true", () => {
  test("sends nothing of an error but a number, under which onError hears the whole", async () => {
    const { vault, errors } = await serve({ redactErrors: true });
    for (const call of [vault.open(), vault.leak()]) {
      const error = await failure(call);
      expect(inspect(error, { depth: null, showHidden: true })).not.toContain(secret);
      const { id } = (error as RemoteError).data as { id: string };
      expect(error).toMatchObject({ message: `internal error ${id}`, remoteName: "Error", outcome: "executed" });
      const reported = errors.find(({ message }) => message.includes(id));
      expect(inspect(reported, { depth: null })).toContain(secret);
    }
  });
});

test("redactErrors: a function says what is sent, and when it throws nothing is", async () => {
  const { vault } = await serve({
    redactErrors: (error) => {
      if (error instanceof TypeError) return new RangeError("closed today");
      throw error;
    },
  });
  expect(await failure(vault.open())).toMatchObject({ remoteName: "RangeError", message: "closed today" });
  expect(inspect(await failure(vault.leak()), { depth: null })).not.toContain(secret);
});

test("stacks stay at home, unless exposeStacks", async () => {
  const hidden = await failure((await serve({})).vault.open());
  expect((hidden as Error).stack).not.toContain("Vault");
  const shown = await failure((await serve({ exposeStacks: true })).vault.open());
  expect((shown as Error).stack).toContain("Vault.open");
});

test("the audit sees every call: permitted, refused, thrown, with who, what and how long", async () => {
  const entries: AuditEntry[] = [];
  const { vault } = await serve({
    audit: (entry) => entries.push(entry),
    authorize: ({ method }) => method !== "leak",
  });
  await vault.add(1, 2);
  await failure(vault.open());
  await failure(vault.leak());
  await failure((vault as unknown as Record<string, () => Promise<void>>)["no\u001b[31m\nsuch"]!());
  expect(entries.map(({ method, permitted, threw, code }) => ({ method, permitted, threw, code }))).toEqual([
    { method: "add", permitted: true, threw: false, code: undefined },
    { method: "open", permitted: true, threw: true, code: undefined },
    { method: "leak", permitted: false, threw: false, code: "denied" },
    { method: "no\\u{1b}[31m\\u{a}such", permitted: false, threw: false, code: "not-exposed" },
  ]);
  for (const { peer, durationMs, principal } of entries) {
    expect(peer).toMatchObject({ transport: "tcp", address: "127.0.0.1" });
    expect(durationMs).toBeGreaterThanOrEqual(0);
    expect(principal).toBeUndefined();
  }
});

test("an audit that throws changes nothing for the caller", async () => {
  const { vault, errors } = await serve({
    audit: () => {
      throw new Error("disk full");
    },
  });
  expect(await vault.add(1, 2)).toBe(3);
  expect(errors.map(({ message }) => message)).toEqual(["disk full"]);
});

test("a policy may answer later, refuse with a word of its own, and what it throws by mistake stays here", async () => {
  const { vault, errors } = await serve({
    authorize: [
      async ({ method }) => method !== "leak",
      ({ args: [first] }) => {
        if (first === 13) throw new RpcError("overloaded", "not today", "not-executed");
        if (first === 14) throw new Error(secret);
        return true;
      },
    ],
  });
  expect(await vault.add(1, 2)).toBe(3);
  await expect(vault.leak()).rejects.toMatchObject({ code: "denied", outcome: "not-executed" });
  await expect(vault.add(13, 0)).rejects.toMatchObject({ code: "overloaded", outcome: "not-executed" });
  const mistake = await failure(vault.add(14, 0));
  expect(mistake).toMatchObject({ code: "internal", outcome: "not-executed" });
  expect(inspect(mistake)).not.toContain(secret);
  expect(errors.map(({ message }) => message)).toEqual([secret]);
});
