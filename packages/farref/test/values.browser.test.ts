/**
 * Every value of the table between a page and a service in Node, in every place and by every way; what is refused, refused by
 * the page too. What only one of the two has is named.
 */
import { type Connection, connect, connectionOf, type Remote, RpcError } from "farref";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import type { ValueDesk } from "../../core/test/values/desk.ts";
import { difference } from "../../core/test/values/difference.ts";
import { exchange } from "../../core/test/values/exchange.ts";
import { refusals } from "../../core/test/values/refusals.ts";
import { refuse } from "../../core/test/values/refuse.ts";
import { rows } from "../../core/test/values/table.ts";

let desk: Remote<ValueDesk>;
let connection: Connection;

beforeAll(async () => {
  desk = await connect<ValueDesk>(`${inject("browserServiceUri")}#values`);
  connection = connectionOf(desk);
});

afterAll(async () => {
  expect(connection.stats()).toMatchObject({ pendingCalls: 0, runningCalls: 0 });
  await connection.close();
  expect(connection.stats()).toMatchObject({ exports: 0, imports: 0 });
});

describe("between a page and Node", () => {
  test.each(rows)("$name arrives as it left, wherever it stands and whichever way it goes", async (row) => {
    expect(await exchange(desk, row)).toEqual([]);
  });

  test.each(refusals)("$name is refused, wherever it stands and whoever sends it", async (row) => {
    expect(await refuse(desk, row)).toEqual([]);
  });

  test("what only a page has is refused by it: nodes of a document, files, images", async () => {
    const file = new File(["a"], "a.txt");
    for (const value of [document.createElement("p"), file, new ImageData(1, 1), window.getSelection(), location]) {
      await expect(desk.take({ of: value })).rejects.toMatchObject({
        code: "unsupported-value",
        outcome: "not-sent",
        message: expect.stringContaining("args[0].of: "),
      });
    }
  });

  test("values of a frame are values: kinds count, not whose constructors they are", async () => {
    const frame = document.body.appendChild(document.createElement("iframe"));
    try {
      const source =
        "[[1, { a: new Map([[new Date(5), new Set([/a/g])]]) }, new Uint8Array([1, 2]), new TypeError('bad')]]";
      const foreign: unknown = (frame.contentWindow as unknown as typeof globalThis).eval(source);
      const own = [[1, { a: new Map([[new Date(5), new Set([/a/g])]]) }, new Uint8Array([1, 2]), new TypeError("bad")]];
      expect(difference(await desk.echo(foreign), own)).toBeUndefined();
    } finally {
      frame.remove();
    }
  });

  test("a view of a kind that Node may not know yet arrives, or is refused there by its name", async () => {
    // Younger than the language the sources are compiled to.
    const Float16Array = Reflect.get(globalThis, "Float16Array") as typeof Float32Array;
    const halves = new Float16Array([1.5, -0, Number.NaN]);
    const back = await desk.echo(halves).catch((error: unknown) => error);
    if (!(back instanceof RpcError)) expect(difference(back, halves)).toBeUndefined();
    else expect(back).toMatchObject({ code: "unsupported-value", outcome: "not-executed" });
    if (back instanceof RpcError) expect(back.message).toContain("Float16Array");
  });
});
