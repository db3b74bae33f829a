/**
 * Every value of the table through real sessions, over each transport: in every place where it may stand, as an argument, as
 * a result, to and from a block, inside errors. And what is refused, refused there too.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LeakCheckedPair } from "../../conformance/src/index.ts";
import { ValueDesk } from "../../core/test/values/desk.ts";
import { difference } from "../../core/test/values/difference.ts";
import { exchange } from "../../core/test/values/exchange.ts";
import { refusals } from "../../core/test/values/refusals.ts";
import { refuse } from "../../core/test/values/refuse.ts";
import { rows } from "../../core/test/values/table.ts";
import { leakCheckedPair, memoryPlace, places, securePlaces } from "./places.ts";

const everywhere = [memoryPlace, ...places, ...securePlaces().filter(({ place }) => place === "tls")];

const nests: readonly { readonly name: string; wrap(inner: unknown): unknown }[] = [
  { name: "arrays", wrap: (inner) => [inner] },
  { name: "objects", wrap: (inner) => ({ inner }) },
  { name: "objects without a prototype", wrap: (inner) => Object.assign(Object.create(null), { inner }) },
  { name: "Maps", wrap: (inner) => new Map([["inner", inner]]) },
  { name: "keys of Maps", wrap: (inner) => new Map([[inner, "outer"]]) },
  { name: "Sets", wrap: (inner) => new Set([inner]) },
  { name: "causes", wrap: (inner) => new Error("outer", { cause: inner }) },
];

describe.each(everywhere)("over $place", ({ at }) => {
  let pair: LeakCheckedPair<ValueDesk>;
  beforeAll(async () => {
    pair = await leakCheckedPair(at, new ValueDesk());
  });
  afterAll(() => pair[Symbol.asyncDispose]());

  test.each(rows)("$name arrives as it left, wherever it stands and whichever way it goes", async (row) => {
    expect(await exchange(pair.front, row)).toEqual([]);
  });

  test.each(refusals)("$name is refused, wherever it stands and whoever sends it", async (row) => {
    const { callsIn } = pair.connection.stats();
    expect(await refuse(pair.front, row)).toEqual([]);
    expect(pair.connection.stats().callsIn - callsIn).toBeLessThan(20);
  });

  describe.each(nests)("of $name, one in another,", ({ wrap }) => {
    test("as many as limits.maxDepth arrive, and not one more", async () => {
      const deepest = nested(wrap, 64);
      expect(difference(await pair.front.echo(deepest), deepest)).toBeUndefined();
      await expect(pair.front.echo(wrap(deepest))).rejects.toMatchObject(tooMuch("not-sent", "maxDepth"));
      const answering = pair.front.ask("null", "alone", () => wrap(nested(wrap, 64)));
      await expect(answering).rejects.toMatchObject({ code: "limit-exceeded", data: { outcome: "executed" } });
    });
  });

  test("as many values as limits.maxNodes arrive in one message, and not one more", async () => {
    const most = new Array<number>(131_071).fill(0);
    expect(await pair.front.echo(most)).toEqual(most);
    await expect(pair.front.echo([...most, 0])).rejects.toMatchObject(tooMuch("not-sent", "maxNodes"));
    await expect(pair.front.take(most, 0)).rejects.toMatchObject(tooMuch("not-sent", "maxNodes"));
    const answering = pair.front.ask("null", "alone", () => [...most, 0]);
    await expect(answering).rejects.toMatchObject({ code: "limit-exceeded", data: { outcome: "executed" } });
  });
});

function nested(wrap: (inner: unknown) => unknown, levels: number): unknown {
  let value: unknown = "innermost";
  for (let i = 0; i < levels; i++) value = wrap(value);
  return value;
}

function tooMuch(outcome: string, limit: string) {
  return { code: "limit-exceeded", outcome, message: expect.stringContaining(limit) };
}
