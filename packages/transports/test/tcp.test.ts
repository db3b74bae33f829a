import { once } from "node:events";
import { connect } from "node:net";
import { acceptAt, describeTransport, slicingTransport } from "@farref/conformance";
import { tcpTransport } from "@farref/transports";
import { describe, expect, test } from "vitest";

const setUp = {
  transport: tcpTransport,
  freshUri: () => "tcp://127.0.0.1:0",
  badUris: [
    "tcp://127.0.0.1",
    "tcp://127.0.0.1:",
    "tcp://127.0.0.1:65536",
    "tcp://127.0.0.1:-1",
    "tcp://127.0.0.1:1e3",
    "tcp://:80",
    "tcp://127.0.0.1:80/path",
    "tcp://127.0.0.1:80?query",
    "tcp://127.0.0.1:80#name",
    "tcp://user:secret@127.0.0.1:80",
    "tcp://user@127.0.0.1:80",
    "tcp://127.0.0.1 :80",
    "tcp://127.0.0.1:80\n",
    "tcp://::1:80",
    "tcp://[::1:80",
    "tcp://[127.0.0.1]:80",
    "tcp:127.0.0.1:80",
    "//127.0.0.1:80",
    "ws://127.0.0.1:80",
    "",
  ],
  async connectFragile(uri: string) {
    const socket = connect(Number(uri.split(":").at(-1)), "127.0.0.1");
    socket.on("error", () => {});
    await once(socket, "connect");
    return () => void socket.resetAndDestroy();
  },
};

describeTransport("tcp", setUp);
describeTransport("tcp, byte by byte", { ...setUp, transport: slicingTransport(tcpTransport), largestBytes: 400_000 });

describe("tcp addresses", () => {
  test("IPv6 addresses stand in brackets, and peers are told apart by normalised addresses", async () => {
    await using acceptor = await acceptAt(tcpTransport, "tcp://[::1]:0");
    expect(acceptor.uri).toMatch(/^tcp:\/\/\[::1\]:\d+$/);
    const near = await tcpTransport.dial(acceptor.uri, {});
    const far = await acceptor.next();
    expect(far.peer).toMatchObject({ transport: "tcp", address: "::1" });
    near.destroy();
    far.destroy();
  });

  test("an IPv4 peer of a dual-stack listener has an IPv4 address", async () => {
    await using acceptor = await acceptAt(tcpTransport, "tcp://[::ffff:127.0.0.1]:0");
    const near = await tcpTransport.dial(acceptor.uri.replace("[::ffff:127.0.0.1]", "127.0.0.1"), {});
    const far = await acceptor.next();
    expect(far.peer.address).toBe("127.0.0.1");
    near.destroy();
    far.destroy();
  });

  test("only loopback is private", () => {
    const isPrivate = (host: string) => tcpTransport.listen?.(`tcp://${host}:1`, {}).isPrivate;
    for (const host of ["127.0.0.1", "127.8.9.1", "localhost", "LocalHost", "[::1]", "[0:0:0:0:0:0:0:1]"]) {
      expect([host, isPrivate(host)]).toEqual([host, true]);
    }
    for (const host of ["0.0.0.0", "[::]", "10.0.0.1", "127.0.0.1.evil.com", "localhost.evil.com", "128.0.0.1"]) {
      expect([host, isPrivate(host)]).toEqual([host, false]);
    }
  });

  test("a name that does not resolve is unreachable", async () => {
    const dial = tcpTransport.dial("tcp://no-such-host.invalid:1", {});
    await expect(dial).rejects.toMatchObject({ code: "unreachable", outcome: "not-sent" });
  });
});
