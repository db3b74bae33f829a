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
import { RawPeer } from "../session/raw-peer.ts";
import { until } from "../session/waiting.ts";

class Guest extends ByReference {
  name() {
    return "guest";
  }
}

/** A room with one guest, who is the same for everybody. */
function room() {
  const guest = new Guest();
  return { guest, front: { guest: () => guest, fresh: () => new Guest(), greeter: () => () => "hello" } };
}

/** Notes what monitors tell. */
function notes() {
  const told: Down[] = [];
  return { told, note: (down: Down) => void told.push(down) };
}

describe.each(places)("a monitor, over $place,", ({ at }) => {
  test("says `released` when the stub is released here", async () => {
    await using pair = await leakCheckedPair(room().front, {}, at);
    const { told, note } = notes();
    const guest = await pair.front.guest();
    monitor(guest, note);
    release(guest);
    expect(told).toEqual([]);
    await until(() => told.length > 0);
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
    expect(told).toEqual([{ reason: "disposed" }]);
    expect(pair.connection.stats().imports).toBe(0);
  });

  test("says `closed` when either side closes the session", async () => {
    for (const closer of ["the owner", "the holder"] as const) {
      await using pair = await leakCheckedPair(room().front, {}, at);
      const { told, note } = notes();
      monitor(await pair.front.guest(), note);
      monitor(pair.front, note);
      if (closer === "the owner") pair.session.close("enough");
      else void pair.connection.close();
      await until(() => told.length === 2);
      expect(told).toEqual([{ reason: "closed" }, { reason: "closed" }]);
    }
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

describe("a monitor", () => {
  test("says `session-lost`, and what happened, when the channel dies", async () => {
    await using pair = await leakCheckedPair({ watch: (guest: object) => void monitor(guest, note) });
    const { told, note } = notes();
    await using raw = await RawPeer.connect(memoryTransport, pair.service.uri);
    const { RawReference } = await import("../session/raw-peer.ts");
    raw.call(1, 0, "watch", [new RawReference("object", 1, "Guest")]);
    await raw.nextResult();
    raw.destroy();
    await until(() => told.length > 0);
    expect(told).toEqual([{ reason: "session-lost", error: expect.any(RpcError) }]);
    expect(told[0]?.error).toMatchObject({ code: "closed", outcome: "unknown" });
  });

  test("says `session-lost` when the peer gives no sign of life", async () => {
    const clock = new ManualClock();
    await using pair = await leakCheckedPair({ watch: (guest: object) => void monitor(guest, note) }, { clock });
    const { told, note } = notes();
    await using raw = await RawPeer.connect(memoryTransport, pair.service.uri);
    const { RawReference } = await import("../session/raw-peer.ts");
    raw.call(1, 0, "watch", [new RawReference("object", 1, "Guest")]);
    await raw.nextResult();
    clock.advance(15_000);
    await raw.next(frame.ping);
    await pair.front.watch(new Guest());
    clock.advance(11_000);
    await until(() => told.length > 0);
    expect(told).toMatchObject([{ reason: "session-lost", error: { code: "timeout" } }]);
    expect(pair.connection.state).toBe("open");
  });
});
