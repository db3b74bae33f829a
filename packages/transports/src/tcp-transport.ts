/** `tcp://host:port`: plain TCP. Nothing is encrypted; beyond loopback a service wants `tls://`. */
import { connect } from "node:net";
import type { Transport } from "@farref/core";
import { unreachable } from "./failures.ts";
import { handOver } from "./listener-events.ts";
import { peerOf } from "./socket/addresses.ts";
import { dialSocket } from "./socket/dial-socket.ts";
import { hostListener } from "./socket/host-listener.ts";
import { SocketChannel } from "./socket/socket-channel.ts";
import { systemReasonOf } from "./system-failures.ts";
import { parseHostUri } from "./uri.ts";

/** Port 0 lets the system choose; the listener's `uri` tells which it chose. */
export const tcpTransport: Transport = {
  schemes: ["tcp"],
  async dial(uri, { signal }) {
    const { host, port } = parseHostUri(uri, "tcp");
    return dialSocket({
      uri,
      signal,
      open: () => connect({ host, port, noDelay: true }),
      connected: "connect",
      toChannel: (socket) => new SocketChannel(socket, peerOf("tcp", socket)),
      failure: (error) => unreachable(uri, systemReasonOf(error), error),
    });
  },
  listen(uri) {
    return hostListener({
      uri,
      scheme: "tcp",
      ...parseHostUri(uri, "tcp"),
      serve: (on) => (socket, peer) => handOver(on, new SocketChannel(socket, peer)),
    });
  },
};
