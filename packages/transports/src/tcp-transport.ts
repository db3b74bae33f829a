/** `tcp://host:port`: plain TCP. Nothing is encrypted; beyond loopback a service wants `tls://`. */
import { createServer, type Socket } from "node:net";
import type { ListenerEvents, PeerAddress, Transport } from "@farref/core";
import { handOver, isAccepted } from "./listener-events.ts";
import { isLoopback, normalizeAddress } from "./socket/addresses.ts";
import { dialSocket } from "./socket/dial-socket.ts";
import { listen, portOf, ServerListener } from "./socket/server-listener.ts";
import { SocketChannel } from "./socket/socket-channel.ts";
import { formatHostUri, parseHostUri } from "./uri.ts";

/** Port 0 lets the system choose; the listener's `uri` tells which it chose. */
export const tcpTransport: Transport = {
  schemes: ["tcp"],
  async dial(uri, { signal }) {
    const { host, port } = parseHostUri(uri, "tcp");
    return dialSocket({ uri, target: { host, port, noDelay: true }, signal, peerOf: tcpPeer });
  },
  listen(uri) {
    const { host, port } = parseHostUri(uri, "tcp");
    return new ServerListener({
      uri,
      isPrivate: isLoopback(host),
      server: createServer({ noDelay: true }),
      serve: (server, on) => server.on("connection", (socket) => accept(socket, on)),
      bind: async (server) => {
        await listen(server, { host, port });
        return { uri: formatHostUri("tcp", { host, port: portOf(server) }) };
      },
    });
  },
};

/** A socket whose address is already gone cannot be judged, so it is not let in. */
function accept(socket: Socket, on: ListenerEvents): void {
  socket.on("error", ignore);
  const peer = tcpPeer(socket);
  if (peer.address === undefined || !isAccepted(on, peer)) {
    socket.destroy();
    return;
  }
  handOver(on, new SocketChannel(socket, peer));
}

function tcpPeer(socket: Socket): PeerAddress {
  const { remoteAddress, remotePort } = socket;
  return { transport: "tcp", address: remoteAddress && normalizeAddress(remoteAddress), port: remotePort };
}

/** The channel hears of errors itself; before there is one, a broken connection is nobody's news. */
function ignore(): void {}
