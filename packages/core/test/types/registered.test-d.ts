import { describe, expectTypeOf, test } from "vitest";
import type { Remote } from "../../src/types/remote.ts";
import { registerError, registerValue } from "../../src/values/register.ts";
import type { UnknownValue } from "../../src/values/unknown-values.ts";
import type { ValueType } from "../../src/values/value-type.ts";

class Distance {
  readonly #metres: number;
  constructor(metres: number) {
    this.#metres = metres;
  }
  get metres(): number {
    return this.#metres;
  }
  plus(other: Distance): Distance {
    return new Distance(this.#metres + other.metres);
  }
}

class Lost extends Error {
  readonly at: Distance;
  constructor(at: Distance, ..._others: unknown[]) {
    super();
    this.at = at;
  }
}

declare module "../../src/types/remote.ts" {
  interface RegisteredValues {
    distance: Distance;
    lost: Lost;
  }
}

/** The program text here is only compiled. */
function given<T>(): T {
  return undefined as T;
}

describe("registerValue", () => {
  test("knows the class in pack, and nothing of the data in unpack", () => {
    const type = registerValue(Distance, {
      name: "distance",
      pack(value) {
        expectTypeOf(value).toEqualTypeOf<Distance>();
        return value.metres;
      },
      unpack(data) {
        expectTypeOf(data).toBeUnknown();
        return new Distance(Number(data));
      },
    });
    expectTypeOf(type).toEqualTypeOf<ValueType>();
  });

  test("infers what the class is packed into", () => {
    const register = registerValue<Distance, { readonly m: number }>;
    expectTypeOf(register).parameter(1).toHaveProperty("pack").returns.toEqualTypeOf<{ readonly m: number }>();
    const inferred = (() =>
      registerValue(
        Distance,
        given<{ name: string; pack(value: Distance): Date; unpack(data: unknown): Distance }>(),
      ))();
    expectTypeOf(inferred).toEqualTypeOf<ValueType>();
  });

  test("takes classes that can't be made from outside, and generic ones", () => {
    abstract class Shape {
      abstract area(): number;
    }
    class Point {
      private constructor() {}
      static origin = new Point();
    }
    class Pair<T> {
      readonly both: readonly [T, T];
      constructor(one: T, other: T) {
        this.both = [one, other];
      }
    }
    registerValue(Shape, { name: "shape", pack: (shape) => shape.area(), unpack: () => given<Shape>() });
    registerValue(Point, { name: "point", pack: () => null, unpack: () => Point.origin });
    registerValue(Pair, { name: "pair", pack: ({ both }) => both, unpack: () => new Pair(1, 2) });
  });

  test("refuses what would not make one of the class", () => {
    // @ts-expect-error no Distance
    registerValue(Distance, { name: "distance", pack: ({ metres }) => metres, unpack: () => "far" });
    // @ts-expect-error a promise of one
    registerValue(Distance, { name: "distance", pack: ({ metres }) => metres, unpack: async () => new Distance(1) });
    // @ts-expect-error data is unknown
    registerValue(Distance, { name: "distance", pack: ({ metres }) => metres, unpack: (data) => new Distance(data) });
    // @ts-expect-error no such property
    registerValue(Distance, { name: "distance", pack: ({ miles }) => miles, unpack: () => new Distance(1) });
    // @ts-expect-error without a name
    registerValue(Distance, { pack: ({ metres }) => metres, unpack: () => new Distance(1) });
    // @ts-expect-error no class
    registerValue(new Distance(1), { name: "distance", pack: () => 1, unpack: () => new Distance(1) });
  });
});

describe("registerError", () => {
  test("takes classes of errors with any constructor", () => {
    expectTypeOf(registerError(Lost)).toEqualTypeOf<ValueType>();
    registerError(Lost, { name: "lost", fields: ["at"] });
    registerError(RangeError);
    // @ts-expect-error no class of errors
    registerError(Distance);
    // @ts-expect-error fields are names
    registerError(Lost, { fields: [1] });
  });
});

describe("a class named in RegisteredValues", () => {
  interface Map {
    between(from: string, to: string): Distance;
    all(): readonly { readonly distance: Distance }[];
    by(name: string): Promise<ReadonlyMap<string, Distance>>;
    measure(distance: Distance): number;
    last(): Lost | undefined;
    unknown(): UnknownValue;
  }
  type Far = Remote<Map>;

  test("arrives as what it is, and is given as what it is", () => {
    expectTypeOf<Far["between"]>().returns.resolves.toEqualTypeOf<Distance>();
    expectTypeOf<Far["all"]>().returns.resolves.toEqualTypeOf<readonly { readonly distance: Distance }[]>();
    expectTypeOf<Far["by"]>().returns.resolves.toEqualTypeOf<ReadonlyMap<string, Distance>>();
    expectTypeOf<Far["measure"]>().parameters.toEqualTypeOf<[distance: Distance]>();
    expectTypeOf<Far["last"]>().returns.resolves.toEqualTypeOf<Lost | undefined>();
    expectTypeOf<Far["unknown"]>().returns.resolves.toEqualTypeOf<UnknownValue>();
  });
});
