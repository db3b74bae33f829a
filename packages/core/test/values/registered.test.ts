import { describe, expect, test } from "vitest";
import { ByReference, byReference } from "../../src/values/marks.ts";
import { registerValue } from "../../src/values/register.ts";
import { Box, box, Money, money, TypedCodec } from "./registered-support.ts";
import { fromHex, limits, TestExporter, toHex } from "./support.ts";

const codec = new TypedCodec([money, box]);

const refused = (code: string, detail: RegExp | string, outcome = "not-sent") =>
  expect.objectContaining({
    name: "RpcError",
    code,
    outcome,
    detail: typeof detail === "string" ? detail : expect.stringMatching(detail),
  });

describe("the wire form", () => {
  test("is the name and what the value was packed into", () => {
    expect(toHex(codec.encode(new Money(500, "EUR")))).toBe(`c90000000e10a5${hexOf("money")}92cd01f4a3${hexOf("EUR")}`);
  });

  test("counts as an object of the message, its data too", () => {
    const amount = new Money(1, "EUR");
    expect(toHex(codec.encode([amount, amount])).slice(-6)).toBe("d40101");
    const shared: unknown[] = [];
    expect(toHex(codec.encode([new Box(shared), shared])).slice(-6)).toBe("d40102");
  });

  test.each([
    ["without a name", "c9 00000001 10 90"],
    ["with a number for a name", "c9 00000002 10 01 90"],
    ["with an empty name", "c9 00000002 10 a0 90"],
    ["with a name of 65 characters", `c9 00000044 10 d941 ${"61".repeat(65)} 90`],
    ["with a registered value for a name", "c9 0000000b 10 c9 00000005 10 a3626f78 90 90"],
    ["without data", "c9 00000004 10 a3626f78"],
    ["with a hole for data", "c9 00000007 10 a3626f78 d40001"],
    ["with more than its data", "c9 00000006 10 a3626f78 90 90"],
  ])("%s is refused", (_name, hex) => {
    expect(() => codec.decode(fromHex(hex))).toThrow(refused("protocol", /at byte \d+$/, "not-executed"));
  });

  test("with any one byte changed is a value or refused, and runs nothing of the program's", () => {
    const bytes = codec.encode([new Money(5, "EUR"), new Box([new Box(1), () => {}])]);
    for (let at = 0; at < bytes.length; at++) {
      for (let value = 0; value < 256; value++) {
        try {
          codec.decode(bytes.with(at, value));
        } catch (error) {
          expect(error).toMatchObject({ name: "RpcError", outcome: "not-executed" });
        }
      }
    }
  });
});

