/** Listens at `scheme://host:port`, and asks who is there before a byte is answered. */
import { createServer, type Socket } from "node:net";
import type { Listener, ListenerEvents, PeerAddress } from "@farref/core";
import { isAccepted } from "../listener-events.ts";
import { formatHostUri, type HostAddress } from "../uri.ts";
import { isLoopback, peerOf } from "./addresses.ts";
import { listen, portOf, ServerListener } from "./server-listener.ts";

export interface HostPlan extends HostAddress {
  /** The address as it was asked for. */
  readonly uri: string;
  readonly scheme: string;
  readonly path?: string | undefined;
  /** Where it is not the connection's own address that counts, whoever counts is asked for later. */
  readonly asksLater?: ((peer: PeerAddress) => boolean) | undefined;
  /** Called once, when it begins to listen; what it returns is given every connection that was let in. */
  serve(on: ListenerEvents): (socket: Socket, peer: PeerAddress) => void;
  /** Ends what is connected but no channel yet. */
  dropPending?(): void;
}

export function hostListener(plan: HostPlan): Listener {
  const { uri, scheme, host, port, path } = plan;
  return new ServerListener({
    uri,
    isPrivate: isLoopback(host),
    server: createServer({ noDelay: true }),
    serve: (server, on) => {
      const enter = plan.serve(on);
      server.on("connection", (socket) => {
        const peer = admit(socket, plan, on);
        if (peer) enter(socket, peer);
      });
    },
    bind: async (server) => {
      await listen(server, { host, port });
      return { uri: formatHostUri(scheme, { host, port: portOf(server) }, path) };
    },
    dropPending: () => plan.dropPending?.(),
  });
}

/** A socket whose address is already gone cannot be judged, so it is not let in. */
function admit(socket: Socket, { scheme, asksLater }: HostPlan, on: ListenerEvents): PeerAddress | undefined {
  socket.on("error", ignore);
  const peer = peerOf(scheme, socket);
  if (peer.address !== undefined && (asksLater?.(peer) || isAccepted(on, peer))) return peer;
  socket.destroy();
  return undefined;
}

/** A channel hears of errors itself; before there is one, a broken connection is nobody's news. */
function ignore(): void {}
