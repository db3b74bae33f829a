import { describe, expect, test } from "vitest";
import { memoryTransport } from "../../../transports/src/index.ts";
import { ByReference, byReference, openConnection } from "../../src/index.ts";
import { leakCheckedPair } from "../session/pairs.ts";
import { RawPeer } from "../session/raw-peer.ts";

/** Every name that JavaScript itself gives to objects, functions, arrays, promises, Maps and symbols. */
const inheritedNames = [
  ...new Set(
    [Object, Function, Array, Promise, Map, Symbol]
      .flatMap((maker) => [...Object.getOwnPropertyNames(maker.prototype), ...Object.getOwnPropertyNames(maker)])
      .concat(
        "__proto__",
        "then",
        "catch",
        "finally",
        "inspect",
        "dispose",
        "toJSON",
        "_hidden",
        "_",
        "",
        " ",
        "0",
        "-1",
      ),
  ),
];

/** Counts everything that is done to an object. */
function watched<T extends object>(target: T): { readonly object: T; readonly touched: string[] } {
  const touched: string[] = [];
  const traps = Object.fromEntries(
    Object.getOwnPropertyNames(Reflect).map((trap) => [
      trap,
      (...args: unknown[]) => {
        touched.push(`${trap} ${String(args[1])}`);
        return (Reflect as unknown as Record<string, (...args: unknown[]) => unknown>)[trap]?.(...args);
      },
    ]),
  );
  return { object: new Proxy(target, traps), touched };
}

let getterRuns = 0;
class Service extends ByReference {
  field = () => "a field";
  [Symbol.iterator] = () => [][Symbol.iterator]();

  offered(): string {
    return "offered";
  }

  _hidden(): string {
    return "hidden";
  }

  get danger(): () => string {
    getterRuns++;
    return () => "danger";
  }

