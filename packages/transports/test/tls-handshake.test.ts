/** What `tls:` and `wss:` have in common: who is trusted, who is let in, and how long a handshake may take. */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { type Acceptor, acceptAt, type HandleWatch, handleWatch, probe } from "@farref/conformance";
import type { Channel, ListenerEvents, ListenOptions } from "@farref/core";
import { tcpTransport, tlsTransport, webSocketTransport } from "@farref/transports";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createAuthority, selfSigned } from "./certificates.ts";
import { portIn } from "./relay.ts";

const authority = createAuthority();
const other = createAuthority("another authority");
const hosts = ["127.0.0.1", "localhost"];
const server = authority.issue({ name: "a server", hosts });
const ann = authority.issue({ name: "ann" });
const { cert: ca } = authority;

let watch: HandleWatch;
beforeEach(() => {
  watch = handleWatch();
});
afterEach(() => watch.assertClosed());

describe.each([
  { scheme: "tls", transport: tlsTransport },
  { scheme: "wss", transport: webSocketTransport },
])("$scheme", ({ scheme, transport }) => {
  const listen = (options: ListenOptions = {}, overrides: Partial<ListenerEvents> = {}): Promise<Acceptor> =>
    acceptAt(transport, `${scheme}://127.0.0.1:0`, { tls: server, ...options }, overrides);

  /** Dials, and gives both ends. */
  async function meet(acceptor: Acceptor, tls: object): Promise<{ near: Channel; far: Channel }> {
    const near = await transport.dial(acceptor.uri, { tls });
    return { near, far: await acceptor.next() };
  }

  async function part(...channels: Channel[]): Promise<void> {
    for (const channel of channels) channel.destroy();
    await Promise.all(channels.map((channel) => probe(channel).closed()));
  }

  /** It works for an honest client, whatever was before. */
  async function expectServing(acceptor: Acceptor): Promise<void> {
    const { near, far } = await meet(acceptor, { ca });
    near.write(Uint8Array.of(1, 2, 3));
    expect([...(await probe(far).bytes(3))]).toEqual([1, 2, 3]);
    near.destroy();
    far.destroy();
  }

  describe("the server's certificate", () => {
    const issued = (validHours: readonly [number, number]) => authority.issue({ name: "a server", hosts, validHours });
    test.each([
      ["is nobody's we know", other.issue({ name: "a server", hosts }), "UNABLE_TO_VERIFY_LEAF_SIGNATURE"],
      ["signs itself", selfSigned(), "DEPTH_ZERO_SELF_SIGNED_CERT"],
      ["is expired", issued([-48, -24]), "CERT_HAS_EXPIRED"],
      ["is not valid yet", issued([24, 48]), "CERT_NOT_YET_VALID"],
      ["is another host's", authority.issue({ name: "127.0.0.1", hosts: ["other.example"] }), "ALTNAME_INVALID"],
      ["names no host", authority.issue({ name: "127.0.0.1" }), "ALTNAME_INVALID"],
    ])("that %s is not accepted, and the error says why", async (_, tls, reason) => {
      await using acceptor = await listen({ tls });
      await expect(transport.dial(acceptor.uri, { tls: { ca } })).rejects.toMatchObject({
        code: "unauthenticated",
        outcome: "not-sent",
        message: expect.stringContaining(reason),
        cause: expect.any(Error),
      });
      expect(acceptor.uri).toMatch(new RegExp(`^${scheme}://127.0.0.1:\\d+$`));
    });

    test("is verified where nothing is said of it, and where undefined is said", async () => {
      await using acceptor = await listen();
      for (const tls of [undefined, {}, { rejectUnauthorized: undefined }]) {
        await expect(transport.dial(acceptor.uri, { tls })).rejects.toMatchObject({ code: "unauthenticated" });
      }
    });

    test("is checked by the program as well, which may return why not, or throw", async () => {
      await using acceptor = await listen();
      const no = new Error("not this one");
      const refusals = [
        () => no,
        () => {
          throw no;
        },
      ];
      for (const checkServerIdentity of refusals) {
        const dial = transport.dial(acceptor.uri, { tls: { ca, checkServerIdentity } });
        await expect(dial).rejects.toMatchObject({ code: "unauthenticated", cause: no });
      }
    });

    test("goes unverified only if the program itself says so, and counts for nothing then", async () => {
      await using acceptor = await listen();
      const { near, far } = await meet(acceptor, { rejectUnauthorized: false });
      expect(near.peer).not.toHaveProperty("certificate");
      await part(near, far);
    });

    test("is asked for by the name in the address, and checked against it", async () => {
      const named = authority.issue({ name: "localhost", hosts: ["localhost"] });
      const asked: string[] = [];
      const SNICallback = (name: string, done: (error: Error | null) => void) => {
        asked.push(name);
        done(null);
      };
      await using acceptor = await listen({ tls: { ...named, SNICallback } });
      const byName = acceptor.uri.replace("127.0.0.1", "localhost");
      const near = await transport.dial(byName, { tls: { ca } });
      const far = await acceptor.next();
      expect(near.peer.certificate).toMatchObject({ subject: { CN: "localhost" } });
      expect(asked).toEqual(["localhost"]);
      await expect(transport.dial(acceptor.uri, { tls: { ca } })).rejects.toMatchObject({ code: "unauthenticated" });
      expect(asked).toEqual(["localhost"]);
      await part(near, far);
    });

    test("is checked against another name where the program gives one", async () => {
      await using acceptor = await listen({ tls: authority.issue({ name: "x", hosts: ["far.example"] }) });
      const { near, far } = await meet(acceptor, { ca, servername: "far.example" });
      await part(near, far);
      const dial = transport.dial(acceptor.uri, { tls: { ca, servername: "other.example" } });
      await expect(dial).rejects.toMatchObject({ code: "unauthenticated" });
    });

    test("may put nothing into an error that is not a line of text", async () => {
      const evil = authority.issue({ name: "x", hosts: [`evil.example\n\u001b[2J${"x".repeat(5_000)}`] });
      await using acceptor = await listen({ tls: evil });
      const byName = acceptor.uri.replace("127.0.0.1", "localhost");
      const error = (await transport.dial(byName, { tls: { ca } }).catch((e: unknown) => e)) as Error;
      expect(error.message).toContain("evil.example");
      expect(error.message).not.toMatch(/\p{Cc}/u);
      expect(error.message.length).toBeLessThan(600);
    });
  });

  describe("a client's certificate", () => {
    const asking = { ...server, ca, requestCert: true };

    test("is known once it is verified", async () => {
      await using acceptor = await listen({ tls: asking });
      const { near, far } = await meet(acceptor, { ca, ...ann });
      expect(far.peer).toMatchObject({
        transport: scheme,
        address: "127.0.0.1",
        certificate: { subject: { CN: "ann" } },
      });
      expect(acceptor.asked).toMatchObject([{ transport: scheme, address: "127.0.0.1" }]);
      await part(near, far);
    });

    test.each([
      ["none", {}],
      ["one of another authority", other.issue({ name: "ann" })],
      ["an expired one", authority.issue({ name: "ann", validHours: [-48, -24] })],
      ["one that signs itself", selfSigned("ann")],
    ])("%s: nobody gets in; where others may, nobody is known", async (_, identity) => {
      await using strict = await listen({ tls: asking });
      const near = await transport.dial(strict.uri, { tls: { ca, ...identity } }).catch((error: unknown) => error);
      if (near instanceof Error) expect(near).toMatchObject({ outcome: "not-sent" });
      else await probe(near as Channel).closed();
      expect(strict.count).toBe(0);
      expect(strict.errors).toMatchObject([{ code: "unauthenticated", outcome: "not-sent" }]);
      await using lenient = await listen({ tls: { ...asking, rejectUnauthorized: false } });
      const pair = await meet(lenient, { ca, ...identity });
      expect(pair.far.peer).not.toHaveProperty("certificate");
      await part(pair.near, pair.far);
    });

    test("is unknown where nobody asked for it", async () => {
      await using acceptor = await listen();
      const { near, far } = await meet(acceptor, { ca, ...ann });
      expect(far.peer).not.toHaveProperty("certificate");
      await part(near, far);
    });

    test("is known again in a resumed TLS session, and none is where there was none", async () => {
      for (const { identity, known } of [
        { identity: ann, known: { subject: { CN: "ann" } } },
        { identity: {}, known: undefined },
      ]) {
        await using acceptor = await listen({ tls: { ...asking, rejectUnauthorized: false } });
        const session = await ticketOf(acceptor, identity);
        const { near, far } = await meet(acceptor, { ca, ...identity, session });
        if (known) expect(far.peer.certificate).toMatchObject(known);
        else expect(far.peer).not.toHaveProperty("certificate");
        await part(near, far);
      }
    });

    /** Connects once, as far as TLS, for what lets a client resume. */
    async function ticketOf(acceptor: Acceptor, identity: object): Promise<Buffer> {
      const socket = connectTls({ port: portIn(acceptor.uri), host: "127.0.0.1", ca, ...identity });
      socket.on("error", () => {}).resume();
      const [session] = (await once(socket, "session")) as [Buffer];
      if (scheme === "tls") (await acceptor.next()).destroy();
      socket.destroy();
      return session;
    }
  });

  describe("options", () => {
    test.each([
      ["no certificate", {}],
      ["a key that is none", { key: "x", cert: "y" }],
      ["TLS 1.1", { ...server, minVersion: "TLSv1.1" }],
      ["TLS 1.0", { ...server, minVersion: "TLSv1" }],
      ["clients' certificates, and nobody to vouch for them", { ...server, requestCert: true }],
    ])("%s: not listened with", (_, tls) => {
      const listening = () => transport.listen?.(`${scheme}://127.0.0.1:0`, { tls });
      expect(listening).toThrow(expect.objectContaining({ code: "invalid-argument", outcome: "not-sent" }));
    });

    test.each([
      ["a key that is none", { key: "x", cert: "y" }],
      ["TLS 1.1", { minVersion: "TLSv1.1" }],
    ])("%s: not dialed with", async (_, tls) => {
      const dial = transport.dial(`${scheme}://127.0.0.1:1`, { tls });
      await expect(dial).rejects.toMatchObject({ code: "invalid-argument", outcome: "not-sent" });
    });

    test("what a program passes cannot lead elsewhere than the address", async () => {
      await using acceptor = await listen();
      const { near, far } = await meet(acceptor, { ca, host: "192.0.2.1", port: 1, path: "/nowhere" });
      await part(near, far);
    });

    test("TLS 1.2 is spoken, nothing older", async () => {
      await using acceptor = await listen();
      const { near, far } = await meet(acceptor, { ca, maxVersion: "TLSv1.2" });
      await part(near, far);
      const old = connectTls({
        ...{ port: portIn(acceptor.uri), host: "127.0.0.1", ca },
        ...{ minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT:@SECLEVEL=0" },
      });
      const [error] = await once(old, "error");
      expect(error).toMatchObject({ code: expect.stringContaining("PROTOCOL_VERSION") });
    });
  });

  describe("a handshake", () => {
    const dialPlain = (acceptor: Acceptor): Socket =>
      connect(portIn(acceptor.uri), "127.0.0.1")
        .on("error", () => {})
        .resume();

    test("that does not come costs nothing but its time: 200 silent connections are gone", async () => {
      await using acceptor = await listen({ handshakeTimeoutMs: 250 });
      const silent = Array.from({ length: 200 }, () => dialPlain(acceptor));
      await Promise.all(silent.map((socket) => once(socket, "connect")));
      await Promise.all(silent.map((socket) => gone(socket)));
      await expectServing(acceptor);
      expect(acceptor.count).toBe(1);
    });

    test("has a place only while there are not too many of them", async () => {
      await using acceptor = await listen({ maxConnections: 2 });
      const waiting = [dialPlain(acceptor), dialPlain(acceptor)];
      await Promise.all(waiting.map((socket) => once(socket, "connect")));
      await gone(dialPlain(acceptor));
      waiting[0]?.destroy();
      // The listener hears of it in its own time.
      let near: unknown;
      while (!near) near = await transport.dial(acceptor.uri, { tls: { ca } }).catch(() => undefined);
      await part(near as Channel, await acceptor.next());
      waiting[1]?.destroy();
    });

    test("that comes byte by byte gains no time", async () => {
      await using acceptor = await listen({ handshakeTimeoutMs: 250 });
      const slow = dialPlain(acceptor);
      await once(slow, "connect");
      // A record of 16 KiB that never ends.
      slow.write(Buffer.from("1603014000", "hex"));
      const dribble = setInterval(() => slow.write(Buffer.of(1)), 10);
      await gone(slow);
      clearInterval(dribble);
      expect(acceptor.count).toBe(0);
    });

    test("has no more time with TLS done and nothing after it", async () => {
      await using acceptor = await listen({ handshakeTimeoutMs: 250 });
      const socket = connectTls({ port: portIn(acceptor.uri), host: "127.0.0.1", ca });
      await once(socket.resume(), "secureConnect");
      // A channel is the session's to end; what asks for a WebSocket is not one yet.
      if (scheme === "tls") (await acceptor.next()).destroy();
      await gone(socket);
    });

    test.each([
      ["reset at once", ""],
      ["reset in the middle", "160301020001000001"],
      ["of another protocol", Buffer.from("GET / HTTP/1.1\r\nHost: a\r\n\r\n").toString("hex")],
      ["of no protocol", "000000000000000000000000"],
      ["of an impossible length", "160301ffff0100"],
    ])("%s harms nobody else", async (_, hex) => {
      await using acceptor = await listen();
      const [bad, alsoBad] = [dialPlain(acceptor), dialPlain(acceptor)];
      await Promise.all([once(bad, "connect"), once(alsoBad, "connect")]);
      for (const socket of [bad, alsoBad]) if (hex) socket.write(Buffer.from(hex, "hex"));
      bad.resetAndDestroy();
      await expectServing(acceptor);
      alsoBad.resetAndDestroy();
      await expectServing(acceptor);
      expect(acceptor.count).toBe(2);
    });

    test("is not begun with who is not accepted", async () => {
      await using acceptor = await listen({}, { accept: () => false });
      const socket = dialPlain(acceptor);
      let answered = 0;
      socket.on("data", ({ length }) => {
        answered += length;
      });
      socket.write(await clientHello());
      await gone(socket);
      expect(answered).toBe(0);
      await expect(transport.dial(acceptor.uri, { tls: { ca } })).rejects.toMatchObject({ outcome: "not-sent" });
      expect(acceptor.asked).toHaveLength(2);
      expect(acceptor.errors).toEqual([]);
    });

    test("is cut off when the listener closes", async () => {
      const acceptor = await listen();
      const waiting = dialPlain(acceptor);
      await once(waiting, "connect");
      await expectServing(acceptor);
      await Promise.all([acceptor.listener.close(), gone(waiting)]);
    });

    test("that the caller gives up is cancelled", async () => {
      const mute = createServer((socket) => void socket.on("error", () => {}).resume()).listen(0, "127.0.0.1");
      await once(mute, "listening");
      const controller = new AbortController();
      const dial = transport.dial(`${scheme}://127.0.0.1:${portOf(mute)}`, { signal: controller.signal });
      const [socket] = (await once(mute, "connection")) as [Socket];
      controller.abort();
      await expect(dial).rejects.toMatchObject({ code: "cancelled", outcome: "not-sent" });
      await gone(socket);
      mute.close();
    });
  });

  describe("with TCP at the other end", () => {
    test.each([
      ["that goes without a word", "", "unreachable"],
      ["of another protocol", "SSH-2.0-x\r\n", "protocol"],
      ["of HTTP", "HTTP/1.1 400 Bad Request\r\n\r\n", "protocol"],
    ])("a server %s is none of TLS, and the error says so", async (_, text, code) => {
      const plain = createServer((socket) => {
        socket.on("error", () => {});
        socket.once("data", () => socket.end(text));
      }).listen(0, "127.0.0.1");
      await once(plain, "listening");
      const dial = transport.dial(`${scheme}://127.0.0.1:${portOf(plain)}`, { tls: { ca } });
      await expect(dial).rejects.toMatchObject({ code, outcome: "not-sent", message: expect.stringContaining("TLS") });
      plain.close();
    });

    test("a plain client is turned away at once", async () => {
      await using acceptor = await listen();
      const near = probe(await tcpTransport.dial(acceptor.uri.replace(scheme, "tcp"), {}));
      near.channel.write(Buffer.from("\x89farref\n plain bytes of a client without TLS"));
      await near.closed();
      expect(acceptor.count).toBe(0);
      expect(acceptor.errors).toMatchObject([{ code: "protocol" }]);
    });
  });
});

test("a tls listener turns other protocols away by name", async () => {
  await using acceptor = await acceptAt(tlsTransport, "tls://127.0.0.1:0", { tls: server });
  const socket = connectTls({ port: portIn(acceptor.uri), host: "127.0.0.1", ca, ALPNProtocols: ["http/1.1"] });
  const [error] = await once(socket, "error");
  expect(error).toMatchObject({ code: expect.stringContaining("NO_APPLICATION_PROTOCOL") });
});

/** The first bytes of a client that means it. */
async function clientHello(): Promise<Buffer> {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const client: TLSSocket = connectTls({ port: portOf(listener), host: "127.0.0.1" });
  client.on("error", () => {});
  const [socket] = (await once(listener, "connection")) as [Socket];
  const [bytes] = (await once(socket, "data")) as [Buffer];
  client.destroy();
  socket.destroy();
  listener.close();
  return bytes;
}

function portOf(listener: { address(): unknown }): number {
  return (listener.address() as { port: number }).port;
}

function gone(socket: Socket): Promise<void> {
  if (socket.closed) return Promise.resolve();
  return new Promise((resolve) => void socket.on("error", () => {}).on("close", () => resolve()));
}
