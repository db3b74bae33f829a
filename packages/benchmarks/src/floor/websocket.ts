/** The floor over WebSocket: a turn's frames are one message. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { type RawData, WebSocket, WebSocketServer } from "ws";
import type { Contender } from "../contender.ts";
import { floorName } from "../names.ts";
import { service } from "../service.ts";
import { createAnswerer } from "./answerer.ts";
import { createCaller } from "./caller.ts";
import type { Write } from "./frames.ts";

export const floorWebSocket: Contender = {
  name: floorName,
  transport: "ws",
  async serve() {
    const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
    server.on("connection", (socket) => receiveBy(socket, createAnswerer(service, sendBy(socket))));
    await once(server, "listening");
    return {
      address: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
      async close() {
        for (const socket of server.clients) socket.terminate();
        server.close();
      },
    };
  },
  async connect(address) {
    const socket = new WebSocket(address, { perMessageDeflate: false });
    await once(socket, "open");
    const caller = createCaller(sendBy(socket));
    receiveBy(socket, caller.receive);
    return {
      ...caller,
      async close() {
        socket.terminate();
      },
    };
  },
};

function receiveBy(socket: WebSocket, receive: (chunk: Buffer) => void): void {
  // `nodebuffer`, the default binaryType, makes every message a Buffer.
  socket.on("message", (message: RawData) => receive(message as Buffer));
}

function sendBy(socket: WebSocket): Write {
  return (batch) => {
    socket.send(batch);
    return socket.bufferedAmount === 0;
  };
}
