import { describe, expect, test } from "vitest";
import { turns } from "../../../conformance/src/index.ts";
import { memoryTransport } from "../../../transports/src/index.ts";
import {
  ByReference,
  currentCall,
  openConnection,
  openService,
  perCall,
  perSession,
  type Remote,
  RpcError,
  type Session,
  withOptions,
} from "../../src/index.ts";
import { frame, preamble } from "../../src/wire/frames.ts";
import { leakCheckedPair, places } from "./pairs.ts";
import { RawPeer } from "./raw-peer.ts";
import { failureOf, gate, until } from "./waiting.ts";

class Counter {
  static made = 0;
  static disposed = 0;
  #count = 0;

  static reset(): void {
    Counter.made = 0;
    Counter.disposed = 0;
  }

  constructor() {
    Counter.made++;
  }

  next(): number {
    return ++this.#count;
  }

  async nextLater(): Promise<number> {
    await Promise.resolve();
    return ++this.#count;
  }

  [Symbol.dispose](): void {
    Counter.disposed++;
  }
}

async function connectTo(uri: string, name?: string, front?: object): Promise<Remote<Counter> & AsyncDisposable> {
  const channel = await memoryTransport.dial(uri, {});
  return (await openConnection(channel, { address: uri, name, front })) as Remote<Counter> & AsyncDisposable;
}

describe.each(places)("arguments that come while their front is made, over $place", ({ at }) => {
  test.each([5_000, 70_000])("of %s bytes are those that were sent", async (length) => {
    const door = gate();
    const made = async () => {
      await door.opened;
      return { echo: (value: string) => value };
    };
    await using pair = await leakCheckedPair(perCall(made), {}, at);
    const texts = ["a", "b", "c"].map((letter) => letter.repeat(length));
    const echoes = texts.map((text) => pair.front.echo(text));
    await until(() => pair.session.stats().callsIn === 3);
    door.open();
    expect((await Promise.all(echoes)).map((echo, i) => echo === texts[i])).toEqual([true, true, true]);
  });
});

describe("perSession", () => {
  test("gives every session a front of its own, disposed with it", async () => {
    Counter.reset();
    await using pair = await leakCheckedPair(perSession(() => new Counter()));
    {
      await using other = await connectTo(pair.service.uri);
      expect(await Promise.all([pair.front.next(), pair.front.next(), other.next()])).toEqual([1, 2, 1]);
      expect([Counter.made, Counter.disposed]).toEqual([2, 0]);
    }
    await until(() => Counter.disposed === 1);
    expect(await pair.front.next()).toBe(3);
  });

  test("makes the front only after the handshake's hello: who says nothing costs nothing", async () => {
    Counter.reset();
    await using pair = await leakCheckedPair(perSession(() => new Counter()));
    await using raw = await RawPeer.dial(memoryTransport, pair.service.uri);
    raw.write(preamble);
    await turns(5);
    expect(Counter.made).toBe(1);
    raw.destroy();
    await until(() => pair.reported.service.length > 0);
    pair.takeReported();
  });

  test("may take its time, and is given the session", async () => {
    const door = gate();
    let given: Session | undefined;
    const service = await openService(
      [memoryTransport.listen?.("memory:slow-front", {}) ?? never()],
      perSession(async (session) => {
        given = session;
        await door.opened;
        return new Counter();
      }),
      {},
    );
    const connecting = connectTo("memory:slow-front");
    await until(() => given !== undefined);
    expect(service.sessions.size).toBe(0);
    door.open();
    await using counter = await connecting;
    expect(await counter.next()).toBe(1);
    expect([...service.sessions]).toEqual([given]);
    await service.close();
  });

  test("may call the client back while the front is being made: the calls leave once the session has begun", async () => {
    const greeted: string[] = [];
    const client = { greet: (name: string) => void greeted.push(name) };
    const front = perSession((session) => {
      void session.front<typeof client>().greet("early");
      return new Counter();
    });
    await using pair = await leakCheckedPair(front, { clientFront: client });
    await until(() => greeted.length > 0);
    expect(greeted).toEqual(["early"]);
    expect(await pair.front.next()).toBe(1);
  });

  test.each([
    [
      "throws",
      () => {
        throw new Error("no room");
      },
    ],
    ["rejects", () => Promise.reject(new Error("no room"))],
  ])("that %s refuses the connection as internal, and onError hears why", async (_how, make) => {
    const heard: Error[] = [];
    const service = await openService(
      [memoryTransport.listen?.("memory:broken-front", {}) ?? never()],
      perSession<Counter>(make),
      { onError: (error) => heard.push(error) },
    );
    const failure = await failureOf(connectTo("memory:broken-front"));
    expect(failure).toMatchObject({ code: "internal", outcome: "not-sent" });
    expect(failure.message).not.toContain("no room");
    expect(heard).toContainEqual(expect.objectContaining({ message: "no room" }));
    expect(service.sessions.size).toBe(0);
    await service.close();
  });

  test("that throws an RpcError refuses with it", async () => {
    const front = perSession<Counter>(() => {
      throw new RpcError("denied", "not today", "not-sent");
    });
    const service = await openService([memoryTransport.listen?.("memory:denied", {}) ?? never()], front, {});
    expect(await failureOf(connectTo("memory:denied"))).toMatchObject({ code: "denied", outcome: "not-sent" });
    await service.close();
  });

  test("that is ready after its client has gone is disposed at once", async () => {
    Counter.reset();
    const door = gate();
    let isAsked = false;
    const front = perSession(async () => {
      isAsked = true;
      await door.opened;
      return new Counter();
    });
    const service = await openService([memoryTransport.listen?.("memory:gone", {}) ?? never()], front, {});
    const raw = await RawPeer.dial(memoryTransport, service.uri);
    raw.write(preamble);
    raw.hello();
    await until(() => isAsked);
    await raw[Symbol.asyncDispose]();
    door.open();
    await until(() => Counter.disposed === 1);
    expect(service.sessions.size).toBe(0);
    await service.close();
  });
});

