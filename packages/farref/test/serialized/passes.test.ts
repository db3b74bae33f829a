/** What passes are good for, and what a peer can do with those it was given, and with those it makes up. */
import { oneway, type Remote, serialized } from "farref";
import { describe, expect, test } from "vitest";
import { ByteReader } from "../../../core/src/wire/byte-reader.ts";
import { callFlag, frame } from "../../../core/src/wire/frames.ts";
import { memory } from "../../../core/test/session/pairs.ts";
import { RawPeer, RawReference } from "../../../core/test/session/raw-peer.ts";
import { gate, until } from "../../../core/test/session/waiting.ts";
import { memoryTransport } from "../../../transports/src/index.ts";
import { Account } from "./accounts.ts";
import { leakCheckedPair } from "./pairs.ts";

const text = new TextEncoder();

/** A call of a method without arguments that shows passes. */
function callWithPasses(peer: RawPeer, id: number, method: string, passes: readonly string[]): void {
  peer.send(frame.call, (writer) => {
    writer.varint(id);
    writer.varint(0);
    writer.varint(0);
    writer.varint(callFlag.inlineMethod | callFlag.passes);
    for (const part of [method, passes.length, ...passes]) {
      const bytes = typeof part === "string" ? text.encode(part) : undefined;
      writer.varint(bytes ? bytes.length : (part as number));
      if (bytes) writer.raw(bytes);
    }
    writer.u8(0x90);
  });
}

/** The number of the next call to the peer, and the passes it came with. */
async function nextCall(peer: RawPeer): Promise<{ readonly id: number; readonly passes: readonly string[] }> {
  const { payload } = await peer.next(frame.call);
  const reader = new ByteReader().at(payload, 0, payload.length);
  const [id] = [reader.varint(), reader.varint(), reader.varint()];
  const flags = reader.varint();
  if (flags & callFlag.timeout) reader.varint();
  if (flags & callFlag.depth) reader.varint();
  const count = flags & callFlag.passes ? reader.varint() : 0;
  return { id: id as number, passes: Array.from({ length: count }, () => reader.text(64)) };
}

/** An account whose method has called the peer, and waits for its answer. */
async function calledBack(peer: RawPeer): Promise<{ readonly id: number; readonly passes: readonly string[] }> {
  peer.call(1, 0, "during", [new RawReference("function", 1)]);
  return nextCall(peer);
}

