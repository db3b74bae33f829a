/** Names and contexts are bounded at both ends: what the peer would refuse fails one call here, never the session. */
import { describe, expect, test } from "vitest";
import { connectionOf, currentCall, withOptions } from "../../src/index.ts";
import { leakCheckedPair } from "./pairs.ts";

const refused = { code: "invalid-argument", outcome: "not-sent" };

class Echo {
  context() {
    return { ...currentCall().context };
  }
}

describe("a call is refused by its sender, and the next one runs, with", () => {
  test.each<[what: string, context: Record<string, string>]>([
    ["more than 64 entries of context", Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`k${i}`, ""]))],
    ["a context value over 1 KiB", { key: "v".repeat(1_025) }],
    ["a context key over 1 KiB", { ["k".repeat(1_025)]: "" }],
    ["a context over 16 KiB", Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`k${i}`, "v".repeat(1_000)]))],
    ["a lone surrogate in its context", { key: "\ud800" }],
    ["a number in its context", { key: 1 as unknown as string }],
  ])("%s", async (_what, context) => {
    await using pair = await leakCheckedPair(new Echo());
    await expect(withOptions(pair.front, { context }).context()).rejects.toMatchObject(refused);
    expect(await withOptions(pair.front, { context: { key: "v".repeat(1_024) } }).context()).toEqual({
      key: "v".repeat(1_024),
    });
  });

  test.each([
    ["a method name over 256 bytes", "ä".repeat(129)],
    ["a lone surrogate in its method name", "\udc00"],
  ])("%s", async (_what, name) => {
    await using pair = await leakCheckedPair(new Echo());
    const methods = pair.front as unknown as Record<string, () => Promise<unknown>>;
    await expect(methods[name]?.()).rejects.toMatchObject(refused);
    await expect(connectionOf(pair.front).lookup(name)).rejects.toMatchObject(refused);
    expect(() => pair.service.publish(name, new Echo())).toThrow(expect.objectContaining({ code: "invalid-argument" }));
    expect(await pair.front.context()).toEqual({});
  });
});