describe.each(places)("perCall over $place", ({ at }) => {
  test("makes a front for each call and disposes it when the call is answered", async () => {
    Counter.reset();
    await using pair = await leakCheckedPair(
      perCall(() => new Counter()),
      {},
      at,
    );
    expect(await Promise.all([pair.front.next(), pair.front.nextLater(), pair.front.next()])).toEqual([1, 1, 1]);
    expect([Counter.made, Counter.disposed]).toEqual([3, 3]);
  });

  test("keeps the order of calls while it makes one asynchronously", async () => {
    const seen: number[] = [];
    let pause = 5;
    const front = perCall(async () => {
      for (let i = pause--; i > 0; i--) await turns(1);
      return { note: (n: number) => void seen.push(n) };
    });
    await using pair = await leakCheckedPair(front, {}, at);
    await Promise.all([1, 2, 3, 4, 5].map((n) => pair.front.note(n)));
    expect(seen).toEqual([1, 2, 3, 4, 5]);
  });
});

describe("perCall", () => {
  test("disposes what it made when the method throws, is not there, or is refused", async () => {
    Counter.reset();
    class Failing extends Counter {
      fail(): void {
        throw new Error("no");
      }
    }
    await using pair = await leakCheckedPair<Failing & { missing(): void }>(
      perCall(() => new Failing() as Failing & { missing(): void }),
      { service: { authorize: [({ method }) => method !== "next"] } },
    );
    await expect(pair.front.fail()).rejects.toMatchObject({ message: "no" });
    await expect(pair.front.missing()).rejects.toMatchObject({ code: "not-exposed" });
    await expect(pair.front.next()).rejects.toMatchObject({ code: "denied" });
    expect([Counter.made, Counter.disposed]).toEqual([3, 3]);
  });

  test("that throws fails the call as internal, not-executed, and onError hears why", async () => {
    let isBroken = true;
    await using pair = await leakCheckedPair(
      perCall(() => {
        if (isBroken) throw new Error("no room");
        return new Counter();
      }),
    );
    const failure = await failureOf(pair.front.next());
    expect(failure).toMatchObject({ code: "internal", outcome: "not-executed" });
    expect(failure.message).not.toContain("no room");
    expect(pair.takeReported().service).toEqual([expect.objectContaining({ message: "no room" })]);
    isBroken = false;
    expect(await pair.front.next()).toBe(1);
  });

  test("disposes what it made when the session ends before the answer", async () => {
    Counter.reset();
    const door = gate();
    class Slow extends Counter {
      wait(): Promise<void> {
        return door.opened;
      }
    }
    await using pair = await leakCheckedPair(perCall(() => new Slow()));
    const failure = failureOf(pair.front.wait());
    await until(() => pair.session.stats().runningCalls === 1);
    pair.session.close();
    await failure;
    expect([Counter.made, Counter.disposed]).toEqual([1, 1]);
    door.open();
  });
});

