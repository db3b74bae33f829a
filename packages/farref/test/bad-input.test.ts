import { once } from "node:events";
import { existsSync, statSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { connect as connectSocket, createServer, type Socket } from "node:net";
import {
  type AuthExchange,
  byReference,
  type Channel,
  connect,
  connectionOf,
  type Listener,
  perCall,
  perSession,
  RpcError,
  startService,
  type Transport,
} from "farref";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type HandleWatch, handleWatch, turnsUntil } from "../../conformance/src/index.ts";
import { memoryChannelPair } from "../../transports/src/memory/memory-channel.ts";
import { openDirectory } from "./directory.ts";

const calculator = { add: (a: number, b: number) => a + b, take: (_value: unknown) => "taken" };
type Calculator = typeof calculator;

let watch: HandleWatch;
beforeEach(() => {
  watch = handleWatch();
});
afterEach(() => watch.assertClosed());

async function failureOf(promise: Promise<unknown>): Promise<RpcError> {
  const failure = await promise.then(
    () => new Error("expected a failure"),
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(RpcError);
  return failure as RpcError;
}

async function until(isMet: () => boolean): Promise<void> {
  if (!(await turnsUntil(isMet, 5_000))) throw new Error("what the test waits for does not happen");
}

/** A bare socket to a service, that says what a test makes it say. */
async function rawSocket(uri: string): Promise<Socket & AsyncDisposable> {
  const { hostname, port } = new URL(uri.replace(/^tcp/, "http"));
  const socket = connectSocket({ host: hostname, port: Number(port), allowHalfOpen: true });
  socket.on("error", () => {}).resume();
  await once(socket, "connect");
  return Object.assign(socket, {
    async [Symbol.asyncDispose]() {
      if (!socket.closed) {
        socket.destroy();
        await once(socket, "close");
      }
    },
  });
}

/** Waits until the other end has closed, in order or not. */
function dropped(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    for (const event of ["end", "error", "close"]) socket.once(event, () => resolve());
  });
}

describe("an address that is none", () => {
  test.each([
    ["nonsense", "bad-uri"],
    ["", "bad-uri"],
    ["//127.0.0.1:80", "bad-uri"],
    ["127.0.0.1:8787", "bad-uri"],
    ["localhost:8787", "bad-uri"],
    ["localhost:8787/path", "bad-uri"],
    ["tcp://127.0.0.1", "bad-uri"],
    ["tcp://127.0.0.1:port", "bad-uri"],
    ["tcp://127.0.0.1:99999", "bad-uri"],
    ["tcp://user:secret@127.0.0.1:80", "bad-uri"],
    ["http://127.0.0.1:80", "unknown-scheme"],
    ["druby://127.0.0.1:80", "unknown-scheme"],
    ["TCPS://127.0.0.1:80", "unknown-scheme"],
  ])("%j is %s, for those who serve and for those who connect", async (uri, code) => {
    const connecting = await failureOf(connect(uri));
    const starting = await failureOf(startService(uri, calculator));
    for (const failure of [connecting, starting]) {
      expect(failure).toMatchObject({ code, outcome: "not-sent" });
    }
  });

  test("that is a host and a port is told with a scheme before it", async () => {
    const failure = await failureOf(connect("localhost:8787"));
    expect(failure.detail).toBe('"localhost:8787": expected scheme://…, as in tcp://localhost:8787');
  });

  test("that nobody knows the scheme of, is told with the schemes there are", async () => {
    expect((await failureOf(connect("http://127.0.0.1:80"))).message).toMatch(/http.*tcp.*unix.*ws/s);
  });

  test("with a name can't be listened on", async () => {
    expect(await failureOf(startService("tcp://127.0.0.1:0#name", calculator))).toMatchObject({ code: "bad-uri" });
  });

  test("that is missing altogether is told so", async () => {
    expect(await failureOf(connect([]))).toMatchObject({ code: "bad-uri", outcome: "not-sent" });
    expect(await failureOf(startService([], calculator))).toMatchObject({ code: "bad-uri", outcome: "not-sent" });
  });
});

