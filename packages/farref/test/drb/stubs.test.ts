/**
 * Carries over the core of DRb's suite (`DRbCore`): stubs made from addresses, simple calls, objects by reference, what
 * responds to which name, equality, private, protected and missing methods, names behind addresses.
 */
import { inspect } from "node:util";
import {
  ByReference,
  byReference,
  connect,
  connectionOf,
  isRemote,
  type Remote,
  sameReference,
  startService,
} from "farref";
import { describe, expect, test } from "vitest";
import { byAnyName, leakCheckedPair, places } from "../places.ts";

class Count extends ByReference {
  readonly #value: number;

  constructor(value: number) {
    super();
    this.#value = value;
  }

  toNumber(): number {
    return this.#value;
  }
}

class Desk {
  readonly #drawer = new Count(7);
  /** A field: data of the object, not a method of it. */
  label = () => "a label";

  hello(): string {
    return "hello";
  }

  async sum(...counts: Remote<Count>[]): Promise<number> {
    const numbers = await Promise.all(counts.map((count) => count.toNumber()));
    return numbers.reduce((total, number) => total + number, 0);
  }

  self(): this {
    return this;
  }

  selfInAList(): this[] {
    return [this];
  }

  drawer(): Count {
    return this.#drawer;
  }

  isDrawer(value: unknown): boolean {
    return value === this.#drawer;
  }

  fill(list: number[]): number {
    return list.push(1);
  }

  bare() {
    const methods = { offered: () => "offered", _hidden: () => "hidden" };
    return byReference<typeof methods>(Object.assign(Object.create(null), methods));
  }

  private secret(): string {
    return this.#locked();
  }

  protected kept(): string {
    return this.secret();
  }

  _hidden(): string {
    return this.kept();
  }

  #locked(): string {
    return "locked";
  }
}

const notExposed = { name: "RpcError", code: "not-exposed", outcome: "not-executed" };

describe.each(places)("a stub, over $place,", ({ at }) => {
  test("knows the address it was made from, without the name behind it, and makes no call to tell", async () => {
    await using service = await startService(at.freshUri(), new Desk());
    service.publish("drawer", new Count(3));
    await using front = connectionOf(await connect(service.uri));
    const drawer = await connect<Count>(`${service.uri}#drawer`);
    await using named = connectionOf(drawer);
    expect([front.uri, named.uri]).toEqual([service.uri, service.uri]);
    expect(`${drawer}`).toContain(`[remote Count ${service.uri}`);
    expect([front, named].map((connection) => connection.stats().callsOut)).toEqual([0, 0]);
    expect(await drawer.toNumber()).toBe(3);
  });

  test("answers calls, fifty times over, and leaves the tables as they were", async () => {
    await using pair = await leakCheckedPair(at, new Desk());
    for (let i = 0; i < 50; i++) {
      expect(await pair.front.hello()).toBe("hello");
      expect(await pair.front.sum(new Count(i), new Count(2), new Count(3))).toBe(i + 5);
      const [self] = await pair.front.selfInAList();
      expect(isRemote(self)).toBe(true);
    }
    await pair.assertEmpty();
  });

  test("of an object without a prototype has the methods that it was given", async () => {
    await using pair = await leakCheckedPair(at, new Desk());
    using bare = await pair.front.bare();
    const methods = byAnyName(bare);
    expect(isRemote(bare)).toBe(true);
    expect(await methods["offered"]?.()).toBe("offered");
    for (const name of ["_hidden", "hasOwnProperty"]) {
      await expect(methods[name]?.("offered")).rejects.toMatchObject(notExposed);
    }
  });

  test("has a method for each name; only a call tells whether it is offered", async () => {
    await using pair = await leakCheckedPair(at, new Desk());
    const stub = byAnyName(pair.front);
    expect([typeof stub["hello"], typeof stub["missing"]]).toEqual(["function", "function"]);
    expect(["hello" in stub, "missing" in stub]).toEqual([false, false]);
    expect(pair.connection.stats().callsOut).toBe(0);
    expect(await stub["hello"]?.()).toBe("hello");
    await expect(stub["missing"]?.()).rejects.toMatchObject(notExposed);
  });

  test("is one for each object: the same each time, a key of a Map, the front where that is the object", async () => {
    await using pair = await leakCheckedPair(at, new Desk());
    using drawer = await pair.front.drawer();
    const again = await pair.front.drawer();
    expect(again).toBe(drawer);
    expect(sameReference(again, drawer)).toBe(true);
    expect(new Map([[drawer, "drawer"]]).get(again)).toBe("drawer");
    expect(await pair.front.self()).toBe(pair.front);
    expect((await pair.front.selfInAList())[0]).toBe(pair.front);
    expect(drawer).not.toBe(pair.front);
  });

  test("of one object by two connections is two, which are the object itself at home", async () => {
    await using pair = await leakCheckedPair(at, new Desk());
    const other = await connect<Desk>(pair.service.uri);
    await using _connection = connectionOf(other);
    using ours = await pair.front.drawer();
    using theirs = await other.drawer();
    expect([ours === theirs, sameReference(ours, theirs)]).toEqual([false, false]);
    expect([await pair.front.isDrawer(ours), await other.isDrawer(theirs)]).toEqual([true, true]);
  });

  test("of a service of this very process is a stub like any: arguments are copied, its text is local", async () => {
    await using pair = await leakCheckedPair(at, new Desk());
    const list: number[] = [];
    expect(await pair.front.fill(list)).toBe(1);
    expect(list).toEqual([]);
    const { callsOut } = pair.connection.stats();
    const texts = [`${pair.front}`, String(pair.front), inspect(pair.front), JSON.stringify([pair.front])];
    for (const text of texts) expect(text).toContain(`[remote Desk ${pair.service.uri}]`);
    expect(pair.connection.stats().callsOut).toBe(callsOut);
  });
});

