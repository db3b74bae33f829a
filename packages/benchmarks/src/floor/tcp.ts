/** The floor over TCP. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { Contender } from "../contender.ts";
import { listenOnLoopback, portOf } from "../loopback.ts";
import { floorName } from "../names.ts";
import { service } from "../service.ts";
import { createAnswerer } from "./answerer.ts";
import { createCaller } from "./caller.ts";
import type { Write } from "./frames.ts";

export const floorTcp: Contender = {
  name: floorName,
  transport: "tcp",
  serve() {
    return listenOnLoopback((socket) => {
      socket.on("data", createAnswerer(service, writeTo(socket)));
    });
  },
  async connect(address) {
    const socket = connect({ host: "127.0.0.1", port: portOf(address), noDelay: true });
    await once(socket, "connect");
    const caller = createCaller(writeTo(socket));
    socket.on("data", (chunk: Buffer) => caller.receive(chunk));
    return {
      ...caller,
      async close() {
        socket.destroy();
      },
    };
  },
};

/** Nothing left to write means that the kernel has a copy. */
function writeTo(socket: Socket): Write {
  return (batch) => {
    socket.write(batch);
    return socket.writableLength === 0;
  };
}
