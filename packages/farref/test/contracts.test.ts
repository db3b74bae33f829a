/** Contracts as a program uses them: shared by the service and its callers, with zod or valibot, over any transport. */
import * as v from "valibot";
import { afterEach, describe, expect, test } from "vitest";
import * as z from "zod";
import {
  type ConnectOptions,
  type Contract,
  callback,
  connect,
  connectionOf,
  currentCall,
  defineContract,
  implement,
  isRemote,
  method,
  perCall,
  perSession,
  type Remote,
  reference,
  type Service,
  type ServiceOptions,
  sameReference,
  sharedSecret,
  startService,
  withOptions,
} from "../src/index.ts";

const services: Service<object>[] = [];
afterEach(async () => {
  await Promise.all(services.splice(0).map((service) => service.close()));
});

async function serve(where: string, front?: object, options: ServiceOptions = {}) {
  const service = await startService(where, front, options);
  services.push(service);
  return service;
}

const notExposed = { code: "not-exposed", outcome: "not-sent" };
const refused = { code: "invalid-argument", outcome: "not-executed" };

const account = defineContract({
  deposit: method([z.number().positive()], z.number(), { scope: "teller" }),
  watch: method([callback([z.number()])]),
});
const bank = defineContract({
  open: method([z.string().trim().min(1)], reference(account), { timeoutMs: 2_000 }),
  remaining: method([], z.number(), { timeoutMs: 2_000 }),
});

