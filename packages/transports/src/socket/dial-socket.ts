/** Connects a stream socket, or says why not. */
import { connect, type NetConnectOpts, type Socket } from "node:net";
import type { Channel, PeerAddress } from "@farref/core";
import { dialAborted, unreachable } from "../failures.ts";
import { SocketChannel } from "./socket-channel.ts";

interface DialPlan {
  readonly uri: string;
  readonly target: NetConnectOpts;
  readonly signal: AbortSignal | undefined;
  peerOf(socket: Socket): PeerAddress;
}

export function dialSocket({ uri, target, signal, peerOf }: DialPlan): Promise<Channel> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(dialAborted(uri, signal));
    const socket = connect(target);
    const fail = (error: Error) => settle(() => reject(unreachable(uri, error)));
    const lose = () => fail(new Error("the connection was closed while it was made"));
    const abort = () => settle(() => signal && reject(dialAborted(uri, signal))).destroy();
    const settle = (act: () => void) => {
      socket.off("connect", open).off("close", lose);
      signal?.removeEventListener("abort", abort);
      act();
      return socket;
    };
    const open = () => settle(() => resolve(new SocketChannel(socket, peerOf(socket)))).off("error", fail);
    socket.on("error", fail).on("close", lose).on("connect", open);
    signal?.addEventListener("abort", abort);
  });
}
