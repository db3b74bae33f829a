import { describe, expect, test } from "vitest";
import { collectGarbage, ManualClock, turns } from "../../../conformance/src/index.ts";
import { memoryTransport } from "../../../transports/src/index.ts";
import {
  ByReference,
  type Down,
  monitor,
  type Remote,
  RpcError,
  release,
  revoke,
  withOptions,
} from "../../src/index.ts";
import { frame } from "../../src/wire/frames.ts";
import { leakCheckedPair, places } from "../session/pairs.ts";
import { RawPeer, RawReference } from "../session/raw-peer.ts";
import { until } from "../session/waiting.ts";

class Guest extends ByReference {
  name(): string {
    return "guest";
  }
}

/** A room with a guest and a greeting, the same for everybody. */
function room() {
  const guest = new Guest();
  const greet = () => "hello";
  return { guest, greet, front: { guest: () => guest, fresh: () => new Guest(), greeter: () => greet } };
}

/** Notes what monitors tell. */
function notes() {
  const told: Down[] = [];
  return { told, note: (down: Down) => void told.push(down) };
}

/** Time enough for a monitor to speak twice. */
const aWhile = () => turns(5);

describe.each(places)("a monitor, over $place,", ({ at }) => {
  test("says `released` when the stub is released here", async () => {
    await using pair = await leakCheckedPair(room().front, {}, at);
    const { told, note } = notes();
    const guest = await pair.front.guest();
    monitor(guest, note);
    release(guest);
    release(guest);
    await until(() => told.length > 0);
    await aWhile();
    expect(told).toEqual([{ reason: "released" }]);
  });

  test("says `disposed` when the owner revokes the object", async () => {
    const { guest, front } = room();
    await using pair = await leakCheckedPair(front, {}, at);
    const { told, note } = notes();
    const stub = await pair.front.guest();
    monitor(stub, note);
    revoke(guest);
    await until(() => told.length > 0);
    release(stub);
    await aWhile();
    expect(told).toEqual([{ reason: "disposed" }]);
    expect(pair.connection.stats().imports).toBe(0);
  });

  test.each(["the owner", "the holder"] as const)("says `closed` when %s closes the session", async (closer) => {
    await using pair = await leakCheckedPair(room().front, {}, at);
    const { told, note } = notes();
    monitor(await pair.front.guest(), note);
    monitor(pair.front, note);
    if (closer === "the owner") pair.session.close("enough");
    else await pair.connection.close();
    await until(() => told.length === 2);
    await aWhile();
    expect(told).toEqual([{ reason: "closed" }, { reason: "closed" }]);
  });

  test("says `closed` when the service has drained", async () => {
    await using pair = await leakCheckedPair(room().front, {}, at);
    const { told, note } = notes();
    monitor(await pair.front.guest(), note);
    await pair.service.drain();
    await until(() => told.length > 0);
    expect(told).toEqual([{ reason: "closed" }]);
  });
});

/** A front that monitors what it is given, and the peer that gives it. */
async function watcher(clock?: ManualClock) {
  const { told, note } = notes();
  const front = { watch: (guest: object) => void monitor(guest, note) };
  const pair = await leakCheckedPair(front, { clock });
  const raw = await RawPeer.connect(memoryTransport, pair.service.uri);
  raw.call(1, 0, "watch", [new RawReference("object", 1, "Guest")]);
  await raw.nextResult();
  const end = async () => {
    await raw[Symbol.asyncDispose]();
    await pair[Symbol.asyncDispose]();
  };
  return { told, note, pair, raw, [Symbol.asyncDispose]: end };
}

