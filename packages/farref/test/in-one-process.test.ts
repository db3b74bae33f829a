import { Console } from "node:console";
import { once } from "node:events";
import { createServer, get, type IncomingMessage, request } from "node:http";
import { Writable } from "node:stream";
import { inspect } from "node:util";
import {
  ByReference,
  connect,
  connectionOf,
  isRemote,
  perSession,
  type Remote,
  release,
  sameReference,
  startService,
  webSocketListener,
} from "farref";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type HandleWatch, handleWatch, turnsUntil } from "../../conformance/src/index.ts";

class Account extends ByReference {
  #balance = 0;

  deposit(amount: number): number {
    this.#balance += amount;
    return this.#balance;
  }
}

class Bank {
  readonly #account = new Account();

  account(): Account {
    return this.#account;
  }

  add(a: number, b: number): number {
    return a + b;
  }

  isAccount(value: unknown): boolean {
    return value === this.#account;
  }
}

let watch: HandleWatch;
beforeEach(() => {
  watch = handleWatch();
});
afterEach(() => watch.assertClosed());

async function until(isMet: () => boolean): Promise<void> {
  if (!(await turnsUntil(isMet, 5_000))) throw new Error("what the test waits for does not happen");
}

describe("using", () => {
  test("a service, a connection and a reference, each ends with its scope", async () => {
    let uri: string;
    {
      await using service = await startService("tcp://127.0.0.1:0", new Bank());
      uri = service.uri;
      {
        using bank = await connect<Bank>(uri);
        {
          using account = await bank.account();
          expect(await account.deposit(1)).toBe(1);
          expect([...service.sessions][0]?.stats().exports).toBe(1);
        }
        await until(() => [...service.sessions][0]?.stats().exports === 0);
      }
      await until(() => service.sessions.size === 0);
    }
    await expect(connect(uri)).rejects.toMatchObject({ code: "unreachable" });
  });

  test("the connection behind any stub", async () => {
    await using service = await startService("tcp://127.0.0.1:0", new Bank());
    const bank = await connect<Bank>(service.uri);
    const account = await bank.account();
    expect(connectionOf(account)).toBe(connectionOf(bank));
    {
      await using connection = connectionOf(account);
      expect(connection.state).toBe("open");
      expect(connection.uri).toBe(service.uri);
    }
    expect(connectionOf(bank).state).toBe("closed");
    expect(() => connectionOf({})).toThrow(expect.objectContaining({ code: "invalid-argument" }));
  });
});

describe("what a program asks of a stub", () => {
  test("isRemote, sameReference and release answer for stubs and for everything else", async () => {
    await using service = await startService("memory:asked", new Bank());
    using bank = await connect<Bank>(service.uri);
    using account = await bank.account();
    expect([bank, account].map(isRemote)).toEqual([true, true]);
    expect([null, undefined, 5, "x", {}, () => {}, new Account(), Promise.resolve()].some(isRemote)).toBe(false);
    expect(sameReference(account, await bank.account())).toBe(true);
    expect(sameReference(bank, account)).toBe(false);
    expect(sameReference(Number.NaN, Number.NaN)).toBe(true);
    expect(await bank.isAccount(account)).toBe(true);
    release(account);
    expect(isRemote(account)).toBe(true);
    await expect(account.deposit(1)).rejects.toMatchObject({ code: "stale-reference" });
  });

  test("printing it, whichever way, makes no call", async () => {
    await using service = await startService("memory:printed", new Bank());
    using bank = await connect<Bank>(service.uri);
    using account = await bank.account();
    const { callsOut } = connectionOf(bank).stats();
    let printed = "";
    const stream = new Writable({
      write(chunk, _encoding, done) {
        printed += chunk;
        done();
      },
    });
    const console = new Console(stream);
    console.log(account);
    console.log("%s %o %O %j", account, account, account, account);
    console.log({ deep: [account] });
    console.table([account]);
    console.dir(account, { showHidden: true, depth: 5 });
    printed += inspect(account, { showProxy: true });
    expect(printed).toContain("[remote Account memory:printed #1]");
    expect(JSON.stringify({ account })).toBe('{"account":{"$remote":"[remote Account memory:printed #1]"}}');
    expect(`${bank}`).toBe("[remote Bank memory:printed]");
    expect("deposit" in account).toBe(false);
    expect({ ...account }).not.toHaveProperty("deposit");
    expect(Object.keys(account)).not.toContain("deposit");
    await expect(Promise.resolve(account)).resolves.toBe(account);
    expect(connectionOf(bank).stats().callsOut).toBe(callsOut);
  });
});

