/** TCP servers that only this machine can reach. */
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import type { Server } from "./contender.ts";

export async function listenOnLoopback(accept: (socket: Socket) => void): Promise<Server> {
  const server = createServer({ noDelay: true }, accept).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    address: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.close();
    },
  };
}

export function portOf(address: string): number {
  return Number(new URL(address).port);
}
