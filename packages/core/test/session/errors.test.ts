import { describe, expect, test } from "vitest";
import { turns } from "../../../conformance/src/index.ts";
import { ByReference, isRemote, RemoteError, RpcError } from "../../src/index.ts";
import { leakCheckedPair, places } from "./pairs.ts";
import { failureOf, gate, until } from "./waiting.ts";

class InsufficientFunds extends Error {
  override readonly name = "InsufficientFunds";
  readonly missing: number;
  readonly code = "E_FUNDS";
  readonly nothing = undefined;

  constructor(missing: number, options?: ErrorOptions) {
    super(`missing ${missing}`, options);
    this.missing = missing;
  }
}

/** A front whose `fail` throws what the test gives it. */
const thrower = (thrown: unknown) => ({
  fail: (): unknown => {
    throw thrown;
  },
  failLater: async (): Promise<unknown> => {
    throw thrown;
  },
});

describe.each(places)("what a method throws, over $place,", ({ at }) => {
  test("arrives as a RemoteError with its name, message, code, cause and data", async () => {
    const cause = new TypeError("the account is new");
    await using pair = await leakCheckedPair(thrower(new InsufficientFunds(10, { cause })), {}, at);
    for (const call of [pair.front.fail(), pair.front.failLater()]) {
      const error = await failureOf(call);
      expect(error).toBeInstanceOf(RemoteError);
      expect(error).toMatchObject({
        name: "RemoteError",
        remoteName: "InsufficientFunds",
        message: "missing 10",
        code: "E_FUNDS",
        outcome: "executed",
        data: { missing: 10 },
      });
      expect(error.cause).toBeInstanceOf(TypeError);
      expect(error.cause).toMatchObject({ message: "the account is new" });
    }
  });
});

describe("what a method throws", () => {
  test("arrives without its stack, nor that of its cause, nor a word of where it was thrown", async () => {
    class Detailed extends Error {
      readonly where = "here";
    }
    const thrown = new Detailed("no", { cause: new Error("inner") });
    await using pair = await leakCheckedPair(thrower(thrown));
    const error = (await failureOf(pair.front.fail())) as RemoteError;
    expect(error.stack).not.toContain("errors.test.ts");
    expect(error.data).toEqual({ where: "here" });
    const cause = error.cause as Error;
    expect(`${cause.stack}`).not.toContain("errors.test.ts");
  });

  test("is shown by its own stack at the caller, which names the error and not its remote origin", async () => {
    await using pair = await leakCheckedPair(thrower(new RangeError("too far")));
    const error = await failureOf(pair.front.fail());
    expect(error).toMatchObject({ remoteName: "RangeError", message: "too far" });
    expect(error).not.toHaveProperty("data");
    expect(error).not.toHaveProperty("code");
    expect("cause" in error).toBe(false);
  });

  test.each([
    ["a string", "just text", "just text"],
    ["a number", 42, "a value of type number was thrown"],
    ["null", null, "a value of type null was thrown"],
    ["undefined", undefined, "a value of type undefined was thrown"],
    ["an object", { status: 404 }, "a value of type object was thrown"],
    ["a bigint", 5n, "a value of type bigint was thrown"],
  ])("and is no Error (%s) arrives in data, with remoteName ''", async (_what, thrown, message) => {
    await using pair = await leakCheckedPair(thrower(thrown));
    for (const call of [pair.front.fail(), pair.front.failLater()]) {
      const error = await failureOf(call);
      expect(error).toBeInstanceOf(RemoteError);
      expect(error).toMatchObject({ remoteName: "", message });
      expect((error as RemoteError).data).toEqual(thrown);
    }
  });

  test("an RpcError that it let through is a RemoteError as well: it was executed", async () => {
    await using pair = await leakCheckedPair(thrower(new RpcError("timeout", "the database sleeps", "not-sent")));
    const error = await failureOf(pair.front.failLater());
    expect(error).toBeInstanceOf(RemoteError);
    expect(error).toMatchObject({
      remoteName: "RpcError",
      code: "timeout",
      outcome: "executed",
      message: "timeout: the database sleeps",
      data: { outcome: "not-sent" },
    });
  });

  test("a RemoteError of a further process is passed on as what it says", async () => {
    await using far = await leakCheckedPair(thrower(new InsufficientFunds(3)));
    await using near = await leakCheckedPair({ relay: () => far.front.fail() });
    const error = await failureOf(near.front.relay());
    expect(error).toMatchObject({ message: "missing 3", code: "E_FUNDS", data: { data: { missing: 3 } } });
  });

  test("an AggregateError keeps its errors", async () => {
    await using pair = await leakCheckedPair(thrower(new AggregateError([new Error("a"), new TypeError("b")], "both")));
    const error = (await failureOf(pair.front.fail())) as RemoteError;
    expect(error).toMatchObject({ remoteName: "AggregateError", message: "both" });
    const { errors } = error.data as { errors: Error[] };
    expect(errors.map((each) => each.message)).toEqual(["a", "b"]);
    expect(errors[1]).toBeInstanceOf(TypeError);
  });

  test("may hold references, which the caller then holds", async () => {
    class Retry extends ByReference {
      again(): string {
        return "again";
      }
    }
    await using pair = await leakCheckedPair(thrower(Object.assign(new Error("busy"), { retry: new Retry() })));
    const error = (await failureOf(pair.front.fail())) as RemoteError;
    using retry = (error.data as { retry: Disposable & { again(): Promise<string> } }).retry;
    expect(isRemote(retry)).toBe(true);
    expect(await retry.again()).toBe("again");
  });

  test("loses what of it can't be sent, and nothing else: first its cause, then its data", async () => {
    const unsendable = Object.assign(new Error("kept"), { code: 7, ok: 1 });
    await using causeless = await leakCheckedPair(thrower(Object.assign(unsendable, { cause: new WeakMap() })));
    const first = (await failureOf(causeless.front.fail())) as RemoteError;
    expect(first).toMatchObject({ message: "kept", code: 7, data: { ok: 1 } });
    expect("cause" in first).toBe(false);
    await using dataless = await leakCheckedPair(
      thrower(Object.assign(new Error("kept"), { code: 7, ok: new WeakMap() })),
    );
    const second = (await failureOf(dataless.front.fail())) as RemoteError;
    expect(second).toMatchObject({ message: "kept", code: 7 });
    expect(second.data).toBeUndefined();
  });

  test("and fails at describing itself still arrives", async () => {
    const hostile = new Error("x");
    Object.defineProperty(hostile, "message", {
      get() {
        throw new Error("not even that");
      },
    });
    Object.defineProperty(hostile, "name", {
      get() {
        throw new Error("not even that");
      },
    });
    await using pair = await leakCheckedPair(thrower(hostile));
    expect(await failureOf(pair.front.fail())).toMatchObject({ remoteName: "Error", message: "" });
  });

  test("a code that is neither text nor number stays with the data", async () => {
    await using pair = await leakCheckedPair(thrower(Object.assign(new Error("x"), { code: { deep: true } })));
    const error = (await failureOf(pair.front.fail())) as RemoteError;
    expect(error.code).toBeUndefined();
    expect(error.data).toEqual({ code: { deep: true } });
  });

  test("by any name makes a RemoteError: a name selects no class", async () => {
    for (const name of ["RpcError", "Function", "constructor", "__proto__", "TypeError", "Promise"]) {
      await using pair = await leakCheckedPair(thrower(Object.assign(new Error("x"), { name })));
      const error = (await failureOf(pair.front.fail())) as RemoteError;
      expect(error.constructor).toBe(RemoteError);
      expect(error.remoteName).toBe(name);
    }
  });
});

