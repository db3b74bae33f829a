import { describe, expect, test } from "vitest";
import * as z from "zod";
import { describeFailures } from "../../src/contracts/issues.ts";
import { defineContract, method } from "../../src/index.ts";
import { contractPair, failureOf } from "./pairs.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text).length;

describe("issues", () => {
  test("are told up to 16 and within 1 KiB, however many there are", async () => {
    const contract = defineContract({ take: method([z.array(z.string())]) });
    await using served = await contractPair(contract, { take() {} });
    const error = await failureOf(served.unbound.take(new Array(100_000).fill(1)));
    expect(bytesOf(error.message)).toBeLessThanOrEqual(1_024);
    expect(error.message.match(/args\[0\]\[\d+\]/g)?.length).toBeLessThanOrEqual(16);
    expect(error.message).toMatch(/; and \d+ more$/);
  });

  test("cost no more text than is told", () => {
    let read = 0;
    const issues = Array.from({ length: 100_000 }, () => ({
      get message() {
        read++;
        return "x";
      },
    }));
    const text = describeFailures([{ root: "args[0]", issues }]);
    expect(text.match(/args\[0\]: x/g)).toHaveLength(16);
    expect(text).toMatch(/; and 99984 more$/);
    expect(read).toBe(16);
  });

  test.each([
    ["line breaks and escapes", "a\n\u001b[31mb"],
    ["bidirectional marks and separators", "a\u202eb\u2028c"],
    ["half a character", "\ud83d"],
    ["a very long name", "n".repeat(1_000_000)],
    ["very many characters to escape", "\u0007".repeat(100_000)],
  ])("show %s of the peer's as text, and cut", async (_what, key) => {
    const contract = defineContract({
      take: method([z.record(z.string(), z.number())]),
      strict: method([z.strictObject({})]),
    });
    await using served = await contractPair(contract, { take() {}, strict() {} });
    for (const call of [served.unbound.take({ [key]: "x" }), served.unbound.strict({ [key]: "x" })]) {
      const { message } = await failureOf(call);
      expect(message).toContain("args[0]");
      expect(message).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
      expect(bytesOf(message)).toBeLessThanOrEqual(1_024);
    }
  });

  test.each([
    [["user", "age"], "args[0].user.age: m"],
    [[0, { key: "x" }], "args[0][0].x: m"],
    [["odd key", 'say "x"', ""], 'args[0]["odd key"]["say \\"x\\""][""]: m'],
    [[Symbol("s")], "args[0][symbol]: m"],
    [undefined, "args[0]: m"],
  ])("have the path %j", (path, text) => {
    expect(describeFailures([{ root: "args[0]", issues: [{ message: "m", path }] }])).toBe(text);
  });
});