describe("an option that is none", () => {
  test.each([
    ["a misspelled one", { heartBeatMs: 5 }],
    ["a limit nobody knows", { limits: { maxNothing: 5 } }],
    ["a limit of nothing", { limits: { maxDepth: 0 } }],
    ["a limit that is no number", { limits: { maxDepth: "5" } }],
  ])("%s is refused by name", async (_what, options) => {
    const [name] = Object.keys("limits" in options ? options.limits : options);
    await using service = await startService("memory:options", calculator);
    for (const failure of [
      await failureOf(startService("memory:other-options", calculator, options as never)),
      await failureOf(connect(service.uri, options as never)),
    ]) {
      expect(failure.outcome).toBe("not-sent");
      expect(failure.message).toContain(name);
    }
  });
});

describe("a class instead of an instance", () => {
  class Counter {
    next(): number {
      return 1;
    }
  }
  const refused = { code: "invalid-argument", outcome: "not-sent" };
  const cure = expect.stringContaining("not a class: give an instance, new Counter()");

  test("is refused as a front, at either end, and when it is published", async () => {
    expect(await failureOf(startService("memory:class", Counter))).toMatchObject({ ...refused, detail: cure });
    await using service = await startService("memory:class", calculator);
    expect(() => service.publish("counter", Counter)).toThrow(expect.objectContaining({ ...refused, detail: cure }));
    const calling = connect(service.uri, { front: Counter });
    expect(await failureOf(calling)).toMatchObject({ ...refused, detail: cure });
  });

  test.each([perSession, perCall])("is no factory of fronts either (%o)", (make) => {
    const detail = expect.stringContaining(
      "expected a function that makes a front, as in (session) => new Counter(session)",
    );
    expect(() => make(Counter as never)).toThrow(expect.objectContaining({ ...refused, detail }));
    for (const none of [new Counter(), undefined, null, 5]) {
      expect(() => make(none as never)).toThrow(expect.objectContaining(refused));
    }
  });

  test("is told from a function: those are fronts, whatever their names", async () => {
    const { class: named } = {
      class(a: number) {
        return a + 1;
      },
    };
    function classify(a: number): number {
      return a + 2;
    }
    await using service = await startService("memory:functions", named);
    service.publish("classify", classify);
    using increment = await connect<typeof named>(service.uri);
    using other = await connect<typeof classify>(`${service.uri}#classify`);
    expect([await increment(1), await other(1)]).toEqual([2, 3]);
  });
});

describe("a connection that can't be made as it is asked for", () => {
  const unheard = { chunk: () => {}, drained: () => {} };

  test.each([
    ["a limit of nothing", { limits: { maxDepth: 0 } }],
    ["a heartbeat of nothing", { heartbeatMs: 0 }],
    ["a front that is none", { front: 5 as never }],
    ["a time that is none", { timeoutMs: -1 }],
    ["a signal that is none", { signal: {} as AbortSignal }],
  ])("(%s) dials nothing, and closes a channel it was given", async (_what, options) => {
    const dialled: string[] = [];
    const transport: Transport = {
      schemes: ["memory"],
      dial: async (uri) => {
        dialled.push(uri);
        throw new Error("nothing was to be dialled");
      },
    };
    const failure = await failureOf(connect("memory:nobody", { ...options, transports: [transport] }));
    expect(failure).toMatchObject({ code: "invalid-argument", outcome: "not-sent" });
    expect(dialled).toEqual([]);
    const [near, far] = memoryChannelPair();
    const isClosed = new Promise<void>((closed) => far.start({ ...unheard, closed: () => closed() }));
    expect(await failureOf(connect(near, options))).toMatchObject({ code: "invalid-argument", outcome: "not-sent" });
    await isClosed;
  });

  test("because a transport throws at once is unreachable, with what it threw", async () => {
    const thrown = new TypeError("no such device");
    const transport: Transport = {
      schemes: ["device"],
      dial: () => {
        throw thrown;
      },
    };
    const failure = await failureOf(connect("device:1", { transports: [transport] }));
    expect(failure).toMatchObject({ code: "unreachable", outcome: "not-sent", cause: thrown });
  });

  test("because a channel throws when it starts is over at once, and the channel is closed", async () => {
    const thrown = new Error("broken");
    let isDestroyed = false;
    const channel: Channel = {
      peer: { transport: "device" },
      start: () => {
        throw thrown;
      },
      write: () => true,
      pause: () => {},
      resume: () => {},
      end: () => {},
      destroy: () => {
        isDestroyed = true;
      },
    };
    expect(await failureOf(connect(channel))).toMatchObject({ code: "internal", outcome: "not-sent", cause: thrown });
    expect(isDestroyed).toBe(true);
  });

  const broken = (thrown: Error) => () => {
    throw thrown;
  };
  const patient = (exchange: AuthExchange) => exchange.receive().then(() => null);

  test("because credentials throw at once is unauthenticated, with what they threw", async () => {
    const failures: Error[] = [];
    const authenticate = { method: "card", verify: patient };
    const onError = (error: Error) => failures.push(error);
    await using service = await startService("tcp://127.0.0.1:0", calculator, { authenticate, onError });
    const thrown = new Error("no smart card");
    const failure = await failureOf(connect(service.uri, { credentials: { method: "card", prove: broken(thrown) } }));
    expect(failure).toMatchObject({ code: "unauthenticated", outcome: "not-sent", cause: thrown });
    await until(() => failures.length > 0);
    expect(service.sessions.size).toBe(0);
  });

  test("because an authenticator throws at once is unauthenticated, and the service hears what was thrown", async () => {
    const failures: Error[] = [];
    const thrown = new Error("no directory of users");
    const authenticate = { method: "card", verify: broken(thrown) };
    const onError = (error: Error) => failures.push(error);
    await using service = await startService("tcp://127.0.0.1:0", calculator, { authenticate, onError });
    const prove = async (exchange: AuthExchange) => void (await exchange.receive());
    const failure = await failureOf(connect(service.uri, { credentials: { method: "card", prove } }));
    expect(failure).toMatchObject({ code: "unauthenticated", outcome: "not-sent" });
    expect(failure.message).not.toContain("directory");
    await until(() => failures.length > 0);
    expect(failures).toEqual([thrown]);
  });
});

