import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { UnknownValue } from "../../src/values/unknown-values.ts";
import { Box, box, Money, money, TypedCodec } from "./registered-support.ts";
import { decode, encode, fromHex, limits, roundTrip, TestExporter, toHex } from "./support.ts";

const knowing = new TypedCodec([money, box]);
const lacking = new TypedCodec([]);
/** Knows other classes than those that arrive. */
const other = new TypedCodec([box]);

describe.each([
  ["no class at all", lacking],
  ["other classes", other],
])("where %s is registered, a registered value", (_what, here) => {
  test("arrives as an unknown value that tells its name and its data", () => {
    const [value] = knowing.roundTrip([new Money(500, "EUR")], here) as unknown[];
    expect(value).toBeInstanceOf(UnknownValue);
    expect(value).toEqual(new UnknownValue("money", [500, "EUR"]));
  });

  test("arrives in every place, the same one in all of them", () => {
    const amount = new Money(1, "EUR");
    const given = [amount, new Map([[amount, amount]]), new Set([amount]), new Error("x", { cause: amount })] as const;
    const [value, map, set, error] = knowing.roundTrip(given, here) as typeof given;
    expect(value).toBeInstanceOf(UnknownValue);
    expect([...map].flat()).toEqual([value, value]);
    expect([...map.keys()][0]).toBe(value);
    expect([...set][0]).toBe(value);
    expect(error.cause).toBe(value);
    expect(knowing.roundTrip(amount, here)).toBeInstanceOf(UnknownValue);
  });

  test("goes on byte by byte as it came, and arrives as what it is where it is known", () => {
    const amount = new Money(1, "EUR");
    const shared = { amount };
    const bytes = knowing.encode([amount, shared, [shared], new Map([[amount, shared]])]);
    const passedOn = here.encode(here.read(bytes));
    expect(passedOn).toEqual(bytes);
    const [value, first, [again], map] = knowing.read(passedOn) as [Money, object, [object], Map<Money, object>];
    expect(value).toBeInstanceOf(Money);
    expect(value.cents).toBe(1);
    expect(again).toBe(first);
    expect(map.get(value)).toBe(first);
  });
});

describe("an unknown value", () => {
  test("holds what its references stand for", () => {
    const callback = () => {};
    const unknown = knowing.roundTrip(new Box([callback, new Map([[callback, new Money(1, "EUR")]])]), lacking);
    const [stub, map] = (unknown as UnknownValue).data as [unknown, Map<unknown, unknown>];
    expect(stub).toBe(callback);
    expect(map.get(callback)).toEqual(new UnknownValue("money", [1, "EUR"]));
    expect((knowing.roundTrip(new Box(callback), lacking) as UnknownValue).data).toBe(callback);
  });

  test("holds what is registered here as one of its class", () => {
    const unknown = knowing.roundTrip(new Money(1, "EUR"), new TypedCodec([box])) as UnknownValue;
    expect(unknown).toBeInstanceOf(UnknownValue);
    const nested = new TypedCodec([money]).roundTrip(new UnknownValue("crate", [new Money(2, "EUR")]), knowing);
    expect(nested).toEqual(new UnknownValue("crate", [expect.any(Money)]));
  });

  test("may be made by a program that lacks the class", () => {
    expect(lacking.roundTrip(new UnknownValue("money", [3, "EUR"]), knowing)).toMatchObject({ cents: 3 });
    expect(roundTrip(new UnknownValue("money", [3, "EUR"]))).toEqual(new UnknownValue("money", [3, "EUR"]));
  });

  test("tells its name when it is printed", () => {
    expect(inspect(new UnknownValue("money", [1]))).toBe("UnknownValue { name: 'money', data: [ 1 ] }");
    expect(JSON.stringify(new UnknownValue("money", [1]))).toBe('{"name":"money","data":[1]}');
  });

  test.each([[""], ["x".repeat(65)], [5], [undefined]])("needs a name that a class can have, not %j", (name) => {
    expect(() => new UnknownValue(name as never, 1)).toThrow(
      expect.objectContaining({ code: "invalid-argument", outcome: "not-sent" }),
    );
  });

  test("with what can't be sent is refused, naming the place", () => {
    expect(() => encode({ at: new UnknownValue("money", { deep: Symbol("s") }) })).toThrow(
      expect.objectContaining({ detail: expect.stringMatching(/^result\.at\S*\.deep: symbols/) }),
    );
  });

  test("that holds itself is refused where classes are registered", () => {
    const data: unknown[] = [];
    data.push(new UnknownValue("crate", data));
    expect(() => knowing.encode(data)).toThrow(expect.objectContaining({ code: "unsupported-value" }));
    const cyclic = fromHex("c9 0000000a 10 a5 6372617465 91 d40100");
    expect(() => decode(cyclic)).not.toThrow();
  });

  test("counts for depth and for values", () => {
    const bytes = encode(new UnknownValue("a", new UnknownValue("b", 1)));
    expect(() => decode(bytes, { maxDepth: 2, maxNodes: 7 })).not.toThrow();
    expect(() => decode(bytes, { maxDepth: 1, maxNodes: 7 })).toThrow(
      expect.objectContaining({ code: "limit-exceeded" }),
    );
    expect(() => decode(bytes, { maxDepth: 2, maxNodes: 6 })).toThrow(
      expect.objectContaining({ code: "limit-exceeded" }),
    );
    expect(() => encode(new UnknownValue("a", 1), undefined, { ...limits, maxNodes: 3 })).toThrow(
      expect.objectContaining({ code: "limit-exceeded", outcome: "not-sent" }),
    );
  });

  test.each([
    ["without a name", "c9 00000001 10 90"],
    ["with a number for a name", "c9 00000002 10 01 90"],
    ["with an empty name", "c9 00000002 10 a0 90"],
    ["with a name of 65 characters", `c9 00000044 10 d941 ${"61".repeat(65)} 90`],
    ["without data", "c9 00000004 10 a3626f78"],
    ["with a hole for data", "c9 00000007 10 a3626f78 d40001"],
  ])("%s is refused by the receiver", (_name, hex) => {
    expect(() => decode(fromHex(hex))).toThrow(expect.objectContaining({ code: "protocol", outcome: "not-executed" }));
  });

  test("is no reference, nor does it name one then", () => {
    const value = { [`${"then"}`]: new UnknownValue("a", 1) };
    const exporter = new TestExporter();
    expect(roundTrip(value)).toEqual(value);
    expect(decode(encode(value, exporter)).references).toEqual([]);
    expect(toHex(encode(new UnknownValue("a", 1)))).toBe("c90000000310a16101");
  });
});
