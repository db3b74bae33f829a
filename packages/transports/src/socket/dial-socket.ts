/** Connects a stream socket, or says why not. */
import type { Socket } from "node:net";
import type { Channel } from "@farref/core";
import { dialAborted } from "../failures.ts";

export interface DialPlan<S extends Socket> {
  readonly uri: string;
  readonly signal: AbortSignal | undefined;
  /** Begins to connect. What it throws is what the dial fails with. */
  open(): S;
  /** What the socket emits when it is connected. */
  readonly connected: "connect" | "secureConnect";
  toChannel(socket: S): Channel;
  /** What it means that the socket failed. */
  failure(error: Error, socket: S): Error;
}

export function dialSocket<S extends Socket>(plan: DialPlan<S>): Promise<Channel> {
  const { uri, signal, connected } = plan;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(dialAborted(uri, signal));
    const socket = plan.open();
    const fail = (error: Error) => settle(() => reject(plan.failure(error, socket)));
    const lose = () => fail(new Error("the connection was closed while it was made"));
    const abort = () => settle(() => signal && reject(dialAborted(uri, signal))).destroy();
    const settle = (act: () => void): Socket => {
      socket.off(connected, open).off("close", lose);
      signal?.removeEventListener("abort", abort);
      act();
      return socket;
    };
    const open = () => void settle(() => resolve(plan.toChannel(socket))).off("error", fail);
    socket.on("error", fail).on("close", lose).on(connected, open);
    signal?.addEventListener("abort", abort);
  });
}
