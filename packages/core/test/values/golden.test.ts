import { describe, expect, test } from "vitest";
import { goldenVectors } from "./golden.ts";
import { decode, encode, fromHex, roundTrip, toHex } from "./support.ts";

describe("golden vectors", () => {
  test.each(goldenVectors)("$name encodes to its bytes", ({ hex, make }) => {
    expect(toHex(encode(make()))).toBe(hex.replaceAll(" ", ""));
  });

  test.each(goldenVectors)("$name decodes from its bytes", ({ hex, make }) => {
    const { value, references } = decode(fromHex(hex));
    expect(value).toStrictEqual(make());
    expect(references).toEqual([]);
  });

  test("a Buffer has a type of its own and is a Buffer again", () => {
    expect(toHex(encode(Buffer.from("hi")))).toBe("d50c6869");
    expect(roundTrip(Buffer.from("hi"))).toStrictEqual(Buffer.from("hi"));
  });
});

describe("forms the encoder doesn't choose decode all the same", () => {
  test.each([
    ["float32", "ca 3fc00000", 1.5],
    ["a wide integer", "ce 00000005", 5],
    ["a wide negative integer", "d2 ffffffff", -1],
    ["a wide string header", "db 00000001 61", "a"],
    ["a wide array header", "dd 00000001 05", [5]],
    ["a wide map header", "df 00000001 a161 05", { a: 5 }],
    ["a wide bin header", "c6 00000001 05", new Uint8Array([5])],
    ["an 8-bit extension", "c7 08 05 4014000000000000", new Date(5)],
    ["a wide key", "81 d9 01 61 05", { a: 5 }],
    ["a small bigint in the large form", "c7 02 04 01 05", -5n],
  ])("%s", (_name, hex, expected) => {
    expect(decode(fromHex(hex)).value).toStrictEqual(expected);
  });
});
