import { describe, expect, test } from "vitest";
import { byReference, currentCall, oneway, type Remote, RpcError, withOptions } from "../../src/index.ts";
import { leakCheckedPair, places } from "./pairs.ts";
import { gate, until } from "./waiting.ts";

class Log {
  readonly lines: string[] = [];
  readonly released = gate();

  write(line: string): string {
    this.lines.push(line);
    return line;
  }

  fail(): void {
    throw new TypeError("the disk is full");
  }

  async hang(): Promise<void> {
    await this.released.opened;
  }

  keep(_object: object): object {
    return byReference({ made: "for nobody" });
  }

  context(): void {
    this.lines.push(JSON.stringify(currentCall().context));
  }
}

describe.each(places)("oneway calls over $place", ({ at }) => {
  test("are fulfilled with nothing, before the method has run", async () => {
    const log = new Log();
    await using pair = await leakCheckedPair(log, {}, at);
    const accepted: undefined = (await oneway(pair.front).write("one")) as undefined;
    expect(accepted).toBeUndefined();
    expect(log.lines).toEqual([]);
    await until(() => log.lines.length === 1);
  });

  test("keep their order among others, and are held to what the peer takes", async () => {
    const log = new Log();
    const limits = { maxRunningCalls: 2, maxQueuedCalls: 3 };
    await using pair = await leakCheckedPair(log, { service: { limits } }, at);
    const accepted: Promise<unknown>[] = [];
    for (let i = 0; i < 60; i++) {
      accepted.push(i % 3 === 0 ? pair.front.write(`line ${i}`) : oneway(pair.front).write(`line ${i}`));
    }
    await Promise.all(accepted);
    await pair.front.write("last");
    expect(log.lines).toEqual([...Array.from({ length: 60 }, (_, i) => `line ${i}`), "last"]);
  });

  test("tell onError of the caller what they failed with", async () => {
    await using pair = await leakCheckedPair(new Log(), {}, at);
    await oneway(pair.front).fail();
    await oneway(pair.front as unknown as Remote<{ nothing(): void }>).nothing();
    await until(() => pair.reported.connection.length === 2);
    expect(pair.takeReported().connection).toMatchObject([
      { remoteName: "TypeError", message: "the disk is full" },
      { code: "not-exposed", outcome: "not-executed" },
    ]);
  });

  test("bring no result along, and leave no hold behind", async () => {
    await using pair = await leakCheckedPair(new Log(), {}, at);
    await oneway(pair.front).keep(byReference({ mine: true }));
    await pair.front.write("behind it");
    expect(pair.session.stats().exports).toBe(0);
  });
});

test("a oneway call that cannot be sent rejects", async () => {
  await using pair = await leakCheckedPair(new Log());
  await expect(oneway(pair.front).write(Symbol("no") as never)).rejects.toMatchObject({
    code: "unsupported-value",
    outcome: "not-sent",
  });
});

test("a oneway view keeps its options, and a view with options stays oneway", async () => {
  const log = new Log();
  await using pair = await leakCheckedPair(log);
  await oneway(withOptions(pair.front, { context: { a: "1" } })).context();
  await withOptions(oneway(pair.front), { context: { b: "2" } }).context();
  await until(() => log.lines.length === 2);
  expect(log.lines).toEqual(['{"a":"1"}', '{"b":"2"}']);
});

test("oneway calls that run count as running, so that a service drains after them", async () => {
  const log = new Log();
  await using pair = await leakCheckedPair(log);
  await oneway(pair.front).hang();
  await until(() => pair.session.stats().runningCalls === 1);
  const drained = pair.service.drain();
  log.released.open();
  await drained;
  expect((await pair.session.closed).code).toBe("drained");
});

test("oneway calls that were accepted leave before an orderly end", async () => {
  const log = new Log();
  await using pair = await leakCheckedPair(log);
  for (let i = 0; i < 5; i++) await oneway(pair.front).write(`line ${i}`);
  await pair.connection.close();
  await until(() => pair.session.state === "closed");
  expect(log.lines).toHaveLength(5);
});

test("a oneway call that is accepted is not reported when its session ends", async () => {
  await using pair = await leakCheckedPair(new Log());
  await oneway(pair.front).hang();
  await pair.connection.close();
  expect(pair.reported.connection).toEqual([]);
});

test("oneway of what is no stub is refused", () => {
  expect(() => oneway({} as Remote<object>)).toThrow(RpcError);
});
