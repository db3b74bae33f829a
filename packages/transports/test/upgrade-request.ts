/** Asks for a WebSocket by hand, with any headers, and tells what the server answered. */
import { request } from "node:http";
import type { Socket } from "node:net";

export interface Answer {
  /** 0 when the server said nothing and hung up. */
  readonly status: number;
  readonly socket?: Socket | undefined;
}

/** Closes the connection again; `keep` leaves an upgraded one to the caller. */
export async function requestUpgrade(uri: string, headers: Record<string, string> = {}): Promise<number> {
  const { status, socket } = await upgrade(uri, headers);
  socket?.destroy();
  return status;
}

export function upgrade(uri: string, headers: Record<string, string> = {}, method = "GET"): Promise<Answer> {
  const asked = request(uri.replace(/^ws/, "http"), {
    method,
    agent: false,
    headers: {
      Connection: "Upgrade",
      Upgrade: "websocket",
      "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
      ...headers,
    },
  });
  asked.end();
  return new Promise((resolve) => {
    asked.on("error", () => resolve({ status: 0 }));
    asked.on("upgrade", ({ statusCode = 0 }, socket: Socket) => {
      socket.on("error", () => {});
      resolve({ status: statusCode, socket });
    });
    asked.on("response", (response) => {
      response.resume();
      resolve({ status: response.statusCode ?? 0, socket: response.socket });
    });
  });
}
