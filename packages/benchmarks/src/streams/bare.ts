/** Chunks over a bare socket: a reader says how many it wants, and they are written as fast as they are taken. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { listenOnLoopback, portOf } from "../loopback.ts";
import { chunk } from "./chunk.ts";
import type { Reader } from "./process.ts";

export async function serveBare(): Promise<string> {
  const server = await listenOnLoopback((socket) => {
    socket.on("data", (request) => void pour(socket, request.readUInt32BE(0)));
  });
  return server.address;
}

async function pour(socket: Socket, count: number): Promise<void> {
  for (let i = 0; i < count; i++) if (!socket.write(chunk)) await once(socket, "drain");
}

export async function bareReader(address: string): Promise<Reader> {
  const socket = connect({ host: "127.0.0.1", port: portOf(address), noDelay: true });
  await once(socket, "connect");
  return {
    async readChunks(count) {
      const request = Buffer.alloc(4);
      request.writeUInt32BE(count);
      socket.write(request);
      return await readBytes(socket, count * chunk.length);
    },
    readNumbers: () => Promise.reject(new Error("a bare socket has one stream, of bytes")),
  };
}

function readBytes(socket: Socket, wanted: number): Promise<number> {
  let bytes = 0;
  return new Promise((resolve) => {
    socket.on("data", function count(read: Buffer) {
      bytes += read.length;
      if (bytes < wanted) return;
      socket.off("data", count);
      resolve(bytes);
    });
  });
}
