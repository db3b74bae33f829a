import { describe, expect, test, vi } from "vitest";
import { expose } from "../src/expose.ts";

describe("expose", () => {
  test("offers the named methods of a built-in, bound to it", () => {
    const map = new Map([["a", 1]]);
    const exposed = expose(map, ["get", "set"]);
    exposed.set("b", 2);
    expect(map.get("b")).toBe(2);
    expect(Object.keys(exposed)).toEqual(["get", "set"]);
  });

  test.each([["then"], ["constructor"], ["_private"], ["missing"], ["size"], ["__proto__"]])("refuses %s", (name) => {
    class Odd extends Map {
      // biome-ignore lint/suspicious/noThenProperty: it is what must be refused.
      then() {}
      _private() {}
    }
    expect(() => expose(new Odd(), [name as "get"])).toThrow(
      expect.objectContaining({ code: "invalid-argument", detail: expect.stringContaining(name) }),
    );
  });

  test("runs no accessor to find a method", () => {
    const getter = vi.fn();
    const object = Object.defineProperty({}, "sneaky", { get: getter });
    expect(() => expose(object, ["sneaky" as never])).toThrow("not a method");
    expect(getter).not.toHaveBeenCalled();
  });

  test("disposes what it exposes", () => {
    const dispose = vi.fn();
    const exposed = expose({ ping: () => 1, [Symbol.dispose]: dispose }, ["ping"]);
    (exposed as unknown as Disposable)[Symbol.dispose]();
    expect(dispose).toHaveBeenCalledOnce();
  });
});
