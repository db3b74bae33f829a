import { describe, expect, test, vi } from "vitest";
import * as z from "zod";
import { defineContract, implement, method, reference } from "../../src/index.ts";
import { contractPair, type Unbound } from "./pairs.ts";

const wrong = (detail: string) =>
  expect.objectContaining({ code: "invalid-argument", detail: expect.stringContaining(detail) });

describe("defineContract", () => {
  test.each(["then", "constructor", "_hidden", "__proto__"])("refuses the name %s", (name) => {
    expect(() => defineContract(Object.defineProperty({}, name, { enumerable: true, value: method([]) }))).toThrow(
      wrong(name),
    );
  });

  test("refuses what is no method", () => {
    expect(() => defineContract({ add: () => 1 })).toThrow(wrong('"add"'));
    expect(() => defineContract({ add: { params: [] } })).toThrow(wrong('"add"'));
  });
});

describe("method", () => {
  test("refuses what is no schema", () => {
    expect(() => method([z.number(), "number" as never])).toThrow(wrong("parameter 1"));
    expect(() => method([], {} as never)).toThrow(wrong("the result"));
  });

  test("refuses options that make no sense", () => {
    for (const timeoutMs of [0, -1, Number.NaN]) {
      expect(() => method([], undefined, { timeoutMs })).toThrow(wrong("timeoutMs"));
    }
    expect(() => method([], z.number(), { oneway: true })).toThrow(wrong("oneway"));
  });
});

describe("implement", () => {
  const contract = defineContract({ name: method([], z.string()), add: method([z.number()], z.number()) });

  test("names what the implementation lacks", () => {
    expect(() => implement(contract, { name: () => "x" } as never)).toThrow(wrong('"add"'));
    expect(() => implement(contract, undefined as never)).toThrow(wrong("expected an object"));
    expect(() => implement({} as never, {} as never)).toThrow(wrong("defineContract"));
  });

  test("runs no accessor", () => {
    const getter = vi.fn();
    const implementation = Object.defineProperty({ name: () => "x" }, "add", { get: getter });
    expect(() => implement(contract, implementation as never)).toThrow(wrong('"add"'));
    expect(getter).not.toHaveBeenCalled();
  });

  test("calls methods on the implementation, inherited and private ones too", async () => {
    class Base {
      #n = 1;
      add(n: number) {
        this.#n += n;
        return this.#n;
      }
    }
    class Counter extends Base {
      name() {
        return this.constructor.name;
      }
      hidden() {
        return "secret";
      }
    }
    await using served = await contractPair(contract, new Counter());
    expect(await served.bound.add(2)).toBe(3);
    expect(await served.bound.name()).toBe("Counter");
    await expect((served.unbound as Unbound)["hidden"]?.()).rejects.toMatchObject({ code: "not-exposed" });
  });

  test("disposes the implementation when it is disposed", () => {
    const dispose = vi.fn();
    const object = { name: () => "x", add: (n: number) => n, [Symbol.dispose]: dispose };
    (implement(contract, object) as unknown as Disposable)[Symbol.dispose]();
    expect(dispose).toHaveBeenCalledOnce();
  });

  test("refuses a contract where a contract is expected that is none", () => {
    expect(() => reference({} as never)).toThrow(wrong("defineContract"));
  });
});

test("a contract is the allowlist: what it lacks is not-exposed, built-in names too", async () => {
  const contract = defineContract({ ping: method([]) });
  await using served = await contractPair(contract, { ping() {}, secret: () => 1 } as never);
  const prototypes = [Object, Function, Array, Promise, Map, Symbol].map(({ prototype }) => prototype as object);
  const names = new Set(["secret", "", "prototype", "ping ", ...prototypes.flatMap(Object.getOwnPropertyNames)]);
  const answered = new Set(["then", "catch", "finally", "constructor", "prototype", "toString", "valueOf"]);
  for (const name of names) {
    if (answered.has(name)) continue;
    const raw = served.unbound as Unbound;
    await expect(raw[name]?.()).rejects.toMatchObject({ code: "not-exposed", outcome: "not-executed" });
    await expect((served.bound as unknown as Unbound)[name]?.()).rejects.toMatchObject({
      code: "not-exposed",
      outcome: "not-sent",
    });
  }
});
