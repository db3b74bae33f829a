import fc from "fast-check";
import { Packr } from "msgpackr";
import { describe, expect, test } from "vitest";
import { RpcError } from "../../src/errors/rpc-error.ts";
import { seed, value } from "./arbitrary.ts";
import { difference } from "./difference.ts";
import { decode, encode, limits, roundTrip } from "./support.ts";

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
        expect(difference(roundTrip(given), given)).toBeUndefined();
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