describe("printing a service", () => {
  test("shows its front and its addresses, and whether it is over", async () => {
    const service = await startService(["memory:shown", "memory:shown-too"], new Bank());
    expect(inspect(service)).toBe("[service Bank memory:shown memory:shown-too]");
    expect(inspect({ service })).toBe("{ service: [service Bank memory:shown memory:shown-too] }");
    await service.close();
    expect(inspect(service)).toBe("[service Bank memory:shown memory:shown-too, closed]");
  });

  test("whose fronts are made later, or who has none, shows the addresses alone", async () => {
    await using own = await startService(
      "memory:own",
      perSession(() => new Bank()),
    );
    await using bare = await startService("memory:bare");
    expect([inspect(own), inspect(bare)]).toEqual(["[service memory:own]", "[service memory:bare]"]);
  });
});

/** Asks for an upgrade as a page would, and tells the status of the answer. */
async function upgrade(uri: string, headers: Readonly<Record<string, string>>, path = "/"): Promise<number> {
  const { hostname, port } = new URL(uri.replace(/^ws/, "http"));
  const asking = request({
    host: hostname,
    port,
    path,
    headers: {
      Connection: "Upgrade",
      Upgrade: "websocket",
      "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
      ...headers,
    },
  }).end();
  return new Promise((resolve, reject) => {
    asking.on("response", (response: IncomingMessage) => {
      response.resume().on("end", () => resolve(response.statusCode ?? 0));
    });
    asking.on("upgrade", (_response, socket) => {
      socket.on("close", () => resolve(101)).destroy();
    });
    asking.on("error", reject);
  });
}

describe("a WebSocket service", () => {
  test.each([
    ["a page of another site", "https://evil.example", 403],
    ["a page whose site's name begins like ours", "http://127.0.0.1.evil.example", 403],
    ["a page of another port", "http://127.0.0.1:1", 403],
    ["a page without a site", "null", 403],
  ])("refuses %s", async (_what, origin, status) => {
    await using service = await startService("ws://127.0.0.1:0", new Bank());
    expect(await upgrade(service.uri, { Origin: origin })).toBe(status);
    expect(service.sessions.size).toBe(0);
  });

  test("lets in pages of its own host, and programs, which say nothing", async () => {
    const failures: Error[] = [];
    await using service = await startService("ws://127.0.0.1:0", new Bank(), {
      onError: (error) => failures.push(error),
    });
    expect(await upgrade(service.uri, { Origin: service.uri.replace(/^ws/, "http") })).toBe(101);
    await until(() => failures.length === 1);
    const bank = await connect<Bank>(service.uri);
    expect(await bank.add(5, 3)).toBe(8);
    await connectionOf(bank).close();
  });

  test("lets in the pages it is told to, and only those", async () => {
    const failures: Error[] = [];
    await using service = await startService("ws://127.0.0.1:0", new Bank(), {
      allowedOrigins: ["https://app.example"],
      onError: (error) => failures.push(error),
    });
    expect(await upgrade(service.uri, { Origin: "https://app.example" })).toBe(101);
    expect(await upgrade(service.uri, { Origin: "http://app.example" })).toBe(403);
    // The page that was let in hung up, the other was turned away.
    await until(() => failures.length === 2);
    expect(failures).toContainEqual(expect.objectContaining({ code: "denied" }));
  });
});

describe("a WebSocket service on a server that has routes of its own", () => {
  test("takes what is its own and leaves the server its routes, its listening and its end", async () => {
    const server = createServer((asked, response) => response.end(`page ${asked.url}`));
    const service = await startService(webSocketListener(server, { path: "/farref" }), new Bank());
    expect(service.uri).toBe("");
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    expect(service.uri).toMatch(/^ws:\/\/127\.0\.0\.1:\d+\/farref$/);
    const bank: Remote<Bank> = await connect<Bank>(service.uri);
    expect(await bank.add(5, 3)).toBe(8);
    expect(await page(service.uri, "/farref")).toBe("page /farref");
    expect(await page(service.uri, "/other")).toBe("page /other");
    expect(await upgrade(service.uri, {}, "/elsewhere")).toBe(404);
    const address = service.uri;
    await service.close();
    expect(await connectionOf(bank).closed).toMatchObject({ code: "closed", by: "peer" });
    expect(await page(address, "/still-here")).toBe("page /still-here");
    server.close();
    await once(server, "close");
  });
});

async function page(uri: string, path: string): Promise<string> {
  const { hostname, port } = new URL(uri.replace(/^ws/, "http"));
  return new Promise((resolve, reject) => {
    get({ host: hostname, port, path, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => resolve(text));
    }).on("error", reject);
  });
}