describe("published objects", () => {
  test("are reached by their name, beside the front or without one", async () => {
    await using pair = await leakCheckedPair<Counter>(undefined, {
      published: { counter: new Counter() },
      name: "counter",
    });
    expect(await pair.front.next()).toBe(1);
    using again = await pair.connection.lookup<Counter>("counter");
    expect(again).toBe(pair.front);
    expect(await again.next()).toBe(2);
  });

  test("that are not there are not-found", async () => {
    await using pair = await leakCheckedPair(new Counter());
    await expect(pair.connection.lookup("nobody")).rejects.toMatchObject({
      code: "not-found",
      outcome: "not-executed",
    });
    for (const name of ["", "constructor", "__proto__", "toString"]) {
      await expect(pair.connection.lookup(name)).rejects.toMatchObject({ code: "not-found" });
    }
    expect(await failureOf(connectTo(pair.service.uri, "nobody"))).toMatchObject({ code: "not-found" });
    await until(() => pair.service.sessions.size === 1);
  });

  test("replace what had the name; stubs of that live on", async () => {
    await using pair = await leakCheckedPair(new Counter(), { published: { counter: new Counter() } });
    using old = await pair.connection.lookup<Counter>("counter");
    expect(await old.next()).toBe(1);
    pair.service.publish("counter", new Counter());
    using fresh = await pair.connection.lookup<Counter>("counter");
    expect(fresh).not.toBe(old);
    expect([await old.next(), await fresh.next()]).toEqual([2, 1]);
  });

  test("that are taken back are not found any more; stubs of them live on", async () => {
    await using pair = await leakCheckedPair(new Counter(), { published: { counter: new Counter() } });
    using stub = await pair.connection.lookup<Counter>("counter");
    expect(pair.service.unpublish("counter")).toBe(true);
    expect(pair.service.unpublish("counter")).toBe(false);
    expect(await stub.next()).toBe(1);
    await expect(pair.connection.lookup("counter")).rejects.toMatchObject({ code: "not-found" });
  });

  test("travel as references though nothing marks them", async () => {
    const counter = new Counter();
    await using pair = await leakCheckedPair({ counter: () => counter }, { published: { counter } });
    using stub = await pair.front.counter();
    expect(await stub.next()).toBe(1);
    using same = await pair.connection.lookup<Counter>("counter");
    expect(same).toBe(stub);
  });

  test("need a name and an object, without a method named then", async () => {
    await using pair = await leakCheckedPair(new Counter());
    expect(() => pair.service.publish("", new Counter())).toThrow(
      expect.objectContaining({ code: "invalid-argument" }),
    );
    expect(() => pair.service.publish("x", 5 as never)).toThrow(expect.objectContaining({ code: "invalid-argument" }));
    class Thenable {
      // biome-ignore lint/suspicious/noThenProperty: that it is refused is the point.
      then(): void {}
    }
    expect(() => pair.service.publish("x", new Thenable())).toThrow(
      expect.objectContaining({ code: "unsupported-value" }),
    );
  });
});

describe("a service without a front", () => {
  test("answers a bare connect with not-found", async () => {
    await using pair = await leakCheckedPair<Counter>(undefined, {
      published: { counter: new Counter() },
      name: "counter",
    });
    expect(await failureOf(connectTo(pair.service.uri))).toMatchObject({ code: "not-found", outcome: "not-sent" });
    await until(() => pair.service.sessions.size === 1);
  });
});

describe("a service at several addresses", () => {
  test("tells them all, serves one front at each, and leaves them all", async () => {
    const uris = ["memory:several-1", "memory:several-2"];
    const listeners = uris.map((uri) => memoryTransport.listen?.(uri, {}) ?? never());
    const service = await openService(listeners, new Counter(), {});
    expect(service.uri).toBe(uris[0]);
    expect(service.uris).toEqual(uris);
    {
      await using first = await connectTo("memory:several-1");
      await using second = await connectTo("memory:several-2");
      expect([await first.next(), await second.next()]).toEqual([1, 2]);
      expect(service.sessions.size).toBe(2);
    }
    await service.close();
    for (const uri of uris) await expect(memoryTransport.dial(uri, {})).rejects.toMatchObject({ code: "unreachable" });
  });

  test("of which one is taken is refused and leaves the others free", async () => {
    await using pair = await leakCheckedPair(new Counter());
    const listen = (uri: string) => memoryTransport.listen?.(uri, {}) ?? never();
    const starting = openService([listen("memory:free"), listen(pair.service.uri)], new Counter(), {});
    expect(await failureOf(starting)).toMatchObject({ code: "refused" });
    await expect(memoryTransport.dial("memory:free", {})).rejects.toMatchObject({ code: "unreachable" });
  });
});

