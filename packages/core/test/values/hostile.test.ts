import { afterEach, describe, expect, test } from "vitest";
import { RpcError } from "../../src/errors/rpc-error.ts";
import { goldenVectors } from "./golden.ts";
import { codec, decode, encode, fromHex, limits } from "./support.ts";

const pristine = snapshot();
afterEach(() => expect(snapshot()).toEqual(pristine));

/** A value, or an `RpcError` that says nothing ran: never anything else. */
function survives(bytes: Uint8Array): void {
  try {
    decode(bytes);
  } catch (error) {
    if (!(error instanceof RpcError) || error.outcome !== "not-executed") throw error;
  }
}

function heldBytes(): number {
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return heapUsed + external + arrayBuffers;
}

const rejected = (code: string, what: RegExp = /./) =>
  expect.objectContaining({ name: "RpcError", code, outcome: "not-executed", detail: expect.stringMatching(what) });

describe("every golden vector", () => {
  test.each(goldenVectors)("$name, cut anywhere, is refused", ({ hex }) => {
    const bytes = fromHex(hex);
    for (let end = 0; end < bytes.length; end++) {
      expect(() => decode(bytes.subarray(0, end))).toThrow(rejected("protocol"));
    }
  });

  test.each(goldenVectors)("$name, with any one byte changed, is a value or refused", ({ hex }) => {
    const bytes = fromHex(hex);
    for (let at = 0; at < bytes.length; at++) {
      for (let value = 0; value < 256; value++) survives(bytes.with(at, value));
    }
  });

  test.each(goldenVectors)("$name with a byte too many is refused", ({ hex }) => {
    expect(() => decode(Uint8Array.of(...fromHex(hex), 0))).toThrow(rejected("protocol", /more bytes .* at byte \d+$/));
  });
});

describe("announcing more than there is costs nothing", () => {
  test.each([
    ["an array", "dd ffffffff"],
    ["a map", "df ffffffff"],
    ["a string", "db ffffffff"],
    ["bytes", "c6 ffffffff"],
    ["an extension", "c9 ffffffff 0c"],
    ["a Map", "c9 00000005 08 df ffffffff"],
    ["a Set", "c9 00000005 09 dd ffffffff"],
    ["arrays in arrays", "dd00000002 dd ffffffff dd ffffffff"],
  ])("%s", (_name, hex) => {
    const bytes = fromHex(hex);
    const before = heldBytes();
    expect(() => decode(bytes)).toThrow(rejected("protocol", /bytes that are left/));
    // What was announced would be gibibytes.
    expect(heldBytes() - before).toBeLessThan(4 * 1024 * 1024);
  });

  test("a list of arguments", () => {
    const bytes = fromHex("dd ffffffff");
    expect(() => codec.decodeList(bytes, 0, bytes.length, limits)).toThrow(rejected("protocol"));
  });

  test("more values than the budget, though the bytes are there", () => {
    const bytes = new Uint8Array(1_000_005);
    bytes.set(fromHex("dd 000f4240"));
    expect(() => decode(bytes)).toThrow(rejected("limit-exceeded", /maxNodes/));
  });

  test("depth", () => {
    expect(() => decode(new Uint8Array(1_000_000).fill(0x91))).toThrow(rejected("limit-exceeded", /maxDepth/));
    expect(() => decode(new Uint8Array(1_000_000).fill(0x81))).toThrow(rejected("protocol"));
  });
});

