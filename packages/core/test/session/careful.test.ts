/** What a careless program, or a clever one, must not be able to break: each was broken once. */
import { describe, expect, test } from "vitest";
import { ByReference, connectionOf, currentCall, perCall, perSession, withOptions } from "../../src/index.ts";
import { leakCheckedPair } from "./pairs.ts";

test("a method's synchronous part is never interrupted by another call", async () => {
  let count = 0;
  const steps: string[] = [];
  const front = {
    async add(name: string, tell: () => unknown) {
      const before = count;
      steps.push(`${name} in`);
      void Promise.resolve(tell()).catch(() => {});
      count = before + 1;
      steps.push(`${name} out`);
      return count;
    },
  };
  await using pair = await leakCheckedPair(front, { service: { limits: { maxRunningCalls: 1 } } });
  const tell = async () => {};
  const counts = await Promise.all(["a", "b", "c"].map((name) => pair.front.add(name, tell)));
  expect(counts).toEqual([1, 2, 3]);
  expect(steps).toEqual(["a in", "a out", "b in", "b out", "c in", "c out"]);
});

describe("a call that is held back and can't be sent fails alone:", () => {
  test.each<[what: string, options: { context: Record<string, string> } | undefined, method: string, size: number]>([
    ["its context", { context: { user: 1 as unknown as string } }, "echo", 1],
    ["its name", undefined, "n".repeat(300), 1],
    ["its size", undefined, "echo", 100_000],
  ])("%s", async (_what, options, method, size) => {
    let open = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const limits = { maxRunningCalls: 1, maxQueuedCalls: 1, maxMessageBytes: 100_000 };
    const front = { wait: () => gate, echo: (text: string) => text };
    await using pair = await leakCheckedPair(front, { service: { limits } });
    const waiting = [pair.front.wait(), pair.front.wait()];
    const view = options ? withOptions(pair.front, options) : pair.front;
    const bad = (view as unknown as Record<string, (text: string) => Promise<string>>)[method]?.("x".repeat(size));
    const good = pair.front.echo("good");
    await expect(bad).rejects.toMatchObject({ outcome: "not-sent" });
    open();
    await Promise.all(waiting);
    expect(await good).toBe("good");
  });
});

test("a value that ends the session while it is sent fails its call, and everything settles", async () => {
  await using pair = await leakCheckedPair({ take: (_value: unknown) => 1 });
  const trap = new Proxy(
    {},
    {
      ownKeys: () => {
        void pair.connection.close();
        return [];
      },
    },
  );
  await expect(pair.front.take(trap)).rejects.toMatchObject({ code: "closed", outcome: "not-sent" });
  expect(await pair.connection.closed).toMatchObject({ code: "closed", by: "us" });
});

test("what was refused before it left, or before it was decoded, is not disposed", async () => {
  let disposed = 0;
  class Upload extends ByReference {
    [Symbol.dispose]() {
      disposed++;
    }
  }
  await using pair = await leakCheckedPair({ take: (_upload: unknown, _more?: unknown) => {} });
  const upload = new Upload();
  await expect(pair.front.take(upload, Symbol("no"))).rejects.toMatchObject({ code: "unsupported-value" });
  const missing = pair.front as unknown as { missing(upload: unknown): Promise<void> };
  await expect(missing.missing(upload)).rejects.toMatchObject({ code: "not-exposed" });
  expect(disposed).toBe(0);
  await pair.front.take(upload);
  await pair.assertEmpty();
  expect(disposed).toBe(1);
});

test("a call given up while somebody decides about it never runs", async () => {
  let decide = (_yes: boolean) => {};
  let ran = 0;
  const front = { act: () => void ran++ };
  const decision = new Promise<boolean>((resolve) => {
    decide = resolve;
  });
  const authorize = [({ method }: { method: string }) => (method === "act" ? decision : true)];
  await using pair = await leakCheckedPair(front, { service: { authorize } });
  const controller = new AbortController();
  const call = withOptions(pair.front, { signal: controller.signal }).act();
  await expect.poll(() => pair.session.stats().runningCalls).toBe(1);
  controller.abort();
  await expect(call).rejects.toMatchObject({ code: "cancelled" });
  // Answered behind the cancellation.
  await expect(pair.connection.lookup("nothing")).rejects.toMatchObject({ code: "not-found" });
  decide(true);
  await pair.assertEmpty();
  expect(ran).toBe(0);
});

test("a relayed call takes its signal, its deadline and its context along", async () => {
  class Far extends ByReference {
    look() {
      const { deadline, context } = currentCall();
      return { hasDeadline: deadline !== undefined, context: { ...context } };
    }
  }
  await using origin = await leakCheckedPair({ far: () => new Far() });
  const reader = {
    read: (far: { look(): Promise<unknown> }) =>
      withOptions(far, { timeoutMs: 10_000, context: { trace: "7" } }).look(),
  };
  await using third = await leakCheckedPair(reader);
  expect(await third.front.read(await origin.front.far())).toEqual({ hasDeadline: true, context: { trace: "7" } });
});

test("while a service drains, a callback may call it back after an await", async () => {
  const front = { outer: async (inner: () => Promise<string>) => `outer ${await inner()}`, inner: () => "inner" };
  await using pair = await leakCheckedPair(front);
  let drained: Promise<void> = Promise.resolve();
  const call = pair.front.outer(async () => {
    drained = pair.service.drain();
    await Promise.resolve();
    return pair.front.inner();
  });
  expect(await call).toBe("outer inner");
  await drained;
});

test("a factory that throws, or never finishes, leaves nothing waiting", async () => {
  const settled: string[] = [];
  const factory = perSession((session) => {
    void session.closed.then(() => settled.push("closed"));
    session
      .front<{ hi(): void }>()
      .hi()
      .catch(({ outcome }) => settled.push(outcome));
    throw new Error("no front today");
  });
  await expect(leakCheckedPair(factory)).rejects.toMatchObject({ code: "internal", outcome: "not-sent" });
  await expect.poll(() => settled.toSorted()).toEqual(["closed", "not-sent"]);
});

test("what perCall makes too late is disposed all the same", async () => {
  let made = (_front: object) => {};
  let disposed = 0;
  const making = new Promise<{ run(): void }>((resolve) => {
    made = resolve as typeof made;
  });
  const front = perCall(() => making);
  await using pair = await leakCheckedPair(front);
  const failure = expect(pair.front.run()).rejects.toMatchObject({ code: "closed", outcome: "unknown" });
  await expect.poll(() => pair.session.stats().runningCalls).toBe(1);
  await pair.connection.close();
  await failure;
  made({ run() {}, [Symbol.dispose]: () => void disposed++ });
  await expect.poll(() => disposed).toBe(1);
});

test("of an error's properties only those are left out that can't travel", async () => {
  const response = new (class Response {})();
  const fail = () => {
    throw Object.assign(new (class HttpError extends Error {})("503", { cause: new Error("down") }), {
      status: 503,
      response,
    });
  };
  await using pair = await leakCheckedPair({ fail });
  const error = await pair.front.fail().catch((failure: unknown) => failure);
  expect(error).toMatchObject({ remoteName: "HttpError", data: { status: 503 }, cause: { message: "down" } });
  expect((error as { data: object }).data).not.toHaveProperty("response");
  expect(connectionOf(pair.front).state).toBe("open");
});
