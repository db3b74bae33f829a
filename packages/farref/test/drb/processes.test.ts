/**
 * Carries over how DRb's suite runs: servers in processes of their own, started by the test, that register with it
 * (`ExtServManager`); and what it leaves untested: either side killed, or stopped, in the middle of a call.
 */
import { type ConnectOptions, connect, connectionOf, type Remote, type Service, startService } from "farref";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type HandleWatch, handleWatch } from "../../../conformance/src/index.ts";
import { gate, until } from "../../../core/test/session/waiting.ts";
import type { Worker } from "../fixtures/registers.ts";
import type { Server } from "../fixtures/server.ts";
import { places } from "../places.ts";
import { startProgram } from "../program.ts";

let watch: HandleWatch;
beforeEach(() => {
  watch = handleWatch();
});
afterEach(() => watch.assertClosed());

class Manager {
  readonly workers = new Map<string, Remote<Worker>>();

  register(name: string, worker: Remote<Worker>): void {
    this.workers.set(name, worker);
  }
}

/** A service, and programs that have registered with it. */
async function managing(uri: string, names: readonly string[]) {
  const manager = new Manager();
  const service: Service<Manager> = await startService(uri, manager);
  const programs = await Promise.all(names.map((name) => startProgram("registers", service.uri, name)));
  for (const program of programs) expect(await program.line()).toBe("registered");
  return {
    service,
    programs,
    worker: (name: string) => manager.workers.get(name) as Remote<Worker>,
    async [Symbol.asyncDispose]() {
      await service.close();
      for (const program of programs) await program[Symbol.asyncDispose]();
    },
  };
}

/** A service in a process of its own, and a connection to it. */
async function served(uri: string, options: ConnectOptions = {}) {
  const program = await startProgram("server", uri);
  const server = await connect<Server>(await program.line(), options);
  return {
    program,
    server,
    connection: connectionOf(server),
    async [Symbol.asyncDispose]() {
      await connectionOf(server).close();
      await program[Symbol.asyncDispose]();
    },
  };
}

const failure = (call: Promise<unknown>) =>
  call.then(
    () => undefined,
    (error: unknown) => error,
  );

const lost = { code: "closed", outcome: "unknown" };

async function expectLost({ server, connection }: Awaited<ReturnType<typeof served>>): Promise<void> {
  expect(await connection.closed).toMatchObject({ code: "lost", by: "network" });
  await expect(server.add(1, 2)).rejects.toMatchObject({ code: "closed", outcome: "not-sent" });
  expect(connection.stats()).toMatchObject({ exports: 0, imports: 0, pendingCalls: 0, runningCalls: 0 });
}

describe.each(places)("programs that register, over $place,", { timeout: 20_000 }, ({ at }) => {
  test("are called by their names, each in its own process, with blocks of ours", async () => {
    await using managed = await managing(at.freshUri(), ["a", "b"]);
    const [a, b] = [managed.worker("a"), managed.worker("b")];
    const pids = [await a.pid(), await b.pid()];
    expect(new Set([process.pid, ...pids]).size).toBe(3);
    expect(await a.each((n) => n * n)).toEqual([1, 4, 9]);
    expect(await b.each((n) => b.each((m) => n * m))).toEqual([
      [1, 2, 3],
      [2, 4, 6],
      [3, 6, 9],
    ]);
    await managed.service.close();
    for (const { exited } of managed.programs) expect(await exited).toEqual({ code: 0, signal: null });
  });

  test("are lost one by one: what one that is killed was asked fails, the others answer", async () => {
    await using managed = await managing(at.freshUri(), ["a", "b"]);
    const called = gate();
    const call = failure(managed.worker("a").dieIn(() => called.open()));
    await called.opened;
    managed.programs[0]?.kill("SIGKILL");
    expect(await call).toMatchObject(lost);
    await expect(managed.worker("a").pid()).rejects.toMatchObject({ code: "closed", outcome: "not-sent" });
    expect(await managed.worker("b").each((n) => n)).toEqual([1, 2, 3]);
    expect(managed.service.sessions.size).toBe(1);
  });
});

describe.each(places)("a service that is killed, over $place,", { timeout: 20_000 }, ({ at }) => {
  test.each<[when: string, begin: (server: Remote<Server>) => Promise<unknown>[]]>([
    ["while calls run", (server) => [server.hang(), server.hang()]],
    ["while it calls back", (server) => [server.call(() => new Promise<string>(() => {}))]],
  ])("%s fails them as unknown, and all later ones as not-sent", async (_when, begin) => {
    await using world = await served(at.freshUri());
    const calls = begin(world.server).map(failure);
    await world.server.add(1, 2);
    world.program.kill("SIGKILL");
    for (const call of calls) expect(await call).toMatchObject(lost);
    await expectLost(world);
  });

  test("while a large argument is on its way fails its call as unknown, and those behind it", async () => {
    await using world = await served(at.freshUri());
    await world.server.add(1, 2);
    const { bytesOut } = world.connection.stats();
    world.program.kill("SIGSTOP");
    const calls = [world.server.echo(new Uint8Array(15_000_000)), world.server.hang()].map(failure);
    await until(() => world.connection.stats().bytesOut > bytesOut + 100_000);
    world.program.kill("SIGKILL");
    for (const call of calls) expect(await call).toMatchObject({ code: "closed" });
    expect(await calls[0]).toMatchObject(lost);
    await expectLost(world);
  });

  test("by an exit of its own is the same to its callers", async () => {
    await using world = await served(at.freshUri());
    const call = failure(world.server.hang());
    await world.server.add(1, 2);
    world.program.kill("SIGTERM");
    expect(await call).toMatchObject(lost);
    expect(await world.program.exited).toEqual({ code: null, signal: "SIGTERM" });
  });
});

describe.each(places)("a service that is stopped, over $place,", { timeout: 20_000 }, ({ at }) => {
  test("and says nothing is found dead by its silence, though its sockets stay open", async () => {
    await using world = await served(at.freshUri(), { heartbeatMs: 100 });
    const { program, server, connection } = world;
    const call = failure(server.hang());
    await server.add(1, 2);
    program.kill("SIGSTOP");
    expect(await call).toMatchObject(lost);
    expect(await connection.closed).toMatchObject({ code: "timeout", by: "network" });
  });
});

describe.each(places)("a client that is killed, over $place,", { timeout: 20_000 }, ({ at }) => {
  test("leaves nothing at the service: what it held and what ran for it is given up", async () => {
    await using world = await served(at.freshUri());
    await using client = await startProgram("client", world.connection.uri, "hold");
    expect(await client.line()).toBe("1");
    const held = { exports: 1, imports: 1, runningCalls: 1 };
    expect(await world.server.tables()).toEqual([expect.objectContaining(held)]);
    client.kill("SIGKILL");
    await client.exited;
    const giveUpAt = performance.now() + 3_000;
    // It hears of the end by itself: asking is what lets time pass.
    while ((await world.server.tables()).length > 0) expect(performance.now()).toBeLessThan(giveUpAt);
    expect(await world.server.add(5, 3)).toBe(8);
  });
});