describe("a service that can't be started as it is asked for", () => {
  test.each([
    ["a heartbeat of nothing", { heartbeatMs: 0 }],
    ["a limit of nothing", { limits: { maxDepth: 0 } }],
    ["a time for calls that is none", { callTimeoutMs: Number.NaN }],
    ["a signal that is none", { signal: {} as AbortSignal }],
  ])("(%s) leaves no listener behind", async (_what, options) => {
    const failure = await failureOf(startService("memory:can-not-start", calculator, options));
    expect(failure.outcome).toBe("not-sent");
    await using again = await startService("memory:can-not-start", calculator);
    expect(again.uri).toBe("memory:can-not-start");
  });

  test("lets go of the object it was to offer: who holds it next disposes it", async () => {
    let disposed = 0;
    const lent = byReference({ [Symbol.dispose]: () => void disposed++ });
    await failureOf(startService("memory:can-not-start", lent, { heartbeatMs: 0 }));
    await using service = await startService("memory:lends", { lend: () => lent });
    await using lender = await connect<{ lend(): typeof lent }>(service.uri);
    (await lender.lend())[Symbol.dispose]();
    await until(() => disposed === 1);
  });

  test("because a listener of its own throws at once closes those that listen", async () => {
    const thrown = new Error("no such device");
    const broken: Listener = {
      uri: "device:1",
      isPrivate: true,
      start: () => {
        throw thrown;
      },
      close: async () => {},
      ref: () => {},
      unref: () => {},
    };
    const failure = await failureOf(startService(["memory:can-not-start", broken], calculator));
    expect(failure).toMatchObject({ code: "refused", outcome: "not-sent", cause: thrown });
    await using again = await startService("memory:can-not-start", calculator);
    expect(again.uri).toBe("memory:can-not-start");
  });
});

