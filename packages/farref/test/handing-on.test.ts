/**
 * A gives B a stub of C's object: B calls through A, as A, and gets to nothing that A could not. C is a service; A is its
 * client, and a service itself; B is a client of A's.
 */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import * as z from "zod";
import { type HandleWatch, handleWatch, turns, turnsUntil } from "../../conformance/src/index.ts";
import {
  ByReference,
  type Connection,
  connect,
  connectionOf,
  currentCall,
  type Down,
  defineContract,
  expose,
  implement,
  method,
  monitor,
  type Remote,
  reference,
  revoke,
  type Service,
  type ServiceOptions,
  serialized,
  sharedSecret,
  startService,
} from "../src/index.ts";

let watch: HandleWatch;
const services: Service<object>[] = [];
const connections: Connection[] = [];

beforeEach(() => {
  watch = handleWatch();
});

afterEach(async () => {
  await Promise.all(connections.splice(0).map((connection) => connection.close()));
  for (const service of services.splice(0)) {
    await turnsUntil(() => service.sessions.size === 0, 3_000);
    expect(service.sessions.size).toBe(0);
    await service.close();
  }
  await watch.assertClosed();
});

async function serve(front: object, options: ServiceOptions = {}): Promise<string> {
  const service = await startService("tcp://127.0.0.1:0", front, options);
  services.push(service);
  return service.uri;
}

/** Connects; the test's end closes the connection. */
const dial: typeof connect = async (...args: Parameters<typeof connect>) => {
  const stub = await connect(...args);
  connections.push(connectionOf(stub));
  return stub as never;
};

async function until(isMet: () => boolean): Promise<void> {
  if (!(await turnsUntil(isMet, 5_000))) throw new Error("what the test waits for does not happen");
}

const notExposed = { code: "not-exposed", outcome: "not-executed" };
const stale = { code: "stale-reference" };

class Doc extends ByReference {
  read(): string {
    return "text";
  }

  erase(): string {
    return "erased";
  }

  whoReads(): string | undefined {
    return currentCall().principal?.id;
  }
}

describe("what B reaches through A", () => {
  test("is reached as A: C sees A's principal, whoever B is", async () => {
    const c = await serve({ doc: () => new Doc() }, { authenticate: sharedSecret("between A and C") });
    const library = await dial<{ doc(): Doc }>(c, { credentials: sharedSecret("between A and C") });
    const a = await serve({ doc: () => library.doc(), who: () => currentCall().principal?.id });
    const b = await dial<{ doc(): Promise<Remote<Doc>>; who(): string | undefined }>(a);
    const doc = await b.doc();
    expect(await b.who()).toBeUndefined();
    expect(await doc.whoReads()).toBe("shared-secret");
  });

  test("is what A's policy lets B call", async () => {
    const c = await serve({ doc: () => new Doc() });
    const library = await dial<{ doc(): Doc }>(c);
    const authorize = ({ method }: { method: string }) => method !== "erase";
    const a = await serve({ doc: () => library.doc() }, { authorize });
    const doc = await (await dial<{ doc(): Promise<Remote<Doc>> }>(a)).doc();
    expect(await doc.read()).toBe("text");
    await expect(doc.erase()).rejects.toMatchObject({ code: "denied", outcome: "not-executed" });
  });

  test("is what C exposed, and no method that every object has", async () => {
    const settings = new Map([["colour", "blue"]]);
    const c = await serve({ settings: () => expose(settings, ["get"]) });
    const library = await dial<{ settings(): Pick<Map<string, string>, "get"> }>(c);
    const a = await serve({ settings: () => library.settings() });
    const b = await dial<{ settings(): Promise<Record<string, (...args: unknown[]) => Promise<unknown>>> }>(a);
    const relayed = (await b.settings()) as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
    expect(await relayed["get"]?.("colour")).toBe("blue");
    for (const name of ["set", "clear", "hasOwnProperty", "__proto__", "_get"]) {
      await expect(relayed[name]?.("colour", "red")).rejects.toMatchObject(notExposed);
    }
    expect(settings.get("colour")).toBe("blue");
  });

  test("is what A's contract with C names, and what it lets come back, though C's object has more", async () => {
    const reading = defineContract({ read: method([z.string()], z.string().max(8)) });
    const library = defineContract({ doc: method([], reference(reading)) });
    class Open extends ByReference {
      read(page: string): string {
        return `page ${page}`;
      }
      erase(): string {
        return "erased";
      }
    }
    const c = await serve({ doc: () => new Open() });
    const front = await dial(c, { contract: library });
    const a = await serve({ doc: () => front.doc() });
    const doc = await (await dial<{ doc(): Promise<Remote<Open>> }>(a)).doc();
    expect(await doc.read("1")).toBe("page 1");
    await expect(doc.erase()).rejects.toMatchObject(notExposed);
    await expect(doc.read("too long")).rejects.toMatchObject({ code: "invalid-result", outcome: "executed" });
  });

  test("is what C's contract names", async () => {
    const reading = defineContract({ read: method([], z.string()) });
    const c = await serve({ doc: () => implement(reading, new Doc()) });
    const library = await dial<{ doc(): Doc }>(c);
    const a = await serve({ doc: () => library.doc() });
    const doc = await (await dial<{ doc(): Promise<Remote<Doc>> }>(a)).doc();
    expect(await doc.read()).toBe("text");
    await expect(doc.erase()).rejects.toMatchObject(notExposed);
  });
});