  static make(): Service {
    return new Service();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<never> {}
}

const kinds: readonly (readonly [kind: string, make: () => object])[] = [
  ["a plain object", () => byReference({ offered: () => "offered" })],
  ["a class instance", () => new Service()],
  ["a function", () => function offered() {}],
  ["a class", () => Service],
  ["an array", () => byReference([1, 2, 3])],
  ["a Map", () => byReference(new Map([["a", 1]]))],
  ["a Set", () => byReference(new Set(["a"]))],
  ["a Date", () => byReference(new Date())],
  ["a promise", () => byReference(Promise.resolve(1))],
  ["an Error", () => byReference(new Error("x"))],
  ["an object without prototype", () => byReference(Object.assign(Object.create(null), { offered: () => "offered" }))],
];

describe.each(kinds)("of %s", (kind, make) => {
  test("no name that JavaScript gives it can be called", async () => {
    await using pair = await leakCheckedPair({ thing: make });
    await using raw = await RawPeer.connect(memoryTransport, pair.service.uri);
    raw.call(1, 0, "thing");
    const { references } = await raw.nextResult();
    const thing = references[0] as number;
    const isCallable = kind === "a function" || kind === "a class";
    const names = inheritedNames.filter((name) => !(isCallable && name === ""));
    expect(names.length).toBeGreaterThan(110);
    for (const [i, name] of names.entries()) raw.call(i + 2, thing, name);
    for (const [i, name] of names.entries()) {
      const { callId, parts } = await raw.nextError();
      expect([callId, name, parts[0], parts[2]]).toEqual([i + 2, name, "not-exposed", "not-executed"]);
    }
  });
});

test.each(inheritedNames.filter((name) => name !== ""))(
  "a relayed object refuses %s here or over there",
  async (name) => {
    await using far = await leakCheckedPair({ thing: () => new Service() });
    using thing = await far.front.thing();
    await using near = await leakCheckedPair({ thing: () => thing });
    await using raw = await RawPeer.connect(memoryTransport, near.service.uri);
    raw.call(1, 0, "thing");
    const { references } = await raw.nextResult();
    raw.call(2, references[0] as number, name);
    const { parts, isThrown } = await raw.nextError();
    // The relay lets a name through that it can't judge: the refusal is the far process's then.
    expect(isThrown ? parts[2] : parts[0]).toBe("not-exposed");
  },
);

describe("looking a method up", () => {
  test("fires no trap and no getter of the object", async () => {
    const { object, touched } = watched({ offered: () => "offered" });
    await using pair = await leakCheckedPair(object);
    expect(await pair.front.offered()).toBe("offered");
    await using raw = await RawPeer.connect(memoryTransport, pair.service.uri);
    touched.length = 0;
    for (const [i, name] of inheritedNames.entries()) raw.call(i + 1, 0, name);
    for (const _name of inheritedNames) await raw.nextError();
    expect(touched).toEqual([]);
  });

  test("of a class runs no getter, neither when it is offered nor when it is called", async () => {
    getterRuns = 0;
    await using pair = await leakCheckedPair({ thing: () => new Service() });
    await using raw = await RawPeer.connect(memoryTransport, pair.service.uri);
    raw.call(1, 0, "thing");
    const { references } = await raw.nextResult();
    const names = ["danger", "field", "_hidden", "make", "constructor", "super", "Symbol(Symbol.iterator)"];
    for (const [i, name] of names.entries()) raw.call(i + 2, references[0] as number, name);
    for (const _name of names) expect((await raw.nextError()).parts[0]).toBe("not-exposed");
    raw.call(50, references[0] as number, "offered");
    expect(await raw.nextResult()).toMatchObject({ value: "offered" });
    expect(getterRuns).toBe(0);
  });

  test("sees a refused name and an unknown one alike", async () => {
    await using pair = await leakCheckedPair(new Service());
    await using raw = await RawPeer.connect(memoryTransport, pair.service.uri);
    raw.call(1, 0, "_hidden");
    raw.call(2, 0, "nothing");
    expect((await raw.nextError()).parts).toEqual((await raw.nextError()).parts);
  });

  test("knows names exactly: no lookalikes, no case, no spaces, no paths", async () => {
    await using pair = await leakCheckedPair(new Service());
    await using raw = await RawPeer.connect(memoryTransport, pair.service.uri);
    const names = [
      "Offered",
      "offered ",
      " offered",
      "offеred",
      "offered\0",
      "offered.call",
      "prototype.offered",
      "x".repeat(256),
    ];
    for (const [i, name] of names.entries()) raw.call(i + 1, 0, name);
    for (const _name of names) expect((await raw.nextError()).parts[0]).toBe("not-exposed");
  });
});

describe("what a class offers", () => {
  class Base {
    inherited(): string {
      return "inherited";
    }

    overridden(): string {
      return "of the base";
    }

    takenBack(): string {
      return "never";
    }
  }
  class Heir extends Base {
    override overridden(): string {
      return `not ${super.overridden()}`;
    }

    // @ts-expect-error An accessor in place of a method is what is tested.
    override get takenBack(): () => string {
      return () => "an accessor";
    }
  }

  test("are its methods and those of the program's own classes it inherits from", async () => {
    await using pair = await leakCheckedPair(new Heir());
    expect(await Promise.all([pair.front.inherited(), pair.front.overridden()])).toEqual([
      "inherited",
      "not of the base",
    ]);
    await using raw = await RawPeer.connect(memoryTransport, pair.service.uri);
    raw.call(1, 0, "takenBack");
    expect((await raw.nextError()).parts[0]).toBe("not-exposed");
  });

  test("are not those of a built-in class it inherits from", async () => {
    class Registry extends Map<string, number> {
      lookUp(key: string): number | undefined {
        return this.get(key);
      }
    }
    await using pair = await leakCheckedPair(new Registry([["a", 1]]) as unknown as Pick<Registry, "lookUp" | "clear">);
    expect(await pair.front.lookUp("a")).toBe(1);
    await expect(pair.front.clear()).rejects.toMatchObject({ code: "not-exposed" });
    expect(await pair.front.lookUp("a")).toBe(1);
  });

  test("with private state works on the object itself", async () => {
    class Secretive {
      #secret = 1;

      next(): number {
        return this.#secret++;
      }
    }
    await using pair = await leakCheckedPair(new Secretive());
    expect([await pair.front.next(), await pair.front.next()]).toEqual([1, 2]);
  });

  test("are read once: what is put on the prototype later is not offered", async () => {
    class Late {
      early(): string {
        return "early";
      }
    }
    await using pair = await leakCheckedPair(new Late() as Late & { later(): string });
    expect(await pair.front.early()).toBe("early");
    Object.defineProperty(Late.prototype, "later", { value: () => "later" });
    await expect(pair.front.later()).rejects.toMatchObject({ code: "not-exposed" });
  });
});

test("a function is called by no name but its own emptiness, with this undefined", async () => {
  let self: unknown = "unset";
  await using pair = await leakCheckedPair({
    give: () =>
      function given(this: unknown, a: number) {
        self = this;
        return a;
      },
  });
  using given = await pair.front.give();
  expect(await given(5)).toBe(5);
  expect(self).toBeUndefined();
  expect(await given.call({ not: "this" }, 6)).toBe(6);
  expect(await given.apply({ not: "this" }, [7])).toBe(7);
  expect(await given.bind(null, 8)()).toBe(8);
  expect(self).toBeUndefined();
  expect([given.name, given.length]).toEqual(["given", 0]);
});

test("a page of names tried against a connection's own side finds nothing either", async () => {
  await using pair = await leakCheckedPair({ add: () => 1 });
  const channel = await memoryTransport.dial(pair.service.uri, {});
  const stub = (await openConnection(channel, { address: "x", front: {} })) as AsyncDisposable;
  const [session] = [...pair.service.sessions].filter((candidate) => candidate !== pair.session);
  const front = session?.front<Record<string, () => unknown>>() as Record<string, () => Promise<unknown>>;
  for (const name of ["hasOwnProperty", "isPrototypeOf", "__defineGetter__", "__lookupGetter__", "toLocaleString"]) {
    await expect(front[name]?.()).rejects.toMatchObject({ code: "not-exposed", outcome: "not-executed" });
  }
  await stub[Symbol.asyncDispose]();
});