describe("refused, telling where", () => {
  test.each<[name: string, hex: string]>([
    ["no bytes", ""],
    ["0xc1", "c1"],
    ["a repeated key", "82 a161 01 a161 02"],
    ["a repeated key, the second in a wide form", "82 a161 01 d90161 02"],
    ["a repeated __proto__", "82 a95f5f70726f746f5f5f 01 a95f5f70726f746f5f5f 02"],
    ["a number as a key", "81 01 01"],
    ["null as a key", "81 c0 01"],
    ["an array as a key", "81 90 01"],
    ["a hole alone", "d40001"],
    ["a hole as a field", "81 a161 d40001"],
    ["a hole as a key", "81 d40001 01"],
    ["a hole as a Map's value", "c900000006 08 81 01 d40001"],
    ["an absent value of another kind", "d40002"],
    ["undefined in two bytes", "d5000000"],
    ["text that is not UTF-8", "a2 c328"],
    ["long text that is not UTF-8", `d930 ${"61".repeat(47)} ff`],
    ["an overlong form", "a2 c080"],
    ["a surrogate in UTF-8", "a3 eda080"],
    ["half a code unit", "c7 03 03 006100"],
    ["MessagePack's timestamp", "d6 ff 00000000"],
    ["a reserved extension", "d4 10 00"],
    ["an unknown extension", "d4 7f 00"],
    ["a bigint without digits", "d4 04 00"],
    ["a bigint with an odd sign", "d5 04 02 01"],
    ["a date of 4 bytes", "d6 05 00000000"],
    ["a RegExp with a bad source", "c900000004 06 a128 a0 00"],
    ["a RegExp with bad flags", "c900000006 06 a161 a26767 00"],
    ["a RegExp with a source that is an object", "c900000003 06 80 a0 00"],
    ["a RegExp whose lastIndex is text", "c900000004 06 a161 a0 a0"],
    ["a URL that is none", "c7 01 07 61"],
    ["a URL that is not ASCII", "c7 0c 07 687474703a2f2f612ec3a92f"],
    ["a URL with a long host", `c8 07d8 07 687474703a2f2f ${"61".repeat(2001)}`],
    ["a Map with a repeated key", "c900000005 08 82 01 02 01 02"],
    ["a Map that is an array", "c900000003 08 92 01 02"],
    ["a Set with a repeated member", "c900000003 09 92 01 01"],
    ["a Set that is a map", "c900000003 09 81 01 01"],
    ["a Map that ends early", "c900000004 08 81 01 02 03"],
    ["a Map that ends late", "c900000002 08 81 01 02"],
    ["a bare object that is an array", "c900000001 0a 90"],
    ["an error of a class of the program", "c900000007 0b a44576696c 80 80"],
    ["an error whose kind is no text", "c900000003 0b 01 80 80"],
    ["an error with an odd hidden property", "c90000000b 0b a54572726f72 81 a161 01 80"],
    ["an error whose message is a number", "c900000011 0b a54572726f72 81 a76d657373616765 01 80"],
    ["an error with a stack", "c90000000f 0b a54572726f72 80 81 a5737461636b a0"],
    ["bytes of an unknown kind", "d5 0d 40 00"],
    ["bytes that don't fill an element", "c703 0d 06 0000"],
    ["a view without kind", "c700 0d"],
  ])("%s", (_name, hex) => {
    const bytes = fromHex(hex);
    if (bytes[0] === 0xc9 && !_name.includes("ends")) bytes[4] = bytes.length - 6;
    expect(() => decode(bytes)).toThrow(rejected("protocol", /at byte \d+$/));
  });

  test("counting bytes from where the message begins", () => {
    expect(() => decode(fromHex("93 01 02 c1"))).toThrow(rejected("protocol", /0xc1.* at byte 3$/));
  });
});

describe("keys that mean something to JavaScript are data", () => {
  test("__proto__ of any value", () => {
    for (const hex of ["81 a161 01", "c0", "01", "90"]) {
      const value = decode(fromHex(`81 a95f5f70726f746f5f5f ${hex}`)).value as object;
      expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
      expect(Object.keys(value)).toEqual(["__proto__"]);
    }
  });

  test("__proto__ in an error", () => {
    const copy = decode(encode(Object.assign(new Error("x"), { data: JSON.parse('{"__proto__":1}') }))).value as Error;
    expect(Object.getPrototypeOf(copy)).toBe(Error.prototype);
  });
});

describe("after a refused message", () => {
  test("the next one decodes as if nothing had been", () => {
    expect(() => decode(fromHex("92 80 d5020105"))).not.toThrow();
    expect(() => decode(fromHex("92 d5020105 c1"))).toThrow();
    const { value, references } = decode(fromHex("92 80 d40101"));
    expect([value, references]).toEqual([[{}, {}], []]);
  });

  test("however many keys it brought, known ones decode", () => {
    const canary = encode({ id: 1, name: "canary" });
    for (let i = 0; i < 5_000; i++) survives(encode({ [`key${i}`]: { [`odd${i}`]: i, x: 1 } }));
    expect(decode(canary).value).toEqual({ id: 1, name: "canary" });
  });
});

test("what costs most to construct is bounded", () => {
  const host = `xn--${"a".repeat(1_000)}-${"b".repeat(1_000)}`;
  const href = new TextEncoder().encode(`http://${host}/`);
  const bytes = Uint8Array.of(0xc8, href.length >> 8, href.length & 255, 7, ...href);
  expect(() => decode(bytes)).toThrow(rejected("protocol", /URL/));
});

/** What a decoder could have polluted. */
function snapshot(): readonly (string | symbol)[] {
  return [Object.prototype, Array.prototype, Error.prototype].flatMap((prototype) => Reflect.ownKeys(prototype));
}
