/** Contracts between a service and a caller: what is validated, where, and what each side is told. */
import { afterEach, describe, expect, test } from "vitest";
import * as z from "zod";
import {
  type Api,
  type ConnectOptions,
  type Contract,
  callback,
  connect,
  defineContract,
  type Implementation,
  implement,
  method,
  type Remote,
  reference,
  startService,
} from "../src/index.ts";

const addresses = ["memory:contracts", "tcp://127.0.0.1:0"];
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function serve<C extends Contract>(contract: C, implementation: Implementation<C>, uri = "memory:contracts") {
  const errors: Error[] = [];
  const service = await startService(uri, implement(contract, implementation), { onError: (e) => errors.push(e) });
  closing.push(() => service.close());
  return { service, errors, uri: service.uri };
}

/** Connects as one who has the contract. */
async function bound<C extends Contract>(uri: string, contract: C, options: ConnectOptions = {}) {
  const stub = await connect(uri, { ...options, contract });
  closing.push(async () => void (stub as Disposable)[Symbol.dispose]());
  return stub;
}

/** Connects as one who has not. */
async function unbound(uri: string, options: ConnectOptions = {}) {
  const stub = await connect<Record<string, (...args: unknown[]) => unknown>>(uri, options);
  closing.push(async () => void (stub as Disposable)[Symbol.dispose]());
  return stub as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
}

describe.each(addresses)("over %s", (uri) => {
  test("adds", async () => {
    const contract = defineContract({ add: method([z.number(), z.number()], z.number()) });
    const served = await serve(contract, { add: (a, b) => a + b }, uri);
    const stub = await bound(served.uri, contract);
    expect(await stub.add(1, 2)).toBe(3);
    const raw = await unbound(served.uri);
    await expect(raw["add"]?.(1, "2")).rejects.toMatchObject({ code: "invalid-argument", outcome: "not-executed" });
    await expect(raw["add"]?.(1)).rejects.toMatchObject({ code: "invalid-argument" });
    await expect(raw["add"]?.(1, 2, 3)).rejects.toMatchObject({ code: "invalid-argument" });
    await expect(raw["sub"]?.(1, 2)).rejects.toMatchObject({ code: "not-exposed" });
    await raw["add"]?.("x", "y").catch((e) => console.log(e.message));
  });

  test("callbacks and references", async () => {
    const account = defineContract({ deposit: method([z.number()], z.number()) });
    const tick = callback([z.number()], z.string());
    const bank = defineContract({
      account: method([], reference(account)),
      give: method([reference(account)], z.number()),
      call: method([tick], z.string()),
      back: method([tick], tick),
    });
    const served = await serve(
      bank,
      {
        account: () => implement(account, { deposit: (n) => n + 1 }),
        give: (a) => a.deposit(5),
        call: (f) => f(3),
        back: (f) => f,
      },
      uri,
    );
    const stub = await bound(served.uri, bank);
    using a = await stub.account();
    expect(await a.deposit(3)).toBe(4);
    expect(await stub.give(a)).toBe(6);
    expect(await stub.give(implement(account, { deposit: (n) => n * 2 }))).toBe(10);
    expect(await stub.call((n) => `n${n}`)).toBe("n3");
    const f = (n: number) => `${n}`;
    expect(await stub.back(f)).toBe(f);
    await expect(stub.call((n) => n as never)).rejects.toMatchObject({ remoteName: "RpcError" });
  });
});

test("types", () => {
  const c = defineContract({ add: method([z.number(), z.number().optional()], z.number()), ping: method([]) });
  const x = (r: Remote<Api<typeof c>>) => [r.add(1), r.add(1, 2), r.ping()];
  expect(x).toBeTypeOf("function");
});
