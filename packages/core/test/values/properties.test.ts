import fc from "fast-check";
import { Packr } from "msgpackr";
import { describe, expect, test } from "vitest";
import { RpcError } from "../../src/errors/rpc-error.ts";
import { decode, encode, limits, roundTrip } from "./support.ts";

const seed = 20_240_607;
const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ maxLength: 60 }),
  fc.constantFrom("then", "__proto__"),
);
const codeUnits = fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units));
const bytes = fc.uint8Array({ maxLength: 300 });
const number = fc.oneof(fc.integer(), fc.double(), fc.integer({ min: 0, max: 0xffff_ffff }), fc.maxSafeInteger());

/** Any value that is copied, containers of such values and the same object in several places included. */
const { value } = fc.letrec<{ value: unknown; shared: unknown }>((tie) => {
  const list = fc.array(tie("value"), { maxLength: 5 });
  const entries = fc.array(fc.tuple(tie("value"), tie("value")), { maxLength: 4 });
  return {
    value: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.constantFrom(null, undefined, true, false),
      number,
      text,
      codeUnits,
      fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }),
      fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }),
      fc.date({ noInvalidDate: false }),
      bytes,
      bytes.map((given) => Buffer.from(given)),
      fc.float64Array({ maxLength: 5 }),
      fc.bigInt64Array({ maxLength: 5 }),
      list,
      fc.tuple(list, fc.nat(5)).map(([elements, hole]) => without(elements, hole)),
      fc.dictionary(text, tie("value"), { maxKeys: 6 }),
      fc.dictionary(text, tie("value"), { maxKeys: 4 }).map((fields) => ({ ...fields, again: fields })),
      entries.map((given) => new Map(given)),
      list.map((members) => new Set(members)),
      fc.tuple(text, tie("value")).map(([message, cause]) => new RangeError(message.toWellFormed(), { cause })),
      tie("shared"),
    ),
    shared: tie("value").map((given) => [given, new Map([[given, given]]), { given }]),
  };
});

const plain = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom(null, true, false),
    fc.integer(),
    fc.double(),
    fc.string(),
    fc.string({ unit: "grapheme", maxLength: 100 }),
    fc.array(tie("value"), { maxLength: 20 }),
    fc.dictionary(
      fc.string({ unit: "grapheme" }).filter((key) => key !== "__proto__"),
      tie("value"),
      { maxKeys: 20, noNullPrototype: true },
    ),
  ),
})).value;

describe("any value", () => {
  test("comes back as it was, shared objects shared", () => {
    fc.assert(
      fc.property(value, (given) => {
        const copy = roundTrip(given);
        expect(copy).toStrictEqual(given);
        expect(sharing(copy)).toEqual(sharing(given));
      }),
      { seed, numRuns: 500 },
    );
  });

  test("encodes to the same bytes after a round trip", () => {
    fc.assert(
      fc.property(value, (given) => {
        const bytes = encode(given);
        expect(encode(decode(bytes).value)).toEqual(bytes);
      }),
      { seed, numRuns: 300 },
    );
  });
});

describe("any bytes", () => {
  const survives = (given: Uint8Array) => {
    try {
      decode(given, { ...limits, maxNodes: 1_000 });
    } catch (error) {
      if (!(error instanceof RpcError) || error.outcome !== "not-executed") throw error;
    }
  };

  test("are a value or refused", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), survives), { seed, numRuns: 5_000 });
  });

  test("of a message with some bytes changed are too", () => {
    const changed = fc
      .tuple(value, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 5 }))
      .map(([given, changes]) => {
        const message = encode(given);
        for (const [at, byte] of changes) message[at % message.length] = byte;
        return message;
      });
    fc.assert(fc.property(changed, survives), { seed, numRuns: 2_000 });
  });
});

describe("what MessagePack itself can carry", () => {
  const oracle = new Packr({ useRecords: false, structuredClone: false, moreTypes: false });

  test("is read by msgpackr", () => {
    fc.assert(
      fc.property(plain, (given) => {
        expect(oracle.unpack(encode(given))).toStrictEqual(given);
      }),
      { seed, numRuns: 500 },
    );
  });

  test("is read from msgpackr", () => {
    fc.assert(
      fc.property(plain, (given) => {
        expect(decode(oracle.pack(given)).value).toStrictEqual(given);
      }),
      { seed, numRuns: 500 },
    );
  });
});

function without(elements: unknown[], hole: number): unknown[] {
  if (hole < elements.length) delete elements[hole];
  return elements;
}

/** Which of the objects met on a walk are one: the number of each, in order. */
function sharing(root: unknown): number[] {
  const met = new Map<object, number>();
  const order: number[] = [];
  const walk = (given: unknown): void => {
    if (typeof given !== "object" || given === null) return;
    const number = met.get(given) ?? met.size;
    order.push(number);
    if (met.has(given)) return;
    met.set(given, number);
    if (ArrayBuffer.isView(given)) return;
    if (given instanceof Map) for (const entry of given) entry.forEach(walk);
    else if (given instanceof Set) for (const member of given) walk(member);
    else for (const key of Object.keys(given)) walk(Reflect.get(given, key));
    if (given instanceof Error) walk(given.cause);
  };
  walk(root);
  return order;
}