describe.each(places)("a method, over $place,", ({ at }) => {
  test.each(["missing", "_hidden", "#locked", "label", "eval", "send", "__send__", "instance_eval", "hasOwnProperty"])(
    "%s is not exposed, and the next call is answered",
    async (name) => {
      await using pair = await leakCheckedPair(at, new Desk());
      await expect(byAnyName(pair.front)[name]?.("1 + 1")).rejects.toMatchObject(notExposed);
      expect(await pair.front.hello()).toBe("hello");
    },
  );

  test("that is private or protected for the compiler alone is offered", async () => {
    await using pair = await leakCheckedPair(at, new Desk());
    for (const name of ["secret", "kept"]) expect(await byAnyName(pair.front)[name]?.()).toBe("locked");
  });

  test("is declared: an object that would answer to any name is not asked", async () => {
    const asked: PropertyKey[] = [];
    const dynamic = new Proxy(
      { hello: () => "hello" },
      {
        get: (_target, name) => {
          asked.push(name);
          return typeof name === "string" ? () => "dynamic" : undefined;
        },
      },
    );
    await using pair = await leakCheckedPair(at, dynamic);
    const stub = byAnyName(pair.front);
    asked.length = 0;
    await expect(stub["anything"]?.()).rejects.toMatchObject(notExposed);
    expect(await stub["hello"]?.()).toBe("hello");
    expect(asked).toEqual([]);
  });
});

describe.each(places)("a name behind the address, over $place,", ({ at }) => {
  test.each([
    "foo",
    "foo/bar",
    "hello?world",
    "?hello?world",
    "a name with spaces",
    "größe",
    "__proto__",
    "constructor",
  ])("%j is taken as it stands", async (name) => {
    await using service = await startService(at.freshUri(), new Desk());
    service.publish(name, new Count(name.length));
    const named = await connect<Count>(`${service.uri}#${name}`);
    await using connection = connectionOf(named);
    expect(await named.toNumber()).toBe(name.length);
    expect(connection.uri).toBe(service.uri);
  });

  test("that nobody published is not found, the empty one too", async () => {
    await using service = await startService(at.freshUri(), new Desk());
    for (const name of ["", "missing", "toString", "__proto__"]) {
      await expect(connect(`${service.uri}#${name}`)).rejects.toMatchObject({ code: "not-found", outcome: "not-sent" });
    }
    expect(() => service.publish("", new Count(1))).toThrow(expect.objectContaining({ code: "invalid-argument" }));
  });
});

test.each(["unix:/tmp/a\nb.sock", "tcp://127.0.0.1\n:80", "ws://127.0.0.1:80/\n"])(
  "an address with a line feed (%j) is no address",
  async (uri) => {
    const badUri = { code: "bad-uri", outcome: "not-sent" };
    await expect(connect(uri)).rejects.toMatchObject(badUri);
    await expect(startService(uri, new Desk())).rejects.toMatchObject(badUri);
  },
);
