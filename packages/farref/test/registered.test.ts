/** Classes of a program's own, registered with services and connections, in one process and in two. */
import { createServer } from "node:net";
import {
  ByReference,
  connect,
  connectionOf,
  defineContract,
  implement,
  method,
  RemoteError,
  reference,
  registerError,
  registerValue,
  startService,
  UnknownValue,
  type ValueType,
} from "farref";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import * as z from "zod";
import { type HandleWatch, handleWatch } from "../../conformance/src/index.ts";
import type { Shop } from "./fixtures/shop.ts";
import { Money, money, OutOfStock, outOfStock } from "./fixtures/shop-types.ts";
import { startProgram } from "./program.ts";

let watch: HandleWatch;
beforeEach(() => {
  watch = handleWatch();
});
afterEach(() => watch.assertClosed());

const types = [money, outOfStock];

async function failureOf(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => expect.unreachable("expected a failure"),
    (error: unknown) => error as Error,
  );
}

describe.each(["tcp://127.0.0.1:0", "ws://127.0.0.1:0"])("two processes over %s", (place) => {
  test("send each other instances of classes that both have", async () => {
    await using program = await startProgram("shop", place);
    await using shop = await connect<Shop>(await program.line(), { types });
    const price = await shop.price("tea");
    expect(price).toBeInstanceOf(Money);
    expect(price?.times(2).cents).toBe(700);
    const total = await shop.total(
      new Map([
        ["a", new Money(1, "EUR")],
        ["b", new Money(2, "EUR")],
      ]),
    );
    expect(total).toMatchObject({ cents: 3, currency: "EUR" });
    expect(await shop.price("coffee")).toBeUndefined();
    program.endInput();
    await program.exited;
  });

  test("throw errors of classes that both have", async () => {
    await using program = await startProgram("shop", place);
    await using shop = await connect<Shop>(await program.line(), { types });
    const error = await failureOf(shop.buy("tea", 9));
    expect(error).toBeInstanceOf(OutOfStock);
    expect(error).toMatchObject({ message: "only 5 left", left: 5, stack: "OutOfStock: only 5 left" });
    expect((await shop.buy("tea", 5)).cents).toBe(1_750);
  });

  test("of which one lacks the classes lose nothing", async () => {
    await using program = await startProgram("shop", place);
    const uri = await program.line();
    await using shop = await connect<Shop>(uri);
    const price = (await shop.price("tea")) as unknown as UnknownValue;
    expect(price).toEqual(new UnknownValue("money", { cents: 350, currency: "EUR" }));
    const total = await shop.total(
      new Map([
        ["a", price],
        ["b", price],
      ]) as never,
    );
    expect((total as unknown as UnknownValue).data).toEqual({ cents: 700, currency: "EUR" });
    expect(await failureOf(shop.buy("tea", 9))).toMatchObject({
      name: "RemoteError",
      remoteName: "OutOfStock",
      data: { left: 5 },
    });
    const bad = new UnknownValue("money", { cents: 0.5, currency: "EUR" });
    expect(await failureOf(shop.echo(bad))).toMatchObject({
      code: "invalid-argument",
      outcome: "not-executed",
      message: expect.stringMatching(/money at \[0\] can't be unpacked: RangeError: fractions of a cent$/),
    });
  });
});

describe("types that make no sense", () => {
  const duplicate = registerValue(class Other {}, { name: "money", pack: () => 1, unpack: () => expect.unreachable() });
  const again = registerError(OutOfStock, { name: "another name" });

  test.each<[what: string, given: unknown]>([
    ["a name twice", [money, duplicate]],
    ["a class twice", [outOfStock, again]],
    ["a class", [Money]],
    ["an object that looks like a type", [{ name: "money", pack: () => 1, unpack: () => 1 }]],
    ["no list", money],
    ["null", null],
  ])("(%s) are refused before anybody listens or dials", async (_what, given) => {
    const options = { types: given as readonly ValueType[] };
    let dialed = 0;
    const server = createServer(() => dialed++).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as { port: number };
    const invalid = { code: "invalid-argument", outcome: "not-sent", message: expect.stringContaining("types") };
    expect(await failureOf(connect(`tcp://127.0.0.1:${port}`, options))).toMatchObject(invalid);
    expect(await failureOf(startService("tcp://127.0.0.1:0", {}, options))).toMatchObject(invalid);
    await new Promise((resolve) => server.close(resolve));
    expect(dialed).toBe(0);
  });
});

describe("under a contract", () => {
  const contract = defineContract({
    double: method([z.instanceof(Money)], z.instanceof(Money)),
    late: method([z.instanceof(Money).refine(async ({ cents }) => cents > 0)], z.instanceof(Money)),
    wrong: method([], z.instanceof(Money)),
    hold: method([z.unknown()], z.number()),
  });
  const implementation = {
    double: (amount: Money) => amount.times(2),
    late: (amount: Money) => amount.times(3),
    wrong: () => ({ cents: 1 }) as unknown as Money,
    hold: () => 1,
  };

  test("instances are checked as what they are, at both sides", async () => {
    await using service = await startService("tcp://127.0.0.1:0", implement(contract, implementation), { types });
    await using shop = await connect(service.uri, { contract, types });
    expect(await shop.double(new Money(21, "EUR"))).toBeInstanceOf(Money);
    expect((await shop.late(new Money(21, "EUR"))).cents).toBe(63);
    await expect(shop.late(new Money(0, "EUR"))).rejects.toMatchObject({ code: "invalid-argument" });
    await expect(shop.double({ cents: 1, currency: "EUR" } as never)).rejects.toMatchObject({
      code: "invalid-argument",
      outcome: "not-executed",
    });
    await expect(shop.wrong()).rejects.toMatchObject({ code: "invalid-result", outcome: "executed" });
  });

  test("who lacks the class is told that it isn't there", async () => {
    await using service = await startService("tcp://127.0.0.1:0", implement(contract, implementation), { types });
    await using shop = await connect(service.uri, { contract });
    await expect(shop.double(new UnknownValue("money", { cents: 1, currency: "EUR" }) as never)).rejects.toMatchObject({
      code: "invalid-result",
      outcome: "executed",
    });
  });

  test("references in an instance have to be seen by a schema, as those in other data", async () => {
    class Parcel {
      readonly content: unknown;
      constructor(content: unknown) {
        this.content = content;
      }
    }
    const parcel = registerValue(Parcel, {
      name: "parcel",
      pack: ({ content }) => content,
      unpack: (content) => new Parcel(content),
    });
    class Item extends ByReference {}
    const sees = reference()["~standard"];
    const posted = defineContract({
      blind: method([z.instanceof(Parcel)], z.boolean()),
      seen: method([z.instanceof(Parcel).refine(({ content }) => !("issues" in sees.validate(content)))], z.boolean()),
    });
    const post = implement(posted, { blind: () => true, seen: ({ content }) => content !== undefined });
    await using service = await startService("tcp://127.0.0.1:0", post, { types: [parcel] });
    await using remote = await connect(service.uri, { contract: posted, types: [parcel] });
    await expect(remote.blind(new Parcel(new Item()))).rejects.toMatchObject({ code: "invalid-argument" });
    expect(await remote.blind(new Parcel("data"))).toBe(true);
    expect(await remote.seen(new Parcel(new Item()))).toBe(true);
  });
});

test("endpoints of one process have each their own types", async () => {
  const shop = { price: () => new Money(1, "EUR"), fail: () => Promise.reject(new OutOfStock(1)) };
  await using service = await startService("tcp://127.0.0.1:0", shop, { types });
  await using plain = await startService("tcp://127.0.0.1:0", shop);
  await using knowing = await connect<typeof shop>(service.uri, { types });
  await using lacking = await connect<typeof shop>(service.uri);
  await using other = await connect<typeof shop>(plain.uri, { types });
  expect(await knowing.price()).toBeInstanceOf(Money);
  expect(await lacking.price()).toBeInstanceOf(UnknownValue);
  expect(await failureOf(other.price())).toMatchObject({ code: "unsupported-value", outcome: "executed" });
  expect(await failureOf(knowing.fail())).toBeInstanceOf(OutOfStock);
  expect(await failureOf(lacking.fail())).toBeInstanceOf(RemoteError);
  expect(await failureOf(other.fail())).toBeInstanceOf(RemoteError);
  expect(connectionOf(knowing).stats()).toMatchObject({ exports: 0, imports: 0 });
});