describe("revoking", () => {
  const reading = defineContract({ read: method([], z.string()) });
  const offered = [
    ["exposed", (doc: Doc) => expose(doc, ["read"])],
    ["implemented", (doc: Doc) => implement(reading, doc)],
    ["serialized", (doc: Doc) => serialized(doc)],
    ["serialized and then exposed", (doc: Doc) => expose(serialized(doc), ["read"])],
  ] as const;

  test.each(offered)("an object ends what was %s of it, and the other way round", async (_how, offer) => {
    for (const revoked of ["the object", "what is offered"] as const) {
      let disposals = 0;
      const doc = Object.assign(new Doc(), { [Symbol.dispose]: () => void disposals++ });
      const shown = offer(doc);
      const front = await dial<{ doc(): Doc; plain(): Doc }>(await serve({ doc: () => shown, plain: () => doc }));
      const [one, plain] = [await front.doc(), await front.plain()];
      expect(await one.read()).toBe("text");
      const told: Down[] = [];
      for (const stub of [one, plain]) monitor(stub, (down) => told.push(down));
      revoke(revoked === "the object" ? doc : shown);
      await expect(one.read()).rejects.toMatchObject(stale);
      await expect(plain.read()).rejects.toMatchObject(stale);
      await until(() => told.length === 2);
      expect(told).toEqual([{ reason: "disposed" }, { reason: "disposed" }]);
      expect(disposals).toBe(1);
    }
  });

  test("a serialized object refuses calls that wait for their turn, and lets the one that runs finish", async () => {
    let begun = 0;
    let finish!: () => void;
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    class Slow extends ByReference {
      async work(): Promise<string> {
        begun++;
        await finished;
        return "done";
      }
    }
    const slow = serialized(new Slow());
    const front = await dial<{ slow(): Slow }>(await serve({ slow: () => slow }));
    const stub = await front.slow();
    const calls = [stub.work(), stub.work()];
    await until(() => begun === 1);
    await front.slow();
    revoke(slow);
    finish();
    expect(await calls[0]).toBe("done");
    await expect(calls[1]).rejects.toMatchObject({ ...stale, outcome: "not-executed" });
    expect(begun).toBe(1);
  });

  test("a function that a contract wraps ends it too", async () => {
    const callback = Object.assign(() => "called", {});
    let kept: (() => Promise<string>) | undefined;
    const front = await dial<{ keep(given: () => string): void }>(
      await serve({
        keep: (given: () => Promise<string>) => {
          kept = given;
        },
      }),
    );
    await front.keep(callback);
    expect(await kept?.()).toBe("called");
    revoke(callback);
    await expect(kept?.()).rejects.toMatchObject(stale);
    kept = undefined;
  });
});

describe("one object that many endpoints hand out", () => {
  class Listener extends ByReference {
    disposals = 0;

    ping(): string {
      return "pong";
    }

    [Symbol.dispose](): void {
      this.disposals++;
    }
  }

  /** A service that keeps what it is given until it is told to drop it. */
  async function keeper() {
    const kept: Remote<Listener>[] = [];
    const front = {
      keep: (given: Listener) => void kept.push(given as unknown as Remote<Listener>),
      drop: () => {
        for (const stub of kept.splice(0)) stub[Symbol.dispose]();
      },
    };
    return { kept, front: await dial<typeof front>(await serve(front)) };
  }

  test("is disposed once, when the last of all sessions lets go", async () => {
    const listener = new Listener();
    const [one, two] = [await keeper(), await keeper()];
    await one.front.keep(listener);
    await two.front.keep(listener);
    await one.front.drop();
    await turns(5);
    expect(listener.disposals).toBe(0);
    expect(await two.kept[0]?.ping()).toBe("pong");
    await two.front.drop();
    await until(() => listener.disposals > 0);
    await one.front.keep(listener);
    await one.front.drop();
    await until(() => connections.every((connection) => connection.stats().exports === 0));
    expect(listener.disposals).toBe(1);
  });

  test("is not disposed while it is the front of one of them, or published", async () => {
    const listener = new Listener();
    const uri = await serve(listener);
    const [service] = services;
    service?.publish("listener", listener);
    const { front } = await keeper();
    await front.keep(listener);
    await front.drop();
    await until(() => connections.every((connection) => connection.stats().exports === 0));
    expect(listener.disposals).toBe(0);
    const client = await dial<Listener>(`${uri}#listener`);
    expect(await client.ping()).toBe("pong");
    client[Symbol.dispose]();
    await service?.close();
    await front.keep(listener);
    await front.drop();
    await until(() => listener.disposals === 1);
  });

  test("is not disposed while it is what a client offers", async () => {
    const listener = new Listener();
    const uri = await serve({ ping: () => currentCall().session.front<Listener>().ping() });
    const offering = await dial<{ ping(): Promise<string> }>(uri, { front: listener });
    const { front } = await keeper();
    await front.keep(listener);
    await front.drop();
    await until(() => connections.every((connection) => connection.stats().exports === 0));
    expect(listener.disposals).toBe(0);
    expect(await offering.ping()).toBe("pong");
  });
});