describe("a registered value arrives as one of its class", () => {
  const amount = () => new Money(250, "EUR");
  const places: readonly (readonly [
    place: string,
    make: (value: unknown) => unknown,
    find: (copy: never) => unknown,
  ])[] = [
    ["as the root", (value) => value, (copy) => copy],
    ["as a field", (value) => ({ price: value }), ({ price }: { price: unknown }) => price],
    ["as a field named then", (value) => ({ [`${"then"}`]: value }), (copy: { then: unknown }) => copy.then],
    ["as an element", (value) => [0, value], ([, found]: unknown[]) => found],
    ["as a Map's key", (value) => new Map([[value, 1]]), (copy: Map<unknown, number>) => [...copy.keys()][0]],
    ["as a Map's value", (value) => new Map([["a", value]]), (copy: Map<string, unknown>) => copy.get("a")],
    ["as a Set's member", (value) => new Set([1, value]), (copy: Set<unknown>) => [...copy][1]],
    ["as the cause of an error", (value) => new Error("x", { cause: value }), (copy: Error) => copy.cause],
    ["as an error's data", (value) => Object.assign(new Error(), { value }), (copy: { value: unknown }) => copy.value],
    [
      "without a prototype around it",
      (value) => Object.assign(Object.create(null), { value }),
      (copy: { value: unknown }) => copy.value,
    ],
    ["in another registered value", (value) => new Box(value), (copy: Box) => copy.content],
    ["deep in another", (value) => new Box([{ value }]), (copy: Box) => (copy.content as [Box])[0].content],
  ];
  test.each(places.slice(0, -1))("%s", (_place, make, find) => {
    const found = find(codec.roundTrip(make(amount())) as never);
    expect(found).toBeInstanceOf(Money);
    expect(found).toMatchObject({ cents: 250, currency: "EUR" });
  });

  test("in a list of arguments", () => {
    const bytes = codec.encodeList([1, amount()]);
    const decoded = codec.codec.decodeList(bytes, 0, bytes.length, limits);
    expect(codec.codec.hydrate(decoded, new TestExporter())[1]).toMatchObject({ cents: 250 });
  });

  test("and the message keeps its order in Maps and Sets", () => {
    const map = new Map<unknown, unknown>([
      ["a", 1],
      [amount(), amount()],
      ["b", amount()],
      [() => {}, 2],
    ]);
    const copy = codec.roundTrip(map) as typeof map;
    expect([...copy.keys()].map((key) => typeof key)).toEqual(["string", "object", "string", "function"]);
    expect([...copy.values()].map((value) => value instanceof Money)).toEqual([false, true, true, false]);
  });

  test("a cause stays hidden, a key named __proto__ stays data", () => {
    const error = codec.roundTrip(new Error("x", { cause: amount() })) as Error;
    expect(Object.keys(error)).toEqual([]);
    const odd = codec.roundTrip(
      Object.defineProperty({}, "__proto__", { value: amount(), enumerable: true }),
    ) as object;
    expect(Object.keys(odd)).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf(odd)).toBe(Object.prototype);
  });

  test("though it extends a class that is copied", () => {
    class List extends Array<number> {}
    const list = registerValue(List, {
      name: "list",
      pack: (value) => [...value],
      unpack: (data) => List.from(data as number[]) as List,
    });
    const copy = new TypedCodec([list]).roundTrip(List.of(1, 2, 3));
    expect(copy).toBeInstanceOf(List);
    expect([...(copy as List)]).toEqual([1, 2, 3]);
  });

  test("packed by a method that uses its object, and made by one", () => {
    const options = {
      name: "money",
      separator: "/",
      pack(value: Money): string {
        return [value.cents, value.currency].join(this.separator);
      },
      unpack(data: unknown): Money {
        const [cents, currency] = `${data}`.split(this.separator);
        return new Money(Number(cents), `${currency}`);
      },
    };
    expect(new TypedCodec([registerValue(Money, options)]).roundTrip(amount())).toMatchObject({ cents: 250 });
  });
});

describe("identity", () => {
  test("of the same instance survives: it is packed once and unpacked once", () => {
    let [packed, unpacked] = [0, 0];
    const counted = registerValue(Box, {
      name: "box",
      pack: ({ content }) => [content, packed++][0],
      unpack: (content) => [new Box(content), unpacked++][0] as Box,
    });
    const shared = new Box(1);
    const value = [shared, { again: shared }, new Map([[shared, shared]]), new Set([shared]), new Box(shared)];
    const [a, b, c, d, e] = new TypedCodec([counted]).roundTrip(value) as [
      Box,
      { again: Box },
      Map<Box, Box>,
      Set<Box>,
      Box,
    ];
    expect(a).toBeInstanceOf(Box);
    expect([b.again, ...[...c].flat(), ...d, e.content]).toEqual(
      [a, a, a, a, a].map(() => expect.toSatisfy((x) => x === a)),
    );
    expect([packed, unpacked]).toEqual([2, 2]);
  });

  test("of what is packed survives, also with what is not", () => {
    const shared = { a: 1 };
    const [a, b, c] = codec.roundTrip([new Box(shared), shared, new Box([shared])]) as [Box, unknown, Box];
    expect(a.content).toBe(b);
    expect((c.content as unknown[])[0]).toBe(b);
  });

  test("does not cross messages", () => {
    const shared = new Box(1);
    expect(codec.encode(shared)).toEqual(codec.encode(shared));
  });
});