describe("a pass", () => {
  test("leaves with calls made from within a turn, each with one of its own, and with no others", async () => {
    const account = serialized(new Account());
    const plain = new Account();
    await using pair = await leakCheckedPair({ during: account.during, plain: plain.during.bind(plain) });
    await using peer = await RawPeer.connect(memoryTransport, pair.service.uri);
    peer.call(1, 0, "plain", [new RawReference("function", 1)]);
    expect((await nextCall(peer)).passes).toEqual([]);
    const seen: (readonly string[])[] = [];
    for (const id of [2, 3]) {
      peer.call(id, 0, "during", [new RawReference("function", 1)]);
      const call = await nextCall(peer);
      seen.push(call.passes);
      peer.result(call.id, null);
      await peer.nextResult();
    }
    const [one, other] = seen.flat();
    expect(seen.map(({ length }) => length)).toEqual([1, 1]);
    expect(one).not.toBe(other);
    // 128 random bits.
    expect(atob(one as string)).toHaveLength(16);
  });

  test("lets in while the call that it came with is not answered, and not afterwards", async () => {
    const account = new Account();
    await using pair = await leakCheckedPair(serialized(account));
    await using peer = await RawPeer.connect(memoryTransport, pair.service.uri);
    const call = await calledBack(peer);
    callWithPasses(peer, 2, "balance", call.passes);
    expect(await peer.nextResult()).toMatchObject({ callId: 2, value: 0 });
    peer.result(call.id, null);
    await peer.nextResult();

    // A turn later nobody is let in any more by the old pass.
    peer.call(3, 0, "during", [new RawReference("function", 1)]);
    const next = await nextCall(peer);
    callWithPasses(peer, 4, "balance", call.passes);
    callWithPasses(peer, 5, "balance", [...call.passes, ...next.passes]);
    expect(await peer.nextResult()).toMatchObject({ callId: 5 });
    peer.result(next.id, "done");
    expect(await peer.nextResult()).toMatchObject({ callId: 3, value: "done" });
    expect(await peer.nextResult()).toMatchObject({ callId: 4 });
  });

  test("of a oneway call, which nobody waits for, lets nobody in", async () => {
    const { opened, open } = gate();
    const front = serialized({
      async notify(listener: Remote<() => void>): Promise<void> {
        await oneway(listener)();
        await opened;
      },
      balance: () => 7,
    });
    await using pair = await leakCheckedPair(front);
    await using peer = await RawPeer.connect(memoryTransport, pair.service.uri);
    peer.call(1, 0, "notify", [new RawReference("function", 1)]);
    const call = await nextCall(peer);
    callWithPasses(peer, 2, "balance", call.passes);
    await until(() => [...pair.service.sessions].some((session) => session.stats().runningCalls === 2));
    peer.result(call.id, null);
    open();
    expect(await peer.nextResult()).toMatchObject({ callId: 1 });
    expect(await peer.nextResult()).toMatchObject({ callId: 2, value: 7 });
  });

  test("is not to be had by guessing", async () => {
    const account = serialized(new Account());
    await using pair = await leakCheckedPair(account);
    await using victim = await RawPeer.connect(memoryTransport, pair.service.uri);
    await using peer = await RawPeer.connect(memoryTransport, pair.service.uri);
    const call = await calledBack(victim);
    const guesses = ["", "0", "1", "AAAAAAAAAAAAAAAAAAAAAA==", "__proto__", "x".repeat(64)];
    for (const [i, guess] of guesses.entries()) callWithPasses(peer, i + 1, "balance", [guess]);
    await until(() => [...pair.service.sessions].some((session) => session.stats().runningCalls === guesses.length));
    expect(peer.frames.filter(({ kind }) => kind === frame.result)).toEqual([]);
    victim.result(call.id, null);
    for (const i of guesses.keys()) expect(await peer.nextResult()).toMatchObject({ callId: i + 1, value: 0 });
  });

  test("that was made up lets two calls of a peer's run no more at once than without", async () => {
    const account = new Account();
    await using pair = await leakCheckedPair(serialized(account));
    await using peer = await RawPeer.connect(memoryTransport, pair.service.uri);
    const passes = ["mine"];
    peer.call(1, 0, "deposit", [1]);
    for (const id of [2, 3, 4]) callWithPasses(peer, id, "failLater", passes);
    for (const id of [2, 3, 4]) expect(await peer.nextError()).toMatchObject({ callId: id });
    expect(account.seen.atOnce).toBe(1);
  });

  test("of a turn is no pass to another object's line", async () => {
    const account = serialized(new Account());
    const other = serialized(new Account());
    await using pair = await leakCheckedPair({ during: account.during, balance: other.balance });
    await using peer = await RawPeer.connect(memoryTransport, pair.service.uri);
    const { opened, open } = gate();
    const held = other.hold(opened);
    const call = await calledBack(peer);
    callWithPasses(peer, 2, "balance", call.passes);
    await until(() => [...pair.service.sessions].some((session) => session.stats().runningCalls === 2));
    peer.result(call.id, "first");
    expect(await peer.nextResult()).toMatchObject({ callId: 1, value: "first" });
    open();
    expect(await peer.nextResult()).toMatchObject({ callId: 2 });
    await held;
  });

  test.each([
    ["more than 32 of them", Array.from({ length: 33 }, () => "x")],
    ["one of more than 64 bytes", ["x".repeat(65)]],
  ])("%s end the session", async (_what, passes) => {
    await using pair = await leakCheckedPair(serialized(new Account()), {}, memory);
    await using peer = await RawPeer.connect(memoryTransport, pair.service.uri);
    callWithPasses(peer, 1, "balance", passes);
    expect(await peer.goodbye()).toMatchObject({ code: "protocol" });
    pair.takeReported();
  });

  test("is ignored where nothing is serialized", async () => {
    await using pair = await leakCheckedPair(new Account());
    await using peer = await RawPeer.connect(memoryTransport, pair.service.uri);
    callWithPasses(
      peer,
      1,
      "balance",
      Array.from({ length: 32 }, (_, i) => `pass ${i}`),
    );
    expect(await peer.nextResult()).toMatchObject({ callId: 1, value: 0 });
  });
});