describe("an error's name", () => {
  class TooFar extends RangeError {}
  class Named extends RangeError {
    static {
      Object.defineProperty(Named.prototype, "name", { value: "shop.Named", writable: true });
    }
  }
  class Computed extends TypeError {
    override get name(): string {
      return `Computed ${this.message}`;
    }
  }

  test.each<[string, Error, string]>([
    ["its class where it says nothing of itself", new TooFar("x"), "TooFar"],
    ["a built-in where its class has no name", new (class extends RangeError {})("x"), "RangeError"],
    ["what its class calls it", new Named("x"), "shop.Named"],
    ["what its class computes", new Computed("x"), "Computed x"],
    ["what it calls itself", Object.assign(new Named("x"), { name: "own" }), "own"],
    ["what it calls itself, be it as a built-in", Object.assign(new TooFar("x"), { name: "RangeError" }), "RangeError"],
    ["its own class, a built-in", new RangeError("x"), "RangeError"],
  ])("is %s, thrown or passed as a value", async (_what, error, name) => {
    await using pair = await leakCheckedPair({ ...thrower(error), give: () => error });
    expect(await failureOf(pair.front.fail())).toMatchObject({ remoteName: name, message: "x" });
    expect(await pair.front.give()).toMatchObject({ name, message: "x" });
  });
});

describe("a result that can't be sent", () => {
  test.each([
    ["a class instance", () => new (class Plain {})()],
    ["a symbol", () => Symbol("x")],
    ["a promise inside data", () => ({ later: Promise.resolve(1) })],
    ["an object with a function named then", () => ({ deep: { [`${"then"}`]: () => {} } })],
    ["a WeakMap", () => new WeakMap()],
  ])("%s is unsupported-value, executed, and counts no holds", async (_what, make) => {
    let made = 0;
    class Thing extends ByReference {}
    await using pair = await leakCheckedPair({
      give: () => {
        made++;
        return [new Thing(), make()];
      },
    });
    await expect(pair.front.give()).rejects.toMatchObject({ code: "unsupported-value", outcome: "executed" });
    expect(made).toBe(1);
    expect(pair.session.stats().exports).toBe(0);
  });
});

