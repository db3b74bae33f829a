/** `tls://host:port`: TCP that nobody reads or writes on the way, to a server that shows who it is. */
import { createServer, type TLSSocket } from "node:tls";
import type { Listener, ListenerEvents, ListenOptions, Transport } from "@farref/core";
import { handOver, reportError } from "./listener-events.ts";
import { peerOf } from "./socket/addresses.ts";
import { dialSocket } from "./socket/dial-socket.ts";
import { hostListener } from "./socket/host-listener.ts";
import { Newcomers } from "./socket/newcomers.ts";
import { SocketChannel } from "./socket/socket-channel.ts";
import { acceptFailure } from "./tls/accept-failure.ts";
import { secured } from "./tls/certificate.ts";
import { connectTls, dialTlsFailure, tlsChannelError } from "./tls/connect-tls.ts";
import { serverOptions, withOptionsOf } from "./tls/tls-options.ts";
import { parseHostUri } from "./uri.ts";

/** Port 0 lets the system choose. Listening takes `tls: { key, cert }`; dialing verifies the server unless told not to. */
export const tlsTransport: Transport = {
  schemes: ["tls"],
  async dial(uri, { signal, tls }) {
    const address = parseHostUri(uri, "tls");
    return dialSocket({
      uri,
      signal,
      open: () => connectTls(uri, address, { ALPNProtocols: [protocol], ...tls }),
      connected: "secureConnect",
      toChannel: (socket) => new SocketChannel(socket, secured(peerOf("tls", socket), socket), meaning),
      failure: (error, socket) => dialTlsFailure(uri, error, socket),
    });
  },
  listen,
};

/** What both sides call it, so that a page or a mail that was misdirected here is turned away by TLS itself. */
const protocol = "farref";
const meaning = { meaningOf: tlsChannelError };

/**
 * Connections are accepted by a server of TCP and given to one of TLS that never listens itself: whoever is refused is
 * gone before a byte of TLS, and the time of a handshake is ours to end.
 */
function listen(uri: string, options: ListenOptions): Listener {
  const address = parseHostUri(uri, "tls");
  const tls = { ALPNProtocols: [protocol], ...serverOptions(options.tls, uri) };
  const secure = withOptionsOf(uri, () => createServer(tls));
  const newcomers = new Newcomers(options);
  const receive = (socket: TLSSocket, on: ListenerEvents): void => {
    const arrived = newcomers.takeOut(socket);
    if (!arrived) {
      socket.destroy();
      return;
    }
    const { peer, openingMs } = arrived;
    handOver(on, new SocketChannel(socket, secured(peer, socket), { ...meaning, openingMs }));
  };
  return hostListener({
    uri,
    scheme: "tls",
    ...address,
    serve: (on) => {
      secure.on("secureConnection", (socket) => receive(socket, on));
      secure.on("tlsClientError", (error, socket) => {
        reportError(on, acceptFailure(error, socket));
        socket.destroy();
      });
      return (socket, peer) => {
        if (newcomers.add(socket, peer)) secure.emit("connection", socket);
      };
    },
    dropPending: () => newcomers.cutOff(),
  });
}
