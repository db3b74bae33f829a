/** Classes of a page's own, at a server that lacks them: they come back as what they are. */
import { type Connection, connect, connectionOf, type Remote, UnknownValue } from "farref";
import { afterEach, beforeEach, expect, inject, test } from "vitest";
import type { BrowserService } from "../../../test/browser-service.ts";
import { Money, money, OutOfStock, outOfStock } from "./fixtures/shop-types.ts";

const uri = inject("browserServiceUri");
let service: Remote<BrowserService>;
let connection: Connection;

beforeEach(async () => {
  service = await connect<BrowserService>(uri, { types: [money, outOfStock] });
  connection = connectionOf(service);
});

afterEach(async () => {
  await connection.close();
  expect(connection.stats()).toMatchObject({ exports: 0, imports: 0, pendingCalls: 0, runningCalls: 0 });
});

test("a page's registered values come home as one of their class, the same one in all places", async () => {
  const price = new Money(350, "EUR");
  const [first, map, [again]] = (await service.echo([price, new Map([[price, price]]), [price]])) as [
    Money,
    Map<Money, Money>,
    [Money],
  ];
  expect(first).toBeInstanceOf(Money);
  expect(first.times(2).cents).toBe(700);
  expect(again).toBe(first);
  expect(map.get(first)).toBe(first);
});

test("a page's registered errors come home as one of their class", async () => {
  const error = (await service.echo(new OutOfStock(3))) as OutOfStock;
  expect(error).toBeInstanceOf(OutOfStock);
  expect(error).toMatchObject({ name: "OutOfStock", message: "only 3 left", left: 3 });
});

test("what is registered nowhere is an unknown value, and one that can't be unpacked fails its call", async () => {
  expect(await service.echo(new UnknownValue("crate", [1]))).toEqual(new UnknownValue("crate", [1]));
  await expect(service.echo(new UnknownValue("money", { cents: 0.5 }))).rejects.toMatchObject({
    code: "invalid-argument",
    outcome: "executed",
  });
});
