/** An upgrade request that gets no WebSocket: the client is told a number, the program why. */
import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { type ListenerEvents, type PeerAddress, RpcError, type RpcErrorCode } from "@farref/core";
import { reportError } from "../listener-events.ts";

/** Not as it must be, not permitted, nothing there. */
type Status = 400 | 403 | 404;

const codes: Readonly<Record<Status, RpcErrorCode>> = { 400: "protocol", 403: "denied", 404: "not-found" };

export interface RefusedUpgrade {
  readonly status: Status;
  readonly error: RpcError;
}

/** @param why may quote the request, on one line and of bounded length */
export function refusedUpgrade(status: Status, { address }: PeerAddress, why: string): RefusedUpgrade {
  const detail = `a WebSocket for ${address ?? "somebody on this machine"} was refused with ${status}: ${why}`;
  return { status, error: new RpcError(codes[status], detail, "not-sent") };
}

/** Answers and closes, and tells the service. */
export function refuseUpgrade(stream: Duplex, { status, error }: RefusedUpgrade, on: ListenerEvents): void {
  answer(stream, status);
  reportError(on, error);
}

function answer(stream: Duplex, status: Status): void {
  // A connection that breaks before it is a channel is nobody's news.
  stream.on("error", () => {});
  const text = `${STATUS_CODES[status]}\n`;
  stream.once("finish", () => stream.destroy());
  stream.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n` +
      `Content-Type: text/plain\r\nContent-Length: ${text.length}\r\n\r\n${text}`,
  );
}