class Account {
  #balance = 0;
  readonly #watchers: ((balance: number) => Promise<void>)[] = [];
  async deposit(amount: number) {
    this.#balance += amount;
    for (const watcher of this.#watchers) await watcher(this.#balance);
    return this.#balance;
  }
  watch(watcher: (balance: number) => Promise<void>) {
    this.#watchers.push(watcher);
  }
  steal() {
    return this.#balance;
  }
}

function createBank() {
  const accounts = new Map<string, Account>();
  return implement(bank, {
    open(name) {
      const opened = accounts.get(name) ?? new Account();
      accounts.set(name, opened);
      return implement(account, opened);
    },
    remaining: () => (currentCall().deadline ?? Number.NaN) - performance.now(),
  });
}

describe.each(["memory:bank", "tcp://127.0.0.1:0", "ws://127.0.0.1:0"])("a contract, over %s", (where) => {
  test("types and guards a service, what it gives and what it is given", async () => {
    const service = await serve(where, createBank());
    await using front = await connect(service.uri, { contract: bank });
    const ann = await front.open("  ann ");
    const balances: number[] = [];
    await ann.watch((balance) => void balances.push(balance));
    expect(await ann.deposit(5)).toBe(5);
    expect(await (await front.open("ann")).deposit(3)).toBe(8);
    expect(balances).toEqual([5, 8]);
    await expect(front.open(" ")).rejects.toMatchObject(refused);
    await expect(ann.deposit(-1)).rejects.toMatchObject({ ...refused, detail: expect.stringContaining("args[0]: ") });
    await expect((ann as unknown as Account).steal()).rejects.toMatchObject(notExposed);
  });

  test("guards it from callers who have none, with and without a secret", async () => {
    const options = { authenticate: sharedSecret("s3cret") };
    const service = await serve(where, createBank(), options);
    const credentials = sharedSecret("s3cret");
    await using front = await connect<{ open(name: unknown): Account; steal(): void }>(service.uri, { credentials });
    await expect(front.open(7)).rejects.toMatchObject(refused);
    await expect(front.steal()).rejects.toMatchObject({ ...notExposed, outcome: "not-executed" });
    const ann = (await front.open("ann")) as unknown as Remote<Account>;
    expect(await ann.deposit(5)).toBe(5);
    await expect(ann.steal()).rejects.toMatchObject({ ...notExposed, outcome: "not-executed" });
  });
});

describe("connect with a contract", () => {
  test("gives a stub like any other: its views are under the contract too", async () => {
    const service = await serve("memory:views", createBank());
    const front = await connect(service.uri, { contract: bank });
    expect(isRemote(front)).toBe(true);
    expect(`${front}`).toContain("memory:views");
    const patient = withOptions(front, { timeoutMs: 60_000 });
    expect(sameReference(patient, front)).toBe(true);
    expect(await front.remaining()).toBeLessThanOrEqual(2_000);
    await expect((patient as unknown as Remote<Account>).steal()).rejects.toMatchObject(notExposed);
    const impatient = withOptions(front, { timeoutMs: 500 });
    expect(await impatient.remaining()).toBeLessThanOrEqual(500);
    await connectionOf(front).close();
    await expect(front.remaining()).rejects.toMatchObject({ code: "closed", outcome: "not-sent" });
  });

  test("selects published objects as it does without", async () => {
    const service = await serve("memory:published");
    service.publish("bank", createBank());
    await using front = await connect(`${service.uri}#bank`, { contract: bank });
    expect(await (await front.open("ann")).deposit(1)).toBe(1);
  });

  test("is refused what is no contract", async () => {
    const service = await serve("memory:none", createBank());
    const options = { contract: {} as Contract } satisfies ConnectOptions;
    await expect(connect(service.uri, options)).rejects.toMatchObject({
      code: "invalid-argument",
      outcome: "not-sent",
    });
    expect(service.sessions.size).toBe(0);
  });

  test("checks what a service without one says", async () => {
    const service = await serve("memory:liar", { remaining: () => "soon", open: () => ({ deposit: 1 }) });
    await using front = await connect(service.uri, { contract: bank });
    const invalid = { code: "invalid-result", outcome: "executed" };
    await expect(front.remaining()).rejects.toMatchObject(invalid);
    await expect(front.open("ann")).rejects.toMatchObject(invalid);
  });
});

const counter = defineContract({ next: method([], v.number()), who: method([], v.nullable(v.string())) });

test.each([
  ["a session", perSession, [1, 2, 3]],
  ["a call", perCall, [1, 1, 1]],
] as const)("a front for %s may be under a contract", async (_what, per, counts) => {
  let disposed = 0;
  const make = () => {
    let count = 0;
    const who = () => currentCall().principal?.id ?? null;
    return implement(counter, { next: () => ++count, who, [Symbol.dispose]: () => void disposed++ } as never);
  };
  const service = await serve("memory:per", per(make) as object);
  const front = await connect(service.uri, { contract: counter });
  for (const count of counts) expect(await front.next()).toBe(count);
  await connectionOf(front).close();
  await service.close();
  expect(disposed).toBe(per === perCall ? counts.length : 1);
});

test("what a client offers the server may be under a contract as well", async () => {
  const client = defineContract({ greet: method([z.string()], z.string()) });
  const service = await serve(
    "memory:offered",
    perSession((session) => {
      const far = session.front<{ greet(name: unknown): string }>();
      return { greeting: (name: unknown) => far.greet(name) };
    }),
  );
  const front = implement(client, { greet: (name) => `hello ${name}` });
  await using stub = await connect<{ greeting(name: unknown): Promise<string> }>(service.uri, { front });
  expect(await stub.greeting("ann")).toBe("hello ann");
  await expect(stub.greeting(7)).rejects.toThrow(/invalid-argument/);
});

test("authorize sees the scope of a method, and refuses before schemas are asked", async () => {
  const asked: (string | undefined)[] = [];
  const authorize: ServiceOptions["authorize"] = ({ method, scope }) => {
    asked.push(`${method} ${scope}`);
    return scope !== "teller";
  };
  const service = await serve("memory:scopes", createBank(), { authorize });
  await using front = await connect(service.uri, { contract: bank });
  const ann = await front.open("ann");
  await expect(ann.deposit("5" as never)).rejects.toMatchObject({ code: "denied", outcome: "not-executed" });
  expect(asked).toEqual(["open undefined", "deposit teller"]);
});
