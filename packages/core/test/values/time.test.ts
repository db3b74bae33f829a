/** Bytes that are short to send and long to read: each is refused before it has taken long. */
import { expect, test } from "vitest";
import { decode, encode } from "./support.ts";

function spread(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i * 7.5);
}

test("numbers that are spread make a Set and a Map of any size", () => {
  expect(decode(encode(new Set(spread(60_000)))).value).toHaveProperty("size", 60_000);
  expect(decode(encode(new Map(spread(30_000).map((key) => [key, 1])))).value).toHaveProperty("size", 30_000);
});

test("Unicode properties cost what compiling them takes", () => {
  expect(decode(encode(/^\p{L}+\p{N}*$/u)).value).toEqual(/^\p{L}+\p{N}*$/u);
  const many = (count: number, flags: string) => new RegExp("\\p{L}".repeat(count), flags);
  expect(() => encode(many(2_000, "u"))).toThrow(expect.objectContaining({ code: "limit-exceeded" }));
  expect(() => encode(many(40, "v"))).toThrow(expect.objectContaining({ code: "limit-exceeded" }));
});