describe("an address where it can't be", () => {
  test("in use is refused, with the system's reason as cause", async () => {
    await using service = await startService("tcp://127.0.0.1:0", calculator);
    const failure = await failureOf(startService(service.uri, calculator));
    expect(failure).toMatchObject({ code: "refused", outcome: "not-sent", cause: { code: "EADDRINUSE" } });
    expect(failure.message).toContain(service.uri);
  });

  test("of another machine is refused", async () => {
    const failure = await failureOf(startService("tcp://192.0.2.1:0", calculator, { insecure: true }));
    expect(failure).toMatchObject({ code: "refused", outcome: "not-sent" });
  });

  test.each(["tcp://0.0.0.0:0", "tcp://[::]:0", "ws://0.0.0.0:0"])(
    "open to other machines (%s) is refused without a guard",
    async (uri) => {
      const failure = await failureOf(startService(uri, calculator));
      expect(failure).toMatchObject({
        code: "refused",
        outcome: "not-sent",
        message: expect.stringContaining("insecure: true"),
      });
    },
  );

  test("where nobody listens is unreachable", async () => {
    const service = await startService("tcp://127.0.0.1:0", calculator);
    const { uri } = service;
    await service.close();
    const failure = await failureOf(connect(uri));
    expect(failure).toMatchObject({ code: "unreachable", outcome: "not-sent", cause: { code: "ECONNREFUSED" } });
    expect(failure.message).toContain(uri);
  });

  test("as one of several is passed over; when all fail, all are told", async () => {
    await using service = await startService("tcp://127.0.0.1:0", calculator);
    const gone = "tcp://127.0.0.1:1";
    const remote = await connect<Calculator>([gone, service.uri]);
    expect(await remote.add(5, 3)).toBe(8);
    await connectionOf(remote).close();
    const failure = await failureOf(connect([gone, "memory:nobody"]));
    expect(failure).toMatchObject({ code: "unreachable", outcome: "not-sent" });
    expect(failure.message).toContain(gone);
    expect(failure.message).toContain("memory:nobody");
  });
});

describe("a server that is none of farref's", () => {
  async function serverThat(serve: (socket: Socket) => void): Promise<{ readonly uri: string } & AsyncDisposable> {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => {}).on("close", () => sockets.delete(socket));
      serve(socket);
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    return {
      uri: `tcp://127.0.0.1:${(server.address() as { port: number }).port}`,
      async [Symbol.asyncDispose]() {
        for (const socket of sockets) socket.destroy();
        server.close();
        await once(server, "close");
      },
    };
  }

  test("but speaks HTTP is a protocol error that quotes what it says", async () => {
    const http = createHttpServer((_request, response) => response.end("a page")).listen(0, "127.0.0.1");
    await once(http, "listening");
    const failure = await failureOf(connect(`tcp://127.0.0.1:${(http.address() as { port: number }).port}`));
    expect(failure).toMatchObject({ code: "protocol", outcome: "not-sent" });
    expect(failure.message).toContain("HTTP/1.1 400");
    http.close();
    await once(http, "close");
  });

  test("but greets like a mail server is a protocol error, its bytes made harmless", async () => {
    await using server = await serverThat((socket) => socket.write("220 mail \u001b[31mred\r\n"));
    const failure = await failureOf(connect(server.uri));
    expect(failure).toMatchObject({ code: "protocol", outcome: "not-sent" });
    expect(failure.message).toContain("220 mail");
    expect(failure.message).not.toContain("\u001b");
  });

  test("but hangs up is unreachable", async () => {
    await using server = await serverThat((socket) => socket.end());
    expect(await failureOf(connect(server.uri))).toMatchObject({ code: "unreachable", outcome: "not-sent" });
  });

  test("but says nothing is given up in the time there is for connecting", async () => {
    await using server = await serverThat((socket) => socket.resume());
    const failure = await failureOf(connect(server.uri, { timeoutMs: 50 }));
    expect(failure).toMatchObject({ code: "timeout", outcome: "not-sent", message: expect.stringContaining("50 ms") });
  });

  test("but says nothing is given up when the caller's signal says so", async () => {
    const controller = new AbortController();
    await using server = await serverThat((socket) => socket.resume().once("data", () => controller.abort("enough")));
    const failure = await failureOf(connect(server.uri, { signal: controller.signal }));
    expect(failure).toMatchObject({ code: "cancelled", outcome: "not-sent", cause: "enough" });
  });

  test("but a page is unreachable over ws", async () => {
    const http = createHttpServer((_request, response) => response.end("a page")).listen(0, "127.0.0.1");
    await once(http, "listening");
    const failure = await failureOf(connect(`ws://127.0.0.1:${(http.address() as { port: number }).port}`));
    expect(failure).toMatchObject({ outcome: "not-sent" });
    expect(["unreachable", "protocol", "denied"]).toContain(failure.code);
    http.close();
    await once(http, "close");
  });
});