describe("limits.maxConnections", () => {
  test("refuses one client more, until one has gone", async () => {
    await using pair = await leakCheckedPair(new Counter(), { service: { limits: { maxConnections: 2 } } });
    {
      await using _second = await connectTo(pair.service.uri);
      await expect(connectTo(pair.service.uri)).rejects.toMatchObject({ code: "unreachable" });
    }
    expect(pair.takeReported().service).toMatchObject([{ code: "overloaded" }]);
    await until(() => pair.service.sessions.size === 1);
    await using third = await connectTo(pair.service.uri);
    expect(await third.next()).toBe(1);
  });
});

describe("a session", () => {
  test("calls what its client offers, both ways at once", async () => {
    const client = { double: (n: number) => 2 * n };
    const server = {
      async quadruple(n: number): Promise<number> {
        const caller = currentCall().session.front<typeof client>();
        return caller.double(await caller.double(n));
      },
    };
    await using pair = await leakCheckedPair(server, { clientFront: client });
    expect(await pair.front.quadruple(5)).toBe(20);
    expect(await pair.session.front<typeof client>().double(4)).toBe(8);
    expect(pair.session.front()).toBe(pair.session.front());
  });

  test("whose client offers nothing fails calls on its front as not-found", async () => {
    await using pair = await leakCheckedPair(new Counter());
    const front = pair.session.front<Counter>();
    await expect(front.next()).rejects.toMatchObject({ code: "not-found", outcome: "not-sent" });
  });

  test("offers nothing but what it was told to: a peer that has nothing to call refuses all calls", async () => {
    class Thing extends ByReference {}
    await using pair = await leakCheckedPair({ thing: () => new Thing() });
    await using raw = await RawPeer.connect(memoryTransport, pair.service.uri, {
      front: { kind: "object", name: "X" },
    });
    const [session] = [...pair.service.sessions].filter((candidate) => candidate !== pair.session);
    const failure = failureOf(session?.front<Counter>().next() as Promise<number>);
    const { id, target } = await raw.nextCall();
    expect(target).toBe(0);
    raw.send(frame.error, (writer) =>
      writer.raw(
        Uint8Array.of(id, 0, 0x93, 0xa6, ...Buffer.from("denied"), 0xa1, 0x78, 0xac, ...Buffer.from("not-executed")),
      ),
    );
    expect(await failure).toMatchObject({ code: "denied", outcome: "not-executed" });
  });
});

describe("currentCall", () => {
  const seen = () => {
    const { method, principal, deadline, context, session, signal } = currentCall();
    return { method, principal, deadline, context: { ...context }, id: session.id, isAborted: signal.aborted };
  };

  test("tells a method its name, session, deadline, context and signal", async () => {
    await using pair = await leakCheckedPair({ look: seen });
    const view = withOptions(pair.front, { context: { trace: "t-1" } });
    expect(await view.look()).toEqual({
      method: "look",
      principal: undefined,
      deadline: undefined,
      context: { trace: "t-1" },
      id: pair.session.id,
      isAborted: false,
    });
  });

  test("throws outside of a call, and in a method after its first await", async () => {
    expect(() => currentCall()).toThrow(expect.objectContaining({ code: "not-found" }));
    await using pair = await leakCheckedPair({
      async late(): Promise<string> {
        currentCall();
        await Promise.resolve();
        return failureOf(Promise.resolve().then(currentCall)).then((error) => (error as RpcError).code);
      },
    });
    expect(await pair.front.late()).toBe("not-found");
    expect(() => currentCall()).toThrow();
  });

  test("is restored when a method returns or throws", async () => {
    await using pair = await leakCheckedPair({
      outer(): string {
        return currentCall().method;
      },
      fail(): void {
        currentCall();
        throw new Error("no");
      },
    });
    await Promise.allSettled([pair.front.outer(), pair.front.fail()]);
    expect(() => currentCall()).toThrow();
    expect(await pair.front.outer()).toBe("outer");
  });

  test("of calls in one turn belongs to each alone", async () => {
    await using pair = await leakCheckedPair({
      async mine(): Promise<string> {
        const { context } = currentCall();
        await Promise.resolve();
        return context["who"] ?? "";
      },
    });
    const names = Array.from({ length: 20 }, (_, i) => `caller ${i}`);
    const calls = names.map((who) => withOptions(pair.front, { context: { who } }).mine());
    expect(await Promise.all(calls)).toEqual(names);
  });

  test("has a context that can't be changed and inherits nothing", async () => {
    await using pair = await leakCheckedPair({
      look: () => {
        const { context } = currentCall();
        return [Object.isFrozen(context), Object.getPrototypeOf(context) === null, "toString" in context];
      },
    });
    expect(await withOptions(pair.front, { context: { a: "b" } }).look()).toEqual([true, true, false]);
  });
});

function never(): never {
  throw new Error("memory can listen");
}
