/** `maxExports` and `maxImports` at the ends where the suite of tables does not look. */
import { describe, expect, test } from "vitest";
import { ByReference, type Remote, release } from "../../src/index.ts";
import { leakCheckedPair } from "../session/pairs.ts";
import { helloLimits, RawReference } from "../session/raw-peer.ts";
import { until } from "../session/waiting.ts";
import { rawClient, rawServer } from "./worlds.ts";

class Thing extends ByReference {
  work(): string {
    return "worked";
  }
}
const maker = { thing: () => new Thing(), things: (count: number) => Array.from({ length: count }, () => new Thing()) };

describe("limits.maxExports", () => {
  test("of the service binds it to a peer that never releases: three are made, the fourth is refused", async () => {
    await using world = await rawClient(maker, { limits: { maxExports: 3 } });
    for (let id = 1; id <= 3; id++) {
      world.raw.call(id, 0, "thing");
      expect(await world.raw.nextResult()).toMatchObject({ callId: id, references: [id] });
    }
    world.raw.call(4, 0, "thing");
    expect(await world.raw.nextError()).toMatchObject({
      callId: 4,
      parts: ["limit-exceeded", expect.stringContaining("limits.maxExports is 3"), "executed"],
    });
    expect(world.session.stats().exports).toBe(3);
    world.raw.call(5, 1, "work");
    expect(await world.raw.nextResult()).toMatchObject({ callId: 5, value: "worked" });
    {
      using _own = await (world.pair.front as unknown as Remote<typeof maker>).thing();
      expect(await world.othersAreWell()).toBe(true);
    }
    world.raw.release(1, 1);
    world.raw.call(6, 0, "thing");
    expect(await world.raw.nextResult()).toMatchObject({ callId: 6, references: [4] });
  });

  test("count nothing of a result that passes them by one", async () => {
    await using pair = await leakCheckedPair(maker, { service: { limits: { maxExports: 3 } } });
    await expect(pair.front.things(4)).rejects.toMatchObject({ code: "limit-exceeded", outcome: "executed" });
    expect(pair.session.stats().exports).toBe(0);
    for (const thing of await pair.front.things(3)) release(thing);
  });

  test("of a client bind it to a server that never releases the callbacks it was given", async () => {
    await using world = await rawServer<{ keep(f: () => void): void }>({ limits: { maxExports: 2 } });
    for (let i = 0; i < 2; i++) {
      const kept = world.remote.keep(() => {});
      world.raw.result((await world.raw.nextCall()).id, undefined);
      await kept;
    }
    await expect(world.remote.keep(() => {})).rejects.toMatchObject({
      code: "limit-exceeded",
      outcome: "not-sent",
      message: expect.stringContaining("limits.maxExports is 2"),
    });
    expect(world.connection.stats().exports).toBe(2);
    expect(await world.othersAreWell()).toBe(true);
    world.raw.release(1, 1);
    await until(() => world.connection.stats().exports === 1);
    const again = world.remote.keep(() => {});
    world.raw.result((await world.raw.nextCall()).id, undefined);
    await again;
  });

  test("that a peer says of itself are not trusted: what it sends beyond them counts against limits.maxImports", async () => {
    const kept: unknown[] = [];
    const keep = { keep: (...things: unknown[]) => void kept.push(...things) };
    await using world = await rawClient(keep, {
      limits: { maxImports: 4 },
      hello: { limits: helloLimits({ maxExports: 1 }) },
    });
    world.raw.call(
      1,
      0,
      "keep",
      [1, 2, 3, 4].map((id) => new RawReference("object", id)),
    );
    expect(await world.raw.nextResult()).toMatchObject({ callId: 1 });
    world.raw.call(2, 0, "keep", [new RawReference("object", 5)]);
    expect(await world.raw.nextError()).toMatchObject({
      callId: 2,
      parts: ["limit-exceeded", expect.stringContaining("limits.maxImports is 4"), "not-executed"],
    });
    expect(world.session.stats().imports).toBe(4);
    expect(kept).toHaveLength(4);
    expect(await world.othersAreWell()).toBe(true);
  });
});

describe("limits.maxImports", () => {
  test("of the service are kept to by a client: the argument too many is not-sent", async () => {
    const kept: unknown[] = [];
    const keeping = {
      keep: (...things: unknown[]) => void kept.push(...things),
      drop() {
        for (const thing of kept.splice(0)) release(thing as Remote<Thing>);
      },
    };
    await using pair = await leakCheckedPair(keeping, { service: { limits: { maxImports: 3 } } });
    await pair.front.keep(
      () => 1,
      () => 2,
      () => 3,
    );
    await expect(pair.front.keep(() => 4)).rejects.toMatchObject({ code: "limit-exceeded", outcome: "not-sent" });
    expect(pair.session.stats().imports).toBe(3);
    await pair.front.drop();
    await until(() => pair.connection.stats().exports === 0);
    await pair.front.keep(() => 5);
    await pair.front.drop();
  });

  test("of a client refuse a server's result with one reference more, executed, and send its references back", async () => {
    await using world = await rawServer<{ things(): unknown[] }>({ limits: { maxImports: 3 } });
    const first = world.remote.things();
    world.raw.result(
      (await world.raw.nextCall()).id,
      [1, 2, 3].map((id) => new RawReference("object", id)),
    );
    const kept = await first;
    expect(kept).toHaveLength(3);
    const second = expect(world.remote.things()).rejects.toMatchObject({
      code: "limit-exceeded",
      outcome: "executed",
      message: expect.stringContaining("limits.maxImports is 3"),
    });
    world.raw.result((await world.raw.nextCall()).id, [new RawReference("object", 4)]);
    await second;
    expect((await world.raw.next(0x20)).payload).toEqual(Uint8Array.of(4, 1));
    expect(world.connection.stats().imports).toBe(3);
    expect(await world.othersAreWell()).toBe(true);
  });
});