describe("a call that can't be", () => {
  test("of a method that isn't there is not-exposed, and names both", async () => {
    await using service = await startService("tcp://127.0.0.1:0", calculator);
    const remote = await connect<Calculator & { multiply(): number }>(service.uri);
    const failure = await failureOf(remote.multiply());
    expect(failure).toMatchObject({ code: "not-exposed", outcome: "not-executed" });
    expect(failure.message).toContain("multiply of [remote");
    await connectionOf(remote).close();
  });

  test("with an argument that can't be sent names its path and the cure", async () => {
    await using service = await startService("tcp://127.0.0.1:0", calculator);
    const remote = await connect<Calculator>(service.uri);
    const failure = await failureOf(remote.take({ user: { sessions: [new (class Session {})()] } }));
    expect(failure).toMatchObject({ code: "unsupported-value", outcome: "not-sent" });
    expect(failure.message).toContain("args[0].user.sessions[0]: ");
    expect(failure.message).toContain("byReference(object)");
    await connectionOf(remote).close();
  });

  test.each([
    ["larger than limits.maxMessageBytes", "x".repeat(17 * 1024 * 1024)],
    ["deeper than limits.maxDepth", Array.from({ length: 70 }).reduce((inner) => [inner], 1)],
    ["of more parts than limits.maxNodes", Array.from({ length: 140_000 }, () => 0)],
  ])("as it is %s is limit-exceeded, not-sent", async (what, value) => {
    await using service = await startService("tcp://127.0.0.1:0", calculator);
    const remote = await connect<Calculator>(service.uri);
    const failure = await failureOf(remote.take(value));
    expect(failure).toMatchObject({ code: "limit-exceeded", outcome: "not-sent" });
    expect(failure.message).toContain(what.split("limits.")[1]);
    expect(await remote.add(5, 3)).toBe(8);
    await connectionOf(remote).close();
  });

  test("on a name that is not published is not-found", async () => {
    await using service = await startService("tcp://127.0.0.1:0", calculator);
    expect(await failureOf(connect(`${service.uri}#nobody`))).toMatchObject({ code: "not-found" });
    service.publish("somebody", calculator);
    const remote = await connect<Calculator>(`${service.uri}#somebody`);
    expect(await remote.add(5, 3)).toBe(8);
    await connectionOf(remote).close();
  });
});

describe("a client that is none of farref's", () => {
  test.each([
    ["random bytes", () => Uint8Array.from({ length: 5_000 }, (_, i) => (i * 7_919) % 251)],
    ["HTTP", () => "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"],
    ["zeros", () => new Uint8Array(100_000)],
    [
      "the preamble, then nonsense",
      () => Buffer.concat([Buffer.from("\x93farref\n", "latin1"), new Uint8Array(64).fill(0x41)]),
    ],
  ])("(%s) is dropped, and other clients don't notice", async (_what, bytes) => {
    const failures: Error[] = [];
    await using service = await startService("tcp://127.0.0.1:0", calculator, {
      onError: (error) => failures.push(error),
    });
    const remote = await connect<Calculator>(service.uri);
    await using socket = await rawSocket(service.uri);
    socket.write(bytes());
    const calls = Array.from({ length: 50 }, (_, i) => remote.add(i, i));
    await dropped(socket);
    expect(await Promise.all(calls)).toEqual(Array.from({ length: 50 }, (_, i) => 2 * i));
    await until(() => failures.length === 1);
    expect(failures[0]).toMatchObject({ code: "protocol" });
    expect(service.sessions.size).toBe(1);
    await connectionOf(remote).close();
  });

  test("and stops before it has said hello is dropped in limits.handshakeTimeoutMs", async () => {
    const failures: Error[] = [];
    await using service = await startService("tcp://127.0.0.1:0", calculator, {
      limits: { handshakeTimeoutMs: 100 },
      onError: (error) => failures.push(error),
    });
    const remote = await connect<Calculator>(service.uri);
    await using socket = await rawSocket(service.uri);
    socket.write(Buffer.from("\x93farr", "latin1"));
    await dropped(socket);
    expect(failures).toEqual([expect.objectContaining({ code: "timeout" })]);
    expect(await remote.add(5, 3)).toBe(8);
    await connectionOf(remote).close();
  });

  test("and vanishes in the middle of its hello is forgotten", async () => {
    const failures: Error[] = [];
    await using service = await startService("tcp://127.0.0.1:0", calculator, {
      onError: (error) => failures.push(error),
    });
    {
      await using socket = await rawSocket(service.uri);
      socket.write(Buffer.from("\x93farref\n\x01\x00\x00\x50", "latin1"));
      socket.resetAndDestroy();
    }
    await until(() => failures.length === 1);
    expect(service.sessions.size).toBe(0);
    const remote = await connect<Calculator>(service.uri);
    expect(await remote.add(5, 3)).toBe(8);
    await connectionOf(remote).close();
  });

  test("and never closes its own side is closed with the service all the same", async () => {
    const service = await startService("tcp://127.0.0.1:0", calculator);
    await using socket = await rawSocket(service.uri);
    socket.write("GET / HTTP/1.1\r\n\r\n");
    await dropped(socket);
    await service.close();
  });
});

