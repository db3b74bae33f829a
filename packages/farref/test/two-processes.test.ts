import { connect, connectionOf, isRemote, type Remote, RemoteError, release, sameReference } from "farref";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { collectGarbage, type HandleWatch, handleWatch, turnsUntil } from "../../conformance/src/index.ts";
import { openDirectory } from "./directory.ts";
import type { Server } from "./fixtures/server.ts";
import { type Program, startProgram } from "./program.ts";

let watch: HandleWatch;
beforeEach(() => {
  watch = handleWatch();
});
afterEach(() => watch.assertClosed());

async function until(isMet: () => boolean | Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + 5_000;
  while (!(await isMet())) {
    if (performance.now() > giveUpAt) throw new Error("what the test waits for does not happen");
    await turnsUntil(() => true, 0);
  }
}

const places = ["tcp://127.0.0.1:0", "ws://127.0.0.1:0", "ws://127.0.0.1:0/path", "unix:"] as const;

describe.each(places)("two processes over %s", (place) => {
  test("call each other, pass objects by reference and values by copy, and leave nothing", async () => {
    await using directory = await openDirectory();
    const where = place === "unix:" ? `unix:${directory.path}/server.sock` : place;
    await using program = await startProgram("server", where);
    const server = await connect<Server>(await program.line());
    expect(await server.pid()).not.toBe(process.pid);
    expect(await server.add(5, 3)).toBe(8);
    expect(await server.call((text) => `${text} by callback`)).toBe("answered asked by callback");
    const values = [1n, new Date(5), new Map([["key", new Set([undefined])]]), new Uint8Array([1, 2]), -0, Number.NaN];
    expect(await server.echo(values)).toStrictEqual(values);
    const large = new Uint8Array(3_000_000).fill(7);
    expect(Buffer.compare((await server.echo(large)) as Uint8Array, large)).toBe(0);
    {
      using account = await server.account();
      expect(isRemote(account)).toBe(true);
      expect(await account.deposit(5)).toBe(5);
      expect(await server.echo(account)).toBe(account);
      expect(sameReference(account, await server.echo(account))).toBe(true);
    }
    const failure = await server.fail().then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(RemoteError);
    expect(failure).toMatchObject({ remoteName: "RangeError", message: "too far", code: "E_FAR", data: { by: 7 } });
    const connection = connectionOf(server);
    await until(async () => {
      collectGarbage();
      await server.collect();
      const { exports, imports, pendingCalls } = connection.stats();
      return exports + imports + pendingCalls === 0;
    });
    await using other = await connectionOnly(connection.uri);
    await until(async () => {
      const [tables] = await other.server.tables();
      return tables?.exports === 0 && tables.imports === 0 && tables.runningCalls === 0;
    });
    await connection.close();
    await until(async () => (await other.server.tables()).length === 0);
  });

  test("end by themselves: the client when it has closed, the server when it is told to", async () => {
    await using directory = await openDirectory();
    const where = place === "unix:" ? `unix:${directory.path}/server.sock` : place;
    await using program = await startProgram("server", where);
    const uri = await program.line();
    await using tidy = await startProgram("client", uri, "add");
    expect(await tidy.line()).toBe("8");
    expect(await tidy.exited).toEqual({ code: 0, signal: null });
    await using messy = await startProgram("client", uri, "messy");
    expect(await messy.line()).toBe("left it messy");
    expect(await messy.exited).toEqual({ code: 0, signal: null });
    program.endInput();
    expect(await program.exited).toEqual({ code: 0, signal: null });
  });
});

async function connectionOnly(uri: string): Promise<{ readonly server: Remote<Server> } & AsyncDisposable> {
  const server = await connect<Server>(uri);
  return { server, [Symbol.asyncDispose]: () => connectionOf(server).close() };
}

describe("a process that is killed", () => {
  test("fails the pending call as closed, unknown, at once, and later ones as not-sent", async () => {
    await using program = await startProgram("server");
    const server = await connect<Server>(await program.line());
    const connection = connectionOf(server);
    let newsAt = 0;
    let settledAt = 0;
    connection.on("state", () => {
      newsAt = performance.now();
    });
    const failures = [server.hang(), server.hang()].map((call) =>
      call.then(
        () => undefined,
        (error: unknown) => {
          settledAt = performance.now();
          return error;
        },
      ),
    );
    await server.add(1, 2);
    program.kill("SIGKILL");
    for (const failure of failures) expect(await failure).toMatchObject({ code: "closed", outcome: "unknown" });
    expect(settledAt - newsAt).toBeLessThan(50);
    expect(await connection.closed).toMatchObject({ code: "lost", by: "network" });
    await expect(server.add(1, 2)).rejects.toMatchObject({ code: "closed", outcome: "not-sent" });
    expect(connection.stats()).toMatchObject({ exports: 0, imports: 0, pendingCalls: 0, runningCalls: 0 });
  });

  test("as a client leaves the server's tables empty", async () => {
    await using program = await startProgram("server");
    const uri = await program.line();
    await using watcher = await connectionOnly(uri);
    await using client = await startProgram("client", uri, "hold");
    expect(await client.line()).toBe("1");
    expect(await watcher.server.tables()).toEqual([
      expect.objectContaining({ exports: 1, imports: 1, runningCalls: 1 }),
    ]);
    client.kill("SIGKILL");
    await client.exited;
    await until(async () => (await watcher.server.tables()).length === 0);
    expect(await watcher.server.add(5, 3)).toBe(8);
  });
});

test("a program that closes what it opened ends by itself", async () => {
  await using directory = await openDirectory();
  await using program: Program = await startProgram("opens-everything", directory.path);
  for (let i = 0; i < 5; i++) expect(await program.line()).toBe("8 1");
  expect(await program.line()).toBe("closed");
  const closedAt = performance.now();
  expect(await program.exited).toEqual({ code: 0, signal: null });
  expect(performance.now() - closedAt).toBeLessThan(1_000);
});

test("a program whose service and connection are unref'd ends though they are open", async () => {
  await using program = await startProgram("unrefs");
  expect(await program.line()).toBe("8");
  expect(await program.exited).toEqual({ code: 0, signal: null });
});

test("a stub that is released here is gone over there", async () => {
  await using program = await startProgram("server");
  await using client = await connectionOnly(await program.line());
  await using watcher = await connectionOnly(connectionOf(client.server).uri);
  const account = await client.server.account();
  expect(await watcher.server.tables()).toEqual([expect.objectContaining({ exports: 1 })]);
  release(account);
  await until(async () => (await watcher.server.tables())[0]?.exports === 0);
  await expect(account.deposit(1)).rejects.toMatchObject({ code: "stale-reference", outcome: "not-sent" });
});
