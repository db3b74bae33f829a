import * as farref from "farref";
import {
  ByReference,
  byReference,
  type Connection,
  connect,
  connectionOf,
  type Down,
  expose,
  isRemote,
  monitor,
  type Remote,
  RemoteError,
  RpcError,
  release,
  revoke,
  sameReference,
  withOptions,
} from "farref";
import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import type { BrowserService } from "../../../test/browser-service.ts";
import { type GoldenVector, goldenVectors } from "../../core/test/values/golden.ts";

const uri = inject("browserServiceUri");
const greeter = { greet: (name: string) => `Hello, ${name},` };
let service: Remote<BrowserService>;
let connection: Connection;

beforeEach(async () => {
  service = await connect<BrowserService>(uri, { front: greeter });
  connection = connectionOf(service);
});

afterEach(async () => {
  await connection.close();
  expect(connection.stats()).toMatchObject({ exports: 0, imports: 0, pendingCalls: 0, runningCalls: 0 });
});

/** Turns of the page until something is so. */
async function until(isMet: () => boolean | Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + 5_000;
  while (!(await isMet())) {
    if (performance.now() > giveUpAt) throw new Error("what the test waits for does not happen");
    await new Promise((resolve) => requestAnimationFrame(resolve));
  }
}

describe("in a page", () => {
  test("farref is its browser build: it connects, and can't listen", () => {
    expect(typeof WebSocket).toBe("function");
    expect("process" in globalThis && "versions" in (globalThis as { process?: object }).process!).toBe(false);
    expect("connect" in farref).toBe(true);
    expect("startService" in farref).toBe(false);
    expect("webSocketListener" in farref).toBe(false);
  });

  test("a front may offer some of its methods only", async () => {
    const generous = await connect<BrowserService>(uri, { front: expose({ ...greeter }, ["greet"]) });
    expect(await generous.greetByFront()).toBe("Hello, Node, by the front");
    await connectionOf(generous).close();
    const quiet = await connect<BrowserService>(uri, { front: expose({ ...greeter }, []) });
    await expect(quiet.greetByFront()).rejects.toMatchObject({ code: "not-exposed" });
    await connectionOf(quiet).close();
  });

  test("a call is a call", async () => {
    expect(await service.add(5, 3)).toBe(8);
    const sums = await Promise.all(Array.from({ length: 200 }, (_, i) => service.add(i, i)));
    expect(sums).toEqual(Array.from({ length: 200 }, (_, i) => 2 * i));
    expect(await service.origin()).toBe("ws");
  });

  test("the server calls functions of the page's", async () => {
    expect(await service.call((n) => n * n, 5)).toEqual([0, 1, 4, 9, 16]);
  });

  test("the server calls objects of the page's, and its front", async () => {
    expect(await service.greetBy(byReference(greeter) as never)).toBe("Hello, Node, by an object");
    expect(await service.greetByFront()).toBe("Hello, Node, by the front");
  });

  test("objects travel by reference both ways, and come home as themselves", async () => {
    using account = await service.account("mine");
    expect(isRemote(account)).toBe(true);
    expect(await account.deposit(5)).toBe(5);
    expect(await account.deposit(5)).toBe(10);
    expect(await service.account("mine")).toBe(account);
    expect(await service.isAccount("mine", account)).toBe(true);
    class Own extends ByReference {}
    const own = new Own();
    expect(await service.echo({ own })).toEqual({ own });
    expect(await service.echo(own)).toBe(own);
    expect(sameReference(account, own)).toBe(false);
  });

  test("a released reference is stale here and gone there", async () => {
    const account = await service.account("released");
    expect((await service.tables()).exports).toBe(1);
    release(account);
    await expect(account.deposit(1)).rejects.toMatchObject({ code: "stale-reference", outcome: "not-sent" });
    await until(async () => (await service.tables()).exports === 0);
  });

  test("a large value comes and goes whole", async () => {
    const bytes = new Uint8Array(2_000_000);
    for (let i = 0; i < bytes.length; i++) bytes[i] = i % 251;
    const back = (await service.echo(bytes)) as Uint8Array;
    expect(back.length).toBe(bytes.length);
    expect(back.every((byte, i) => byte === i % 251)).toBe(true);
  });

  test("a Buffer arrives as a Uint8Array", async () => {
    const bytes = await service.buffer();
    expect(Object.getPrototypeOf(bytes)).toBe(Uint8Array.prototype);
    expect([...bytes]).toEqual([104, 105]);
  });

  test("printing, awaiting and looking at a stub makes no call", async () => {
    const { callsOut } = connection.stats();
    expect(`${service}`).toMatch(/^\[remote BrowserService ws:/);
    expect(JSON.stringify({ service })).toContain("[remote BrowserService");
    expect((await service) === service).toBe(true);
    expect(Object.keys({ ...service }).includes("add")).toBe(false);
    console.debug(service);
    expect(connection.stats().callsOut).toBe(callsOut);
  });
});

describe("values that", () => {
  const named = (vector: GoldenVector) => [vector.name, vector] as const;

  test.each(goldenVectors.map(named))("%s: are the same here and there", async (name, vector) => {
    expect(await service.isGolden(name, vector.make())).toBe(true);
    expect(await service.golden(name)).toStrictEqual(vector.make());
  });
});

describe("a monitor in a page", () => {
  const down = (stub: object) => new Promise<Down>((resolve) => void monitor(stub, resolve));

  test("says why an object is gone: released here, revoked there, with the session", async () => {
    const released = await service.account("gone");
    const first = down(released);
    release(released);
    expect(await first).toEqual({ reason: "released" });
    const revoked = await service.account("gone");
    const second = down(revoked);
    await service.revokeAccount("gone");
    expect(await second).toEqual({ reason: "disposed" });
    await expect(revoked.deposit(1)).rejects.toMatchObject({ code: "stale-reference", outcome: "not-sent" });
    const both = [down(await service.account("gone")), down(service)];
    await service.closeMe();
    expect(await Promise.all(both)).toEqual([{ reason: "closed" }, { reason: "closed" }]);
    expect(await down(service)).toEqual({ reason: "closed" });
  });

  test("and revoke in a page ends what the server holds", async () => {
    class Own extends ByReference {
      deposit(amount: number): number {
        return amount;
      }
    }
    const own = new Own();
    const reason = service.whyGone(own);
    expect(await service.depositTo(own as never, 7)).toBe(7);
    revoke(own);
    expect(await reason).toBe("disposed");
  });
});

describe("a page hands on", () => {
  test("one server's object to another, which calls it through the page until a leg ends", async () => {
    const passing = await connect<BrowserService>(await service.startPassing());
    using account = await service.account("handed on");
    expect(await passing.depositTo(account, 5)).toBe(5);
    expect(await account.deposit(1)).toBe(6);
    expect(await passing.isAccount("handed on", account)).toBe(false);
    const revoked = passing.whyGone(account);
    await service.revokeAccount("handed on");
    expect(await revoked).toBe("disposed");
    const closed = passing.whyGone(await service.account("handed on"));
    await passing.add(1, 1);
    await connection.close();
    expect(await closed).toBe("closed");
    await connectionOf(passing).close();
    const again = await connect<BrowserService>(uri);
    await again.endPassing();
    await connectionOf(again).close();
  });

  test("nothing that it is handed: it calls another server's object through the first", async () => {
    const passingUri = await service.startPassing();
    const passing = await connect<BrowserService>(passingUri);
    const mine = await passing.account("at the end");
    using account = await service.passingAccount("at the end");
    expect(account).not.toBe(mine);
    expect(sameReference(account, mine)).toBe(false);
    expect(await account.deposit(5)).toBe(5);
    expect(await mine.deposit(1)).toBe(6);
    const gone = new Promise<Down>((resolve) => void monitor(account, resolve));
    await service.endPassing();
    expect(await gone).toMatchObject({ reason: "closed" });
    await expect(account.deposit(1)).rejects.toMatchObject({ code: "closed", outcome: "not-sent" });
    expect(await service.add(1, 1)).toBe(2);
  });
});

describe("failures in a page", () => {
  test("of the method arrive as RemoteError", async () => {
    const failure = await service.fail().then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(RemoteError);
    expect(failure).toMatchObject({ remoteName: "RangeError", message: "too far", code: "E_FAR", data: { by: 7 } });
    expect((failure as Error).cause).toBeInstanceOf(TypeError);
    expect((failure as Error).stack).not.toContain("browser-service");
  });

  test("of sending reject with the path, and nothing leaves", async () => {
    await expect(service.echo({ deep: [document.createElement("p")] })).rejects.toMatchObject({
      code: "unsupported-value",
      outcome: "not-sent",
      message: expect.stringContaining("args[0].deep[0]"),
    });
  });

  test("of time and by signal", async () => {
    const timeout = withOptions(service, { timeoutMs: 20 }).hang();
    await expect(timeout).rejects.toMatchObject({ code: "timeout", outcome: "unknown" });
    const controller = new AbortController();
    const call = withOptions(service, { signal: controller.signal }).hang();
    await service.add(1, 1);
    controller.abort();
    await expect(call).rejects.toMatchObject({ code: "cancelled", outcome: "unknown" });
  });

  test("of connecting: nobody there, another page's origin, another protocol", async () => {
    await expect(connect("ws://127.0.0.1:9")).rejects.toMatchObject({ code: "unreachable", outcome: "not-sent" });
    const strict = await service.startStrict();
    await expect(connect(strict)).rejects.toMatchObject({ code: "unreachable", outcome: "not-sent" });
    await service.endPassing();
    await expect(connect("tcp://127.0.0.1:1")).rejects.toMatchObject({ code: "unknown-scheme", outcome: "not-sent" });
    await expect(connect("nonsense")).rejects.toMatchObject({ code: "bad-uri", outcome: "not-sent" });
  });

  test("when the server ends the session: who waits is told, and by whom", async () => {
    const states: string[] = [];
    connection.on("state", (state) => states.push(state));
    const hanging = service.hang().then(
      () => undefined,
      (error: unknown) => error,
    );
    await service.closeMe();
    expect(await hanging).toBeInstanceOf(RpcError);
    expect(await hanging).toMatchObject({ code: "closed", outcome: "unknown" });
    expect(await connection.closed).toMatchObject({ code: "closed", by: "peer", message: "you asked for it" });
    expect(states).toEqual(["closed"]);
    await expect(service.add(1, 1)).rejects.toMatchObject({ code: "closed", outcome: "not-sent" });
  });

  test("when the whole service closes", async () => {
    const passing = await connect<BrowserService>(await service.startPassing());
    expect(await passing.add(1, 2)).toBe(3);
    await service.endPassing();
    expect(await connectionOf(passing).closed).toMatchObject({ code: "closed", by: "peer" });
  });
});

describe("a stub that the page drops", () => {
  test("gives its hold back when the engine collects it", async () => {
    const collect = (globalThis as { gc?: () => void }).gc;
    expect(collect).toBeTypeOf("function");
    await (async () => void (await service.account("dropped")))();
    await until(() => {
      collect?.();
      return connection.stats().imports === 0;
    });
    await until(async () => (await service.tables()).exports === 0);
  });
});