describe("a client that stops in the middle of a frame", () => {
  test("is dropped in limits.stallTimeoutMs, and other clients don't notice", async () => {
    await using service = await startService("tcp://127.0.0.1:0", calculator, { limits: { stallTimeoutMs: 200 } });
    const remote = await connect<Calculator>(service.uri);
    await using relay = await relayThat(service.uri, (bytes) => bytes.subarray(0, bytes.length - 3));
    const stopped = await connect<Calculator>(relay.uri);
    relay.isCutting = true;
    const session = [...service.sessions][1];
    const failure = failureOf(stopped.add(1, 2));
    expect(await remote.add(5, 3)).toBe(8);
    expect(await session?.closed).toMatchObject({ code: "timeout", by: "network" });
    expect(await failure).toMatchObject({ code: "closed", outcome: "unknown" });
    expect(await remote.add(5, 3)).toBe(8);
    expect(service.sessions.size).toBe(1);
    await connectionOf(remote).close();
    await connectionOf(stopped).close();
  });
});

interface Relay extends AsyncDisposable {
  readonly uri: string;
  isCutting: boolean;
}

/** Passes everything on, until it is told to pass only a part of what the client says. */
async function relayThat(uri: string, cut: (bytes: Buffer) => Uint8Array): Promise<Relay> {
  const { port } = new URL(uri.replace(/^tcp/, "http"));
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connectSocket(Number(port), "127.0.0.1");
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    }
    near.on("data", (bytes: Buffer) => void far.write(relay.isCutting ? cut(bytes) : bytes));
    near.on("end", () => far.end());
    far.pipe(near);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const relay: Relay = {
    uri: `tcp://127.0.0.1:${(server.address() as { port: number }).port}`,
    isCutting: false,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
  return relay;
}

describe("a Unix socket", () => {
  test("is a private file while the service lives, and gone with it", async () => {
    await using directory = await openDirectory();
    const path = `${directory.path}/service.sock`;
    const service = await startService(`unix:${path}`, calculator);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const remote = await connect<Calculator>(service.uri);
    expect(await remote.add(5, 3)).toBe(8);
    await service.close();
    expect(existsSync(path)).toBe(false);
  });

  test("is replaced where nobody answers on it, and refused where somebody does", async () => {
    await using directory = await openDirectory();
    const uri = `unix:${directory.path}/service.sock`;
    await using service = await startService(uri, calculator);
    expect(await failureOf(startService(uri, calculator))).toMatchObject({ code: "refused", outcome: "not-sent" });
    const remote = await connect<Calculator>(uri);
    expect(await remote.add(5, 3)).toBe(8);
    await connectionOf(remote).close();
    void service;
  });
});

test("a planned option is refused as such, unless it is off", async () => {
  const planned = (name: string) => ({
    code: "unimplemented",
    message: expect.stringContaining(`the option ${name} is not supported yet`),
  });
  for (const reconnect of [true, {}, { giveUpMs: 1_000 }]) {
    await expect(connect("memory:options", { reconnect })).rejects.toMatchObject(planned("reconnect"));
  }
  await expect(startService("memory:options", {}, { resumeMs: 1_000 })).rejects.toMatchObject(planned("resumeMs"));
  await using service = await startService("memory:options", calculator, { resumeMs: undefined });
  using remote = await connect<Calculator>(service.uri, { reconnect: false });
  expect(await remote.add(5, 3)).toBe(8);
});

test("an option that there is not is refused before anything is tried, with the names that there are", async () => {
  const misspelled = startService("memory:options", {}, { limit: {} } as object);
  await expect(misspelled).rejects.toMatchObject({
    code: "invalid-argument",
    detail: expect.stringMatching(/^startService: there is no option limit; there are acl, .*signal/),
  });
  await expect(connect("memory:options", { port: 1 } as object)).rejects.toMatchObject({
    code: "invalid-argument",
    outcome: "not-sent",
    detail: expect.stringMatching(/^connect: there is no option port; there are credentials, contract, /),
  });
});
