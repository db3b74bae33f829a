/** Every channel ends once, says why, and is silent afterwards. */
import { describe, expect, test } from "vitest";
import { countHandles } from "../handle-watch.ts";
import { turns } from "../turns.ts";
import { acceptAt } from "./acceptor.ts";
import { type ChannelProbe, probe } from "./channel-probe.ts";
import { writeUntilFull } from "./delivery.ts";
import type { TransportSetUp } from "./describe-transport.ts";
import { openPair } from "./pair.ts";

export function testClosing({
  transport,
  freshUri,
  connectFragile,
  dropsUnsent = true,
  largestBytes = 3_000_000,
}: TransportSetUp): void {
  describe("closing", () => {
    test("end sends what was written first, and both ends close without an error", async () => {
      await using pair = await openPair(transport, freshUri());
      const [near, far] = [probe(pair.near), probe(pair.far)];
      pair.near.write(new Uint8Array(largestBytes));
      pair.near.end();
      expect(await far.closed()).toBeUndefined();
      expect(far.received.length).toBe(largestBytes);
      expect(await near.closed()).toBeUndefined();
      await expectSilence(near, far);
    });

    test("what the peer still had to say arrives after end", async () => {
      await using pair = await openPair(transport, freshUri());
      const [near, far] = [probe(pair.near), probe(pair.far)];
      pair.far.write(new Uint8Array(300_000));
      pair.far.end();
      pair.near.end();
      expect(await near.closed()).toBeUndefined();
      expect(near.received.length).toBe(300_000);
      expect(await far.closed()).toBeUndefined();
    });

    test("end reaches a peer that reads slowly", async () => {
      await using pair = await openPair(transport, freshUri());
      const [near, far] = [probe(pair.near), probe(pair.far)];
      pair.far.pause();
      const sentBytes = await writeUntilFull(pair.near);
      pair.near.end();
      await turns(10);
      expect(far.closings).toEqual([]);
      pair.far.resume();
      expect(await far.closed()).toBeUndefined();
      expect(far.received.length).toBe(sentBytes);
      expect(await near.closed()).toBeUndefined();
    });

    test("end lifts a pause", async () => {
      await using pair = await openPair(transport, freshUri());
      const [near, far] = [probe(pair.near), probe(pair.far)];
      pair.near.pause();
      pair.far.write(new Uint8Array(300_000));
      pair.near.end();
      expect(await near.closed()).toBeUndefined();
      expect(await far.closed()).toBeUndefined();
    });

    test("destroy closes at once, hands its error on, and never calls back synchronously", async () => {
      await using pair = await openPair(transport, freshUri());
      const [near, far] = [probe(pair.near), probe(pair.far)];
      const error = new Error("enough");
      pair.near.destroy(error);
      expect(near.closings).toEqual([]);
      expect(await near.closed()).toBe(error);
      await far.closed();
      await expectSilence(near, far);
    });

    test("destroy without an error closes without one", async () => {
      await using pair = await openPair(transport, freshUri());
      const [near, far] = [probe(pair.near), probe(pair.far)];
      pair.near.destroy();
      expect(await near.closed()).toBeUndefined();
      await far.closed();
    });

    test.runIf(dropsUnsent)("destroy drops what was not sent", async () => {
      await using pair = await openPair(transport, freshUri());
      const [near, far] = [probe(pair.near), probe(pair.far)];
      pair.far.pause();
      await writeUntilFull(pair.near);
      pair.near.write(new Uint8Array(32 * 1024 * 1024));
      pair.near.destroy();
      await near.closed();
      pair.far.resume();
      await far.closed();
      expect(far.received.length).toBeLessThan(32 * 1024 * 1024);
    });

    test("closed comes once, however often and in whatever order a channel is ended", async () => {
      await using pair = await openPair(transport, freshUri());
      const [near, far] = [probe(pair.near), probe(pair.far)];
      pair.near.end();
      pair.near.end();
      pair.near.destroy(new Error("first"));
      pair.near.destroy(new Error("second"));
      pair.far.destroy();
      pair.far.end();
      await Promise.all([near.closed(), far.closed()]);
      await expectSilence(near, far);
    });

    test("nothing is delivered once a chunk callback has destroyed its channel", async () => {
      await using pair = await openPair(transport, freshUri());
      const near = probe(pair.near);
      const far = probe(pair.far, () => pair.far.destroy());
      for (let i = 0; i < 100; i++) pair.near.write(new Uint8Array(1_000));
      await Promise.all([near.closed(), far.closed()]);
      expect(far.chunks).toBe(1);
    });

    test("a chunk callback that throws costs its own channel and nothing else", async () => {
      await using pair = await openPair(transport, freshUri());
      const near = probe(pair.near);
      const far = probe(pair.far, () => {
        throw new Error("a bug in the reader");
      });
      pair.near.write(Uint8Array.of(1));
      expect(await far.closed()).toMatchObject({ message: "a bug in the reader" });
      await near.closed();
      await expectSilence(near, far);
    });

    test("a closed channel takes writes, pauses and resumes without a word", async () => {
      await using pair = await openPair(transport, freshUri());
      const [near, far] = [probe(pair.near), probe(pair.far)];
      pair.near.end();
      await Promise.all([near.closed(), far.closed()]);
      for (const channel of [pair.near, pair.far]) {
        expect(channel.write(Uint8Array.of(1))).toBe(false);
        channel.pause();
        channel.resume();
        channel.end();
        channel.destroy(new Error("too late"));
      }
      await expectSilence(near, far);
    });

    test("a channel lost before start tells so after it", async () => {
      await using pair = await openPair(transport, freshUri());
      const near = probe(pair.near);
      pair.near.destroy();
      await near.closed();
      await turns(20);
      const far = probe(pair.far);
      expect(far.closings).toEqual([]);
      await far.closed();
      await expectSilence(far);
    });

    test.runIf(connectFragile)("a connection that breaks off closes with an error", async () => {
      await using acceptor = await acceptAt(transport, freshUri());
      const breakOff = await connectFragile?.(acceptor.uri);
      const far = probe(await acceptor.next());
      breakOff?.();
      expect(await far.closed()).toBeInstanceOf(Error);
      await expectSilence(far);
    });

    test("an unreferenced channel does not keep the process alive", async () => {
      await using pair = await openPair(transport, freshUri());
      const [near, far] = [probe(pair.near), probe(pair.far)];
      const referenced = sockets();
      pair.near.unref?.();
      if (pair.near.unref) expect(sockets()).toBe(referenced - 1);
      pair.near.ref?.();
      expect(sockets()).toBe(referenced);
      pair.near.destroy();
      await Promise.all([near.closed(), far.closed()]);
    });
  });
}

async function expectSilence(...probes: ChannelProbe[]): Promise<void> {
  await turns(10);
  for (const { closings, late } of probes) {
    expect(closings).toHaveLength(1);
    expect(late).toEqual([]);
  }
}

function sockets(): number {
  const handles = countHandles();
  return (handles.get("TCPSocketWrap") ?? 0) + (handles.get("PipeWrap") ?? 0);
}
