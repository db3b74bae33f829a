/** A listener takes an address once, asks before it answers, and leaves the channels it made alone. */
import type { Channel, Listener, Transport } from "@farref/core";
import { describe, expect, test } from "vitest";
import { turns, turnsUntil } from "../turns.ts";
import { Acceptor, acceptAt } from "./acceptor.ts";
import { probe } from "./channel-probe.ts";
import type { TransportSetUp } from "./describe-transport.ts";

export function testListening({ transport, freshUri }: TransportSetUp): void {
  describe("listening", () => {
    test("the address is told once the listener listens, and can be dialed", async () => {
      const listener = prepare(transport, freshUri());
      expect(listener.uri).toBe("");
      expect(listener.isPrivate).toBe(true);
      await using acceptor = new Acceptor(listener);
      await acceptor.start();
      expect(transport.schemes).toContain(acceptor.uri.split(":", 1)[0]);
      const near = await transport.dial(acceptor.uri, {});
      const far = await acceptor.next();
      expect(acceptor.asked).toEqual([far.peer]);
      expect(transport.schemes).toContain(far.peer.transport);
      near.destroy();
      far.destroy();
    });

    test("an address in use is refused", async () => {
      await using acceptor = await acceptAt(transport, freshUri());
      const second = acceptAt(transport, acceptor.uri);
      await expect(second).rejects.toMatchObject({ code: "refused", outcome: "not-sent" });
      const near = await transport.dial(acceptor.uri, {});
      const far = await acceptor.next();
      near.destroy();
      far.destroy();
    });

    test("an address is free again after close", async () => {
      const first = await acceptAt(transport, freshUri());
      const { uri } = first;
      await first.listener.close();
      await using second = await acceptAt(transport, uri);
      expect(second.uri).toBe(uri);
    });

    test("whoever is not accepted gets no channel", async () => {
      await using acceptor = await acceptAt(transport, freshUri(), {}, { accept: () => false });
      await expectTurnedAway(transport, acceptor.uri);
      expect(acceptor.asked).toHaveLength(1);
      expect(acceptor.count).toBe(0);
    });

    test("an accept that throws is a no, and is reported", async () => {
      const accept = () => {
        throw new Error("a bug in accept");
      };
      await using acceptor = await acceptAt(transport, freshUri(), {}, { accept });
      await expectTurnedAway(transport, acceptor.uri);
      expect(acceptor.count).toBe(0);
      expect(acceptor.errors).toMatchObject([{ message: "a bug in accept" }]);
    });

    test("a channel callback that throws costs that channel only", async () => {
      const channels: Channel[] = [];
      const channel = (channel: Channel) => {
        if (channels.push(channel) === 1) throw new Error("a bug in channel");
      };
      await using acceptor = await acceptAt(transport, freshUri(), {}, { channel });
      await expectTurnedAway(transport, acceptor.uri);
      expect(acceptor.errors).toMatchObject([{ message: "a bug in channel" }]);
      const near = await transport.dial(acceptor.uri, {});
      expect(await turnsUntil(() => channels.length === 2, 1_000)).toBe(true);
      near.destroy();
      channels[1]?.destroy();
    });

    test("close leaves channels alive, may be repeated, and accepts nobody more", async () => {
      const acceptor = await acceptAt(transport, freshUri());
      const { uri } = acceptor;
      const near = probe(await transport.dial(uri, {}));
      const far = probe(await acceptor.next());
      await acceptor.listener.close();
      await acceptor.listener.close();
      await expect(transport.dial(uri, {})).rejects.toMatchObject({ code: "unreachable" });
      near.channel.write(Uint8Array.of(1));
      await far.bytes(1);
      far.channel.end();
      await Promise.all([near.closed(), far.closed()]);
    });

    test("a listener that was never started can be closed, and does not start afterwards", async () => {
      const listener = prepare(transport, freshUri());
      await listener.close();
      await expect(new Acceptor(listener).start()).rejects.toMatchObject({ outcome: "not-sent" });
    });

    test("close during start leaves nothing listening", async () => {
      const uri = freshUri();
      const listener = prepare(transport, uri);
      const started = new Acceptor(listener).start().catch(() => {});
      await Promise.all([listener.close(), started]);
      expect(listener.uri).toBe("");
      await using acceptor = await acceptAt(transport, uri);
      expect(acceptor.uri).not.toBe("");
    });

    test("ref and unref are taken before and after start", async () => {
      await using acceptor = new Acceptor(prepare(transport, freshUri()));
      acceptor.listener.unref();
      await acceptor.start();
      acceptor.listener.ref();
      acceptor.listener.unref();
    });
  });
}

function prepare(transport: Transport, uri: string): Listener {
  if (!transport.listen) throw new Error(`${transport.schemes[0]} cannot listen`);
  return transport.listen(uri, {});
}

/** Some transports notice while dialing; others connect and are cut off at once. */
async function expectTurnedAway(transport: Transport, uri: string): Promise<void> {
  const near = await transport.dial(uri, {}).catch(() => undefined);
  if (near) await probe(near).closed();
  await turns(1);
}
