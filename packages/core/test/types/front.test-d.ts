import { expectTypeOf, test } from "vitest";
import {
  type Front,
  type FrontOf,
  type PerCall,
  type PerSession,
  perCall,
  perSession,
  type Service,
} from "../../src/index.ts";

declare function startService<F extends object>(where: string, front?: Front<F>): Promise<Service<F>>;

class Maker {
  async make(_session: unknown) {
    return { part: 1 };
  }
}

test("a service knows its front's type, however the front is made", () => {
  expectTypeOf(startService("", new Maker())).resolves.toExtend<Service<Maker>>();
  const shared = startService("", new Maker());
  expectTypeOf<FrontOf<Awaited<typeof shared>>>().toEqualTypeOf<Maker>();
  const own = startService(
    "",
    perSession(() => new Maker()),
  );
  expectTypeOf<FrontOf<Awaited<typeof own>>>().toEqualTypeOf<Maker>();
  const fresh = startService(
    "",
    perCall(async () => new Maker()),
  );
  expectTypeOf<FrontOf<Awaited<typeof fresh>>>().toEqualTypeOf<Maker>();
});

test("a class of the program's is never taken for a factory of fronts", () => {
  expectTypeOf<Maker>().not.toExtend<PerSession<object>>();
  expectTypeOf<Maker>().not.toExtend<PerCall<object>>();
});
