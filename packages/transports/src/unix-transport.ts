/** `unix:/run/a.sock`, `unix:relative.sock`: Unix sockets, open to this user alone unless told otherwise. */
import { connect, createServer, type Socket } from "node:net";
import type { ListenerEvents, PeerAddress, Transport } from "@farref/core";
import { unreachable } from "./failures.ts";
import { handOver, isAccepted } from "./listener-events.ts";
import { dialSocket } from "./socket/dial-socket.ts";
import { ServerListener } from "./socket/server-listener.ts";
import { SocketChannel } from "./socket/socket-channel.ts";
import { systemReasonOf } from "./system-failures.ts";
import { bindPrivately } from "./unix/private-socket.ts";
import { parseUnixUri } from "./unix/unix-path.ts";

/** The file is created with mode 0600, or `unix.mode`, and removed by `close`. */
export const unixTransport: Transport = {
  schemes: ["unix"],
  async dial(uri, { signal }) {
    const path = parseUnixUri(uri);
    return dialSocket({
      uri,
      signal,
      open: () => connect({ path }),
      connected: "connect",
      toChannel: (socket) => new SocketChannel(socket, peer),
      failure: (error) => unreachable(uri, systemReasonOf(error), error),
    });
  },
  listen(uri, options) {
    const path = parseUnixUri(uri);
    const mode = options.unix?.mode ?? 0o600;
    return new ServerListener({
      uri,
      isPrivate: true,
      server: createServer(),
      serve: (server, on) => server.on("connection", (socket) => accept(socket, on)),
      bind: async (server) => ({ uri, release: await bindPrivately(server, path, mode) }),
    });
  },
};

const peer: PeerAddress = { transport: "unix" };

function accept(socket: Socket, on: ListenerEvents): void {
  const channel = new SocketChannel(socket, peer);
  if (isAccepted(on, peer)) handOver(on, channel);
  else channel.destroy();
}
