import { once } from "node:events";
import { connect } from "node:tls";
import { describeTransport, slicingTransport } from "@farref/conformance";
import { webSocketTransport } from "@farref/transports";
import { createAuthority } from "./certificates.ts";
import { portIn, relayTo } from "./relay.ts";
import { secureTransport } from "./secure-transport.ts";

const authority = createAuthority();
const transport = secureTransport(webSocketTransport, authority);
const setUp = {
  transport,
  freshUri: () => "wss://127.0.0.1:0/farref",
  badUris: [
    "wss://",
    "wss://:443",
    "wss://127.0.0.1:65536/",
    "wss://user:secret@127.0.0.1:443/",
    "https://127.0.0.1:1/",
  ],
  async connectFragile(uri: string) {
    const relay = await relayTo({ port: portIn(uri), host: "127.0.0.1" });
    const socket = connect({ port: relay.port, host: "127.0.0.1", ca: authority.cert });
    socket.on("error", () => {});
    socket.write(
      "GET /farref HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    await once(socket, "data");
    return () => {
      relay.breakOff();
      void relay[Symbol.asyncDispose]();
    };
  },
};

describeTransport("wss", setUp);
describeTransport("wss, byte by byte", { ...setUp, transport: slicingTransport(transport), largestBytes: 400_000 });
