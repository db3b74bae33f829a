/** Objects that emit events and can be iterated, whose iterators are broken: whoever reads them hears of it. */
import { EventEmitter } from "node:events";
import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { leakCheckedPair } from "../session/pairs.ts";
import { failureOf } from "../session/waiting.ts";

class Broken extends EventEmitter {
  readonly #make: () => unknown;

  constructor(make: () => unknown) {
    super();
    this.#make = make;
  }

  [Symbol.asyncIterator](): AsyncIterator<number> {
    return this.#make() as AsyncIterator<number>;
  }
}

const fails = (message: string) => () => {
  throw new RangeError(message);
};

const broken: readonly (readonly [what: string, make: () => unknown, error: object])[] = [
  ["throws", fails("no iterator"), { remoteName: "RangeError", message: "no iterator" }],
  ["returns nothing", () => undefined, { remoteName: "TypeError", message: expect.stringContaining("not an object") }],
  ["returns no iterator", () => ({}), { remoteName: "TypeError", message: expect.stringContaining("without next()") }],
  [
    "returns a promise",
    async () => {},
    { remoteName: "TypeError", message: expect.stringContaining("without next()") },
  ],
  ["throws in next()", () => ({ next: fails("no item") }), { remoteName: "RangeError", message: "no item" }],
  ["has a next() that gives no step", () => ({ next: () => 5 }), { remoteName: "TypeError" }],
];

describe("an emitter whose [Symbol.asyncIterator]", () => {
  test.each(broken)("%s fails its stream where it is read, as a result", async (_what, make, error) => {
    await using pair = await leakCheckedPair({ add: (a: number, b: number) => a + b, give: () => new Broken(make) });
    const stream = (await pair.front.give()) as never as AsyncIterator<number>;
    expect(await failureOf(stream.next())).toMatchObject({ ...error, outcome: "executed" });
    expect(await stream.next()).toEqual({ done: true, value: undefined });
    expect(await pair.front.add(5, 3)).toBe(8);
  });

  test.each(broken)("%s fails its stream where it is read, as an argument", async (_what, make, error) => {
    const front = {
      take: async (items: AsyncIterable<number>) => {
        const failure = await failureOf(items[Symbol.asyncIterator]().next());
        expect(failure).toMatchObject(error);
        return failure.message;
      },
    };
    await using pair = await leakCheckedPair(front);
    expect(await pair.front.take(new Broken(make))).toEqual(expect.any(String));
  });

  test.each(broken)("%s does no harm in a message that is refused", async (_what, make) => {
    await using pair = await leakCheckedPair({ take: (..._: unknown[]) => {} });
    const emitter = new Broken(make);
    await expect(pair.front.take(emitter, Symbol("no"))).rejects.toMatchObject({ code: "unsupported-value" });
  });

  test.each(broken)("%s does no harm where nobody reads it", async (_what, make) => {
    await using pair = await leakCheckedPair({ give: () => new Broken(make) });
    const stream = (await pair.front.give()) as never as AsyncIterator<number>;
    expect(await stream.return?.()).toEqual({ done: true, value: undefined });
  });

  test("throws in a Readable fails its stream, again when it is sent again", async () => {
    const readable = Object.assign(new Readable({ read() {} }), { [Symbol.asyncIterator]: fails("no iterator") });
    await using pair = await leakCheckedPair({ give: () => readable as never as AsyncIterable<number> });
    for (let i = 0; i < 2; i++) {
      const stream = (await pair.front.give()) as AsyncIterator<number>;
      expect(await failureOf(stream.next())).toMatchObject({ remoteName: "RangeError", message: "no iterator" });
    }
  });
});

test.each([
  ["rejects", async () => fails("no end")()],
  ["throws", fails("no end")],
])("an emitter whose iterator's return() %s does no harm in a message that is refused", async (_what, end) => {
  await using pair = await leakCheckedPair({ take: (..._: unknown[]) => {} });
  const emitter = new Broken(() => ({ next: () => new Promise(() => {}), return: end }));
  await expect(pair.front.take(emitter, Symbol("no"))).rejects.toMatchObject({ code: "unsupported-value" });
});