describe("a failed call that nobody waits for", () => {
  const refusals: Record<string, (front: { take(value: unknown): Promise<unknown> }) => Promise<unknown>> = {
    "because its method threw": (front) => front.take("throw"),
    "because its argument can't be sent": (front) => front.take(Symbol("x")),
  };

  test.each(Object.keys(refusals))("%s is told to onError, once", async (why) => {
    await using pair = await leakCheckedPair({
      take: (value: unknown) => {
        if (value === "throw") throw new Error("thrown");
      },
    });
    void refusals[why]?.(pair.front);
    await until(() => pair.reported.connection.length > 0);
    await turns(3);
    expect(pair.takeReported().connection).toHaveLength(1);
  });

  test("because the connection ended is told to onError", async () => {
    const door = gate();
    await using pair = await leakCheckedPair({ wait: () => door.opened });
    void pair.front.wait();
    void pair.front.wait();
    await until(() => pair.session.stats().runningCalls === 2);
    pair.session.close();
    await until(() => pair.reported.connection.length === 2);
    const errors = pair.takeReported().connection;
    expect(errors).toEqual([
      expect.objectContaining({ code: "closed", outcome: "unknown" }),
      expect.objectContaining({ code: "closed", outcome: "unknown" }),
    ]);
    door.open();
  });

  test("of the service's own, is told to the service's onError", async () => {
    await using pair = await leakCheckedPair({
      notify: (callback: (word: string) => void) => {
        void callback("hello");
      },
    });
    await pair.front.notify(() => {
      throw new Error("nobody hears");
    });
    await until(() => pair.reported.service.length > 0);
    expect(pair.takeReported().service).toEqual([expect.objectContaining({ message: "nobody hears" })]);
  });

  test("does not break when onError itself throws", async () => {
    await using pair = await leakCheckedPair({ fail: () => Promise.reject(new Error("x")), add: () => 1 });
    pair.reported.connection.push = () => {
      throw new Error("a listener that throws");
    };
    void pair.front.fail();
    await turns(5);
    expect(await pair.front.add()).toBe(1);
  });
});

describe("a failed call that somebody waits for never reaches onError", () => {
  const fail = thrower(new Error("thrown")).failLater;

  test.each<[string, (call: Promise<unknown>) => Promise<unknown>]>([
    ["by await", async (call) => await call],
    ["by then with two functions", (call) => call.then(undefined, (error) => Promise.reject(error))],
    ["by catch", (call) => call.catch((error) => Promise.reject(error))],
    ["by finally", (call) => call.finally(() => {})],
    ["by Promise.all", (call) => Promise.all([call])],
    ["by Promise.race", (call) => Promise.race([call])],
    ["by Promise.any", (call) => Promise.any([call])],
    ["by Promise.resolve", (call) => Promise.resolve(call).then()],
    ["by returning it from an async function", (call) => (async () => call)()],
    ["by resolving a promise with it", (call) => new Promise((resolve) => resolve(call))],
  ])("%s", async (_how, wait) => {
    await using pair = await leakCheckedPair({ fail });
    await failureOf(wait(pair.front.fail()));
    await turns(3);
    expect(pair.reported.connection).toEqual([]);
  });

  test("by Promise.allSettled", async () => {
    await using pair = await leakCheckedPair({ fail });
    const [settled] = await Promise.allSettled([pair.front.fail()]);
    expect(settled?.status).toBe("rejected");
    await turns(3);
    expect(pair.reported.connection).toEqual([]);
  });

  test("while it can't be sent, as soon as in the same turn", async () => {
    await using pair = await leakCheckedPair({ take: (_value: unknown) => {} });
    const call = pair.front.take(Symbol("x"));
    await Promise.resolve();
    await expect(call).rejects.toMatchObject({ code: "unsupported-value" });
    await turns(3);
    expect(pair.reported.connection).toEqual([]);
  });
});

describe("the promise of a call", () => {
  test("is a native promise", async () => {
    await using pair = await leakCheckedPair({ add: (a: number, b: number) => a + b });
    const call = pair.front.add(5, 3);
    expect(call).toBeInstanceOf(Promise);
    expect(Object.prototype.toString.call(call)).toBe("[object Promise]");
    expect(Promise.resolve(call)).toBe(call);
    expect(call.then()).toBeInstanceOf(Promise);
    expect(await call).toBe(8);
  });

  test("of a refused call is made all the same: a sender's refusal rejects, it never throws", async () => {
    await using pair = await leakCheckedPair({ take: (_value: unknown) => {} });
    let call: Promise<unknown> | undefined;
    expect(() => {
      call = pair.front.take(Symbol("x"));
    }).not.toThrow();
    await failureOf(call as Promise<unknown>);
  });
});
