import { expectTypeOf, test } from "vitest";
import { ByReference, type Down, monitor, type Remote, type RpcError, revoke } from "../../src/index.ts";

class Guest extends ByReference {
  name(): string {
    return "guest";
  }
}

declare const guest: Remote<Guest>;
declare const greet: Remote<(name: string) => string>;

test("a monitor takes any stub, and returns what stops it", () => {
  expectTypeOf(monitor(guest, () => {})).toEqualTypeOf<() => void>();
  monitor(greet, ({ reason, error }) => {
    expectTypeOf(reason).toEqualTypeOf<"released" | "disposed" | "session-lost" | "closed">();
    expectTypeOf(error).toEqualTypeOf<RpcError | undefined>();
  });
  // @ts-expect-error a primitive is no stub
  monitor("guest", () => {});
  // @ts-expect-error it would never be told
  monitor(guest);
});

test("what a monitor tells can be made by hand, with an error or without", () => {
  expectTypeOf<{ reason: "released" }>().toExtend<Down>();
  expectTypeOf<{ reason: "closed"; error: undefined }>().toExtend<Down>();
  expectTypeOf<{ reason: "gone" }>().not.toExtend<Down>();
});

test("revoke takes the object, in whatever form it is offered, and returns nothing", () => {
  expectTypeOf(revoke(new Guest())).toEqualTypeOf<void>();
  expectTypeOf(revoke).parameter(0).toEqualTypeOf<object>();
});
