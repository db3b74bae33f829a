import { type ConnectOptions, connect, type RpcError, type ServiceOptions, startService } from "farref";
import { expectTypeOf, test } from "vitest";

test("what is planned has its type already", () => {
  expectTypeOf<ServiceOptions["resumeMs"]>().toEqualTypeOf<number | undefined>();
  expectTypeOf<{ resumeMs: number }>().toExtend<ServiceOptions>();
  expectTypeOf<{ reconnect: boolean }>().toExtend<ConnectOptions>();
  expectTypeOf<{ reconnect: { initialMs: number; maxMs: number; giveUpMs: number } }>().toExtend<ConnectOptions>();
  expectTypeOf<{ reconnect: { giveUpMs: string } }>().not.toExtend<ConnectOptions>();
});

test("onError hears errors, of which an RpcError is one", () => {
  expectTypeOf<Parameters<NonNullable<ConnectOptions["onError"]>>>().toEqualTypeOf<[error: Error]>();
  expectTypeOf<RpcError>().toExtend<Error>();
});

test("an option that there is not does not compile", () => {
  // @ts-expect-error: credentials
  void connect("memory:types", { credential: undefined });
  // @ts-expect-error: limits
  void startService("memory:types", {}, { limit: {} });
});