describe("a monitor", () => {
  test("says `session-lost`, and what happened, when the channel dies", async () => {
    await using world = await watcher();
    world.raw.destroy();
    await until(() => world.told.length > 0);
    expect(world.told).toEqual([{ reason: "session-lost", error: expect.any(RpcError) }]);
    expect(world.told[0]?.error).toMatchObject({ code: "closed", outcome: "unknown" });
  });

  test("says `session-lost` when the peer gives no sign of life", async () => {
    const clock = new ManualClock();
    await using world = await watcher(clock);
    clock.advance(15_000);
    await world.raw.next(frame.ping);
    await world.pair.front.watch(new Guest());
    clock.advance(11_000);
    await until(() => world.told.length > 0);
    expect(world.told).toMatchObject([{ reason: "session-lost", error: { code: "timeout" } }]);
    expect(world.pair.connection.state).toBe("open");
  });

  test("says `closed`, and what was wrong, when the peer breaks the protocol, and when it says that we did", async () => {
    await using broken = await watcher();
    broken.raw.release(77, 1);
    await until(() => broken.told.length > 0);
    expect(broken.told).toMatchObject([{ reason: "closed", error: { code: "protocol" } }]);
    await using accused = await watcher();
    accused.raw.send(frame.goodbye, (writer) => writer.raw(Uint8Array.of(8, ...Buffer.from("protocol"), 0)));
    await until(() => accused.told.length > 0);
    expect(accused.told).toMatchObject([{ reason: "closed", error: { code: "protocol" } }]);
  });

  test("never speaks while it is being made, nor in the middle of what it tells of", async () => {
    await using pair = await leakCheckedPair(room().front);
    const { told, note } = notes();
    const guest = await pair.front.guest();
    monitor(guest, note);
    release(guest);
    monitor(guest, note);
    expect(told).toEqual([]);
    await until(() => told.length > 0);
    expect(told).toEqual([{ reason: "released" }, { reason: "released" }]);
  });

  test("of what is gone already says so once, and why it went first", async () => {
    const { guest, front } = room();
    await using pair = await leakCheckedPair(front);
    const { told, note } = notes();
    const released = await pair.front.fresh();
    release(released);
    const revoked = await pair.front.guest();
    revoke(guest);
    await until(() => pair.connection.stats().imports === 0);
    monitor(released, note);
    monitor(revoked, note);
    await until(() => told.length === 2);
    const open = await pair.front.fresh();
    await pair.connection.close();
    for (const stub of [released, revoked, open, pair.front]) monitor(stub, note);
    await until(() => told.length === 6);
    await aWhile();
    const reasons = ["released", "disposed", "released", "disposed", "closed", "closed"];
    expect(told.map(({ reason }) => reason)).toEqual(reasons);
  });

  test("of what is gone already can be stopped before it speaks", async () => {
    await using pair = await leakCheckedPair(room().front);
    const { told, note } = notes();
    const guest = await pair.front.guest();
    release(guest);
    monitor(guest, note)();
    await aWhile();
    expect(told).toEqual([]);
  });

  test("that was stopped says nothing, though the news is on its way to it; stopping twice does nothing", async () => {
    await using pair = await leakCheckedPair(room().front);
    const { told, note } = notes();
    const guest = await pair.front.guest();
    const stops = [monitor(guest, note), monitor(guest, note), monitor(guest, note)];
    stops[0]?.();
    stops[0]?.();
    release(guest);
    stops[1]?.();
    await until(() => told.length > 0);
    stops[2]?.();
    await aWhile();
    expect(told).toHaveLength(1);
  });

  test("can stop another that has not spoken yet", async () => {
    await using pair = await leakCheckedPair(room().front);
    const { told, note } = notes();
    const guest = await pair.front.guest();
    const stops: (() => void)[] = [];
    monitor(guest, (down) => {
      note(down);
      for (const stop of stops) stop();
    });
    stops.push(monitor(guest, note));
    release(guest);
    await until(() => told.length > 0);
    await aWhile();
    expect(told).toHaveLength(1);
  });

  test("made in a monitor's listener speaks in its turn", async () => {
    await using pair = await leakCheckedPair(room().front);
    const { told, note } = notes();
    const guest = await pair.front.guest();
    monitor(guest, () => void monitor(guest, note));
    release(guest);
    await until(() => told.length > 0);
    expect(told).toEqual([{ reason: "released" }]);
  });

  test("whose listener throws, or rejects, is told to onError; the others are told all the same", async () => {
    await using pair = await leakCheckedPair(room().front);
    const { told, note } = notes();
    const guest = await pair.front.guest();
    monitor(guest, note);
    monitor(guest, () => {
      throw new Error("not listening");
    });
    monitor(guest, () => Promise.reject(new Error("listening badly")) as never);
    monitor(guest, note);
    release(guest);
    await until(() => told.length === 2 && pair.reported.connection.length === 2);
    expect(pair.takeReported().connection.map(({ message }) => message)).toEqual(["not listening", "listening badly"]);
  });

  test("is one of any number: the same listener twice is told twice", async () => {
    await using pair = await leakCheckedPair(room().front);
    const { told, note } = notes();
    const guest = await pair.front.guest();
    for (let i = 0; i < 10_000; i++) monitor(guest, note);
    const stopped = Array.from({ length: 10_000 }, () => monitor(guest, note));
    for (const stop of stopped) stop();
    release(guest);
    await until(() => told.length >= 10_000);
    await aWhile();
    expect(told).toHaveLength(10_000);
  }, 30_000);

  test("of one among ten thousand objects tells of that one", async () => {
    const guests = Array.from({ length: 10_000 }, () => new Guest());
    await using pair = await leakCheckedPair({ guests: () => guests });
    const { told, note } = notes();
    const stubs = await pair.front.guests();
    const gone: number[] = [];
    for (const [i, stub] of stubs.entries()) monitor(stub, () => gone.push(i));
    revoke(guests[5_000] as Guest);
    await until(() => gone.length > 0);
    expect(gone).toEqual([5_000]);
    for (const guest of guests) revoke(guest);
    await until(() => gone.length === 10_000);
    expect(pair.session.state).toBe("open");
    monitor(stubs[1] as Remote<Guest>, note);
    await until(() => told.length > 0);
    expect(told).toEqual([{ reason: "disposed" }]);
  }, 30_000);

  test("of a view, or of a function, is one of the reference", async () => {
    const { greet, front } = room();
    await using pair = await leakCheckedPair(front);
    const { told, note } = notes();
    const guest = await pair.front.guest();
    monitor(withOptions(guest, { timeoutMs: 5 }), note);
    release(guest);
    await until(() => told.length === 1);
    const greeter = await pair.front.greeter();
    expect(await greeter()).toBe("hello");
    monitor(greeter, note);
    revoke(greet);
    await until(() => told.length === 2);
    expect(told).toEqual([{ reason: "released" }, { reason: "disposed" }]);
  });

  test("of an object that comes again is one of the stub it was made of", async () => {
    const { guest, front } = room();
    await using pair = await leakCheckedPair(front);
    const { told, note } = notes();
    const first = await pair.front.guest();
    monitor(first, note);
    release(first);
    const second = await pair.front.guest();
    await until(() => told.length === 1);
    monitor(second, note);
    revoke(guest);
    await until(() => told.length === 2);
    expect(told).toEqual([{ reason: "released" }, { reason: "disposed" }]);
  });

  test("needs a stub and a function", async () => {
    await using pair = await leakCheckedPair(room().front);
    const refused = expect.objectContaining({ code: "invalid-argument", outcome: "not-sent" });
    expect(() => monitor({}, () => {})).toThrow(refused);
    expect(() => monitor(undefined as never, () => {})).toThrow(refused);
    expect(() => monitor(pair.front, undefined as never)).toThrow(refused);
  });
});