describe("unpacking", () => {
  test("is no part of decoding", () => {
    const never = registerValue(Box, {
      name: "box",
      pack: ({ content }) => content,
      unpack: () => {
        throw new Error("unpacked");
      },
    });
    const typed = new TypedCodec([never]);
    const { value, placeholders } = typed.decode(typed.encode(new Box(1)));
    expect(placeholders).toEqual([value]);
    expect(Object.getOwnPropertyNames(Object.getPrototypeOf(value))).toEqual(["constructor"]);
  });

  test("gets data with all that it holds in its place, the innermost first", () => {
    const seen: unknown[] = [];
    const watched = registerValue(Box, {
      name: "box",
      pack: ({ content }) => content,
      unpack(content) {
        seen.push(content);
        return new Box(content);
      },
    });
    const typed = new TypedCodec([watched]);
    const callback = () => {};
    const inner = new Box(1);
    const value = new Box({
      keyed: new Map<unknown, unknown>([
        [callback, callback],
        [inner, new Box(2)],
      ]),
      members: new Set<unknown>([callback, new Box(3)]),
      callback,
      error: new Error("x", { cause: inner }),
    });
    typed.roundTrip(value);
    expect(seen.slice(0, 3)).toEqual([1, 2, 3]);
    const [, , , whole] = seen as [1, 2, 3, { keyed: Map<unknown, unknown>; members: Set<unknown>; error: Error }];
    expect(whole).toMatchObject({ callback });
    expect([...whole.keyed.keys()]).toEqual([callback, expect.any(Box)]);
    expect([...whole.keyed.values()]).toEqual([callback, expect.any(Box)]);
    expect([...whole.members]).toEqual([callback, expect.any(Box)]);
    expect(whole.error.cause).toBe([...whole.keyed.keys()][1]);
  });

  test("of a value whose data is a reference gets what the reference stands for", () => {
    const callback = () => {};
    expect(codec.roundTrip(new Box(callback))).toEqual(new Box(callback));
    class Account extends ByReference {}
    const account = new Account();
    expect((codec.roundTrip(new Box(account)) as Box).content).toBe(account);
  });

  test("waits for a Map that came before, and was whole only then", () => {
    const inner = new Box(1);
    const map = new Map([[inner, 2]]);
    const [copy, holder] = codec.roundTrip([map, new Box(map)]) as [typeof map, Box];
    expect(holder.content).toBe(copy);
    expect([...copy.keys()]).toEqual([expect.any(Box)]);
  });

  test.each<[what: string, unpack: (data: unknown) => Box, why: RegExp]>([
    [
      "throws",
      () => {
        throw new RangeError("too little");
      },
      /: RangeError: too little$/,
    ],
    [
      "throws what can't be printed",
      () => {
        throw Object.create(null);
      },
      /can't be printed$/,
    ],
    ["returns nothing", () => undefined as never, /no instance/],
    ["returns something else", () => ({ content: 1 }) as Box, /no instance/],
    ["returns a promise", () => Promise.resolve(new Box()) as never, /no instance/],
    ["returns an instance with a then of its own", () => Object.assign(new Box(), { [`${"then"}`]() {} }), /promise/],
  ])("that %s fails its message, naming the place", (_what, unpack, why) => {
    const typed = new TypedCodec([registerValue(Box, { name: "box", pack: ({ content }) => content, unpack }), money]);
    const bytes = typed.encode([{ total: new Money(1, "EUR"), tags: new Map([["a", new Box([1])]]) }]);
    let failure: unknown;
    try {
      typed.read(bytes);
    } catch (error) {
      failure = error;
    }
    expect(failure).toEqual(
      refused("invalid-argument", /^box at \[0\]\.tags\.get\("a"\) can't be unpacked: /, "not-executed"),
    );
    expect(failure).toMatchObject({ detail: expect.stringMatching(why), cause: expect.anything() });
  });

  test("that fails says no word of the program's where peers must not read any", () => {
    const secret = registerValue(Box, {
      name: "box",
      pack: ({ content }) => {
        if (content === "unpackable") throw new Error("secret");
        return content;
      },
      unpack: () => {
        throw new Error("secret");
      },
    });
    const typed = new TypedCodec([secret], "kept");
    expect(() => typed.roundTrip(new Box(1))).toThrow(
      refused("invalid-argument", "box can't be unpacked", "not-executed"),
    );
    expect(() => typed.encode(new Box("unpackable"))).toThrow(
      refused("unsupported-value", "result: it can't be packed as box"),
    );
  });

  test("that fails does not look into objects of the program's for the place", () => {
    const looked = new Proxy(
      {},
      {
        ownKeys() {
          throw new Error("looked into");
        },
      },
    );
    const linked = registerValue(Box, {
      name: "box",
      pack: ({ content }) => content,
      unpack(content) {
        if (content === "bad") throw new Error("bad");
        return Object.assign(new Box(content), { world: looked });
      },
    });
    const front = { world: looked };
    const exporter = new TestExporter();
    exporter.pinned.add(front);
    const typed = new TypedCodec([linked]);
    const bytes = typed.encode([new Box(1), front, new Box("bad")], exporter);
    expect(() => typed.read(bytes, exporter)).toThrow(refused("invalid-argument", /^box at \[2\]/, "not-executed"));
  });

  test("to the same object twice is refused where two would be one", () => {
    const one = new Box(1);
    const interned = registerValue(Box, { name: "box", pack: () => 1, unpack: () => one });
    const typed = new TypedCodec([interned]);
    expect(typed.roundTrip([new Box(), new Box()])).toEqual([one, one]);
    for (const value of [
      new Set([new Box(), new Box()]),
      new Map([
        [new Box(), 1],
        [new Box(), 2],
      ]),
    ]) {
      expect(() => typed.roundTrip(value)).toThrow(refused("invalid-argument", /the same object/, "not-executed"));
    }
  });
});

describe("packing", () => {
  const packedBy = (pack: (value: Box) => unknown) =>
    new TypedCodec([registerValue(Box, { name: "box", pack, unpack: (content) => new Box(content) })]);

  test("that throws refuses the value, naming the place and keeping the cause", () => {
    const cause = new RangeError("not today");
    const typed = packedBy(() => {
      throw cause;
    });
    expect(() => typed.encodeList([0, { price: new Box() }])).toThrow(
      refused("unsupported-value", "args[1].price: it can't be packed as box: RangeError: not today"),
    );
    expect(() => typed.encodeList([new Box()])).toThrow(expect.objectContaining({ cause }));
  });

  test("into what can't be sent refuses it, naming the place in what it was packed into", () => {
    for (const [content, cure] of [
      [Symbol("s"), /symbols/],
      [Promise.resolve(1), /await/],
      [new (class Other {})(), /an instance of Other is/],
    ] as const) {
      expect(() => packedBy(() => ({ deep: [content] })).encode({ price: new Box() })).toThrow(
        refused("unsupported-value", new RegExp(`^result\\.price<packed box>\\.deep\\[0\\]: .*${cure.source}`)),
      );
    }
  });

  test("may itself encode something", () => {
    const typed: TypedCodec = packedBy(({ content }) => [...typed.encode([content, content])]);
    expect(typed.encode([new Box(1), new Box(1)])).toEqual(typed.encode([new Box(1), new Box(1)]));
  });

  test("into itself again and again meets the limit of depth", () => {
    const typed = packedBy(({ content }) => new Box(content));
    expect(() => typed.encode(new Box(1))).toThrow(refused("limit-exceeded", /maxDepth/));
    expect(() => typed.encode(new Box(1), undefined, { maxDepth: 1e9, maxNodes: 1e9 })).toThrow(
      expect.objectContaining({ name: "RpcError", outcome: "not-sent" }),
    );
  });

  test("counts for depth and for values", () => {
    const nested = new Box(new Box(new Box(1)));
    expect(() => codec.encode(nested, undefined, { maxDepth: 3, maxNodes: 100 })).not.toThrow();
    expect(() => codec.encode(nested, undefined, { maxDepth: 2, maxNodes: 100 })).toThrow(
      refused("limit-exceeded", /maxDepth/),
    );
    expect(() => codec.encode(nested, undefined, { maxDepth: 3, maxNodes: 10 })).not.toThrow();
    expect(() => codec.encode(nested, undefined, { maxDepth: 3, maxNodes: 9 })).toThrow(
      refused("limit-exceeded", /maxNodes/),
    );
    const bytes = codec.encode(nested);
    expect(() => codec.decode(bytes, { maxDepth: 3, maxNodes: 10 })).not.toThrow();
    expect(() => codec.decode(bytes, { maxDepth: 2, maxNodes: 10 })).toThrow(
      refused("limit-exceeded", /maxDepth/, "not-executed"),
    );
    expect(() => codec.decode(bytes, { maxDepth: 3, maxNodes: 9 })).toThrow(
      refused("limit-exceeded", /maxNodes/, "not-executed"),
    );
  });
});

describe("only instances of exactly the class are registered values", () => {
  test("those of a subclass are class instances", () => {
    class Tip extends Money {}
    expect(() => codec.encode({ tip: new Tip(1, "EUR") })).toThrow(
      refused("unsupported-value", /^result\.tip: an instance of Tip .*register the class/),
    );
  });

  test("one that is marked, or pinned, travels as a reference", () => {
    const marked = byReference(new Money(1, "EUR"));
    expect(codec.roundTrip([marked])).toEqual([marked]);
    const exporter = new TestExporter();
    const pinned = new Money(1, "EUR");
    exporter.pinned.add(pinned);
    expect(codec.decode(codec.encode(pinned, exporter)).references).toHaveLength(1);
  });
});

describe("a registered value that holds itself", () => {
  const self = new Box();
  self.content = self;
  const around = new Box();
  around.content = { inner: new Box(around) };
  const owner: Record<string, unknown> = {};
  owner["box"] = new Box([owner]);
  const beside: { first: Record<string, unknown>; second?: Box } = { first: {} };
  beside.first["up"] = beside;
  beside.second = new Box(beside.first);
  const keyed = new Map<unknown, unknown>();
  keyed.set(new Box(keyed), 1);
  const valued = new Map<unknown, unknown>();
  valued.set("k", new Box([valued]));
  const members = new Set<unknown>([1]);
  members.add(new Box(members));
  const error = new Error("x");
  error.cause = new Box(error);
  const bare: { box?: Box } = Object.create(null);
  bare.box = new Box(bare);

  const cycles: readonly (readonly [name: string, value: unknown, path: string])[] = [
    ["at once", self, ""],
    ["by another", around, "<packed box>.inner"],
    ["by what it stands in", owner, ".box"],
    ["by what stands before it", beside, ".second"],
    ["by a Map it is a key of", keyed, "<key 0>"],
    ["by a Map it is a value of", valued, '.get("k")'],
    ["by a Set it is a member of", members, "<member 1>"],
    ["by an error it is the cause of", error, ".cause"],
    ["by an object without a prototype", bare, ".box"],
  ];

  test.each(cycles)("%s is refused by the sender, naming it", (_name, value, path) => {
    for (const place of [[value], { at: { deep: [value] } }]) {
      const root = Array.isArray(place) ? "result[0]" : "result.at.deep[0]";
      const detail = `${root}${path}: a registered value that holds itself can't be unpacked; pack it without what leads back to it`;
      expect(() => codec.encode(place)).toThrow(refused("unsupported-value", detail));
    }
    expect(() => codec.encodeList([0, value])).toThrow(expect.objectContaining({ code: "unsupported-value" }));
  });

  test.each([
    ["at once", "c9 00000007 10 a3626f78 d40100"],
    ["by what it stands in", "81 a162 c9 00000007 10 a3626f78 d40100"],
    ["by what stands before it", "82 a161 81 a175 d40100 a162 c9 00000007 10 a3626f78 d40101"],
    ["by another", "c9 00000012 10 a3626f78 91 c9 00000007 10 a3626f78 d40100"],
    ["by a Map it is a key of", "c9 0000000f 08 81 c9 00000007 10 a3626f78 d40100 01"],
  ])("%s is refused by the receiver", (_name, hex) => {
    expect(() => codec.decode(fromHex(hex))).toThrow(
      refused("protocol", /holds itself.* at byte \d+$/, "not-executed"),
    );
  });

  test("is not what shares something with what is around it", () => {
    const shared = { deep: [1] };
    const cyclic: Record<string, unknown> = { shared };
    cyclic["self"] = cyclic;
    const within: unknown[] = [];
    within.push(within, shared);
    const stub = byReference({ shared });
    const value = {
      shared,
      cyclic,
      box: new Box([shared, cyclic, stub]),
      other: new Box(within),
      map: new Map([[shared, new Box(shared)]]),
    };
    const copy = codec.roundTrip({ value, again: value.box }) as { value: typeof value; again: Box };
    expect(copy.again).toBe(copy.value.box);
    const [sharedCopy, cyclicCopy] = copy.value.box.content as unknown[];
    expect(sharedCopy).toBe(copy.value.shared);
    expect(cyclicCopy).toBe(copy.value.cyclic);
    const inner = copy.value.other.content as unknown[];
    expect(inner[0]).toBe(inner);
    expect(inner[1]).toBe(copy.value.shared);
  });

  test("by way of a reference is none: a reference is not looked into", () => {
    const marked = byReference({ box: undefined as unknown });
    const held = new Box(marked);
    marked.box = held;
    const shared = {};
    expect(codec.roundTrip([shared, new Box([shared, marked]), held])).toEqual([{}, new Box([{}, marked]), held]);
  });

  test("is none of thousands that share what they hold", () => {
    const shared = {};
    const chain = Array.from({ length: 10_000 }, () => new Box([shared, shared]));
    expect(codec.roundTrip([shared, chain])).toEqual([{}, chain]);
  });
});

function hexOf(text: string): string {
  return toHex(new TextEncoder().encode(text));
}
