import { once } from "node:events";
import { connect } from "node:tls";
import { describeTransport, slicingTransport } from "@farref/conformance";
import { tlsTransport } from "@farref/transports";
import { createAuthority } from "./certificates.ts";
import { portIn, relayTo } from "./relay.ts";
import { secureTransport } from "./secure-transport.ts";

const authority = createAuthority();
const transport = secureTransport(tlsTransport, authority);
const setUp = {
  transport,
  freshUri: () => "tls://127.0.0.1:0",
  badUris: [
    "tls://127.0.0.1",
    "tls://127.0.0.1:65536",
    "tls://127.0.0.1:80/path",
    "tls://127.0.0.1:80?query",
    "tls://127.0.0.1:80#name",
    "tls://user:secret@127.0.0.1:80",
    "tls://::1:80",
    "tls:127.0.0.1:80",
    "tcp://127.0.0.1:80",
    "",
  ],
  async connectFragile(uri: string) {
    const relay = await relayTo({ port: portIn(uri), host: "127.0.0.1" });
    const socket = connect({ port: relay.port, host: "127.0.0.1", ca: authority.cert });
    socket.on("error", () => {});
    // The server has said all it has to say: only then does Node tell a reset from an end.
    await once(socket, "session");
    return () => {
      relay.breakOff();
      void relay[Symbol.asyncDispose]();
    };
  },
};

describeTransport("tls", setUp);
describeTransport("tls, byte by byte", { ...setUp, transport: slicingTransport(transport), largestBytes: 400_000 });