describe("a monitor of a front", () => {
  test("tells the end of its session, from either end", async () => {
    const client = { ping: () => "pong" };
    await using pair = await leakCheckedPair(room().front, { clientFront: client });
    const { told, note } = notes();
    const front = pair.session.front<typeof client>();
    monitor(front, note);
    monitor(pair.front, note);
    release(front);
    await aWhile();
    expect(told).toEqual([]);
    release(pair.front);
    await until(() => told.length === 2);
    expect(told).toEqual([{ reason: "closed" }, { reason: "closed" }]);
  });

  test("of a peer that offers none tells the end of the session too", async () => {
    await using pair = await leakCheckedPair(room().front);
    const { told, note } = notes();
    monitor(pair.session.front(), note);
    await pair.connection.close();
    await until(() => told.length > 0);
    expect(told).toEqual([{ reason: "closed" }]);
  });

  test("tells when the front is revoked, once: the session goes on", async () => {
    const { front } = room();
    await using pair = await leakCheckedPair(front);
    const { told, note } = notes();
    monitor(pair.front, note);
    revoke(front);
    await until(() => told.length > 0);
    expect(pair.connection.state).toBe("open");
    await pair.connection.close();
    await aWhile();
    expect(told).toEqual([{ reason: "disposed" }]);
  });
});

describe("a monitor keeps nothing:", () => {
  test("a stub that the program drops gives its hold back, and the monitor says `released`", async () => {
    await using pair = await leakCheckedPair(room().front);
    const { told, note } = notes();
    const stops = await Promise.all(Array.from({ length: 50 }, async () => monitor(await pair.front.fresh(), note)));
    await pair.assertEmpty();
    await until(() => told.length === 50);
    for (const stop of stops) stop();
    await aWhile();
    expect(told).toEqual(Array.from({ length: 50 }, () => ({ reason: "released" })));
  });

  test("nor does one that is stopped keep what its listener refers to", async () => {
    await using pair = await leakCheckedPair(room().front);
    using guest = await pair.front.guest();
    const kept = watchWith(guest, {});
    await until(() => {
      collectGarbage();
      return kept.deref() === undefined;
    });
    expect(await guest.name()).toBe("guest");
  });
});

/** Makes a monitor that refers to something, and stops it. */
function watchWith(stub: object, something: object): WeakRef<object> {
  const stop = monitor(stub, () => void something);
  stop();
  return new WeakRef(something);
}
