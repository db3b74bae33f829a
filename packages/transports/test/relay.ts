/** A dumb relay: whoever connects to it is connected to the target, byte for byte. What `ssh -L` is to both ends. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type NetConnectOpts, type Socket } from "node:net";

export interface Relay extends AsyncDisposable {
  readonly port: number;
  /** How many connections came in all. */
  readonly connections: number;
  /** Resets every connection at both sides, as a crash in between does. */
  breakOff(): void;
}

/** Listens at a free port of 127.0.0.1, or at a path. */
export async function relayTo(target: NetConnectOpts, path?: string): Promise<Relay> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((near) => {
    connections++;
    const far = connect(target);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    }
    near.pipe(far).pipe(near);
    near.on("close", () => far.destroy());
    far.on("close", () => near.destroy());
  });
  server.listen(path === undefined ? { port: 0, host: "127.0.0.1" } : { path });
  await once(server, "listening");
  return {
    port: path === undefined ? (server.address() as AddressInfo).port : 0,
    get connections() {
      return connections;
    },
    breakOff: () => sockets.forEach((socket) => void socket.resetAndDestroy()),
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, "close");
    },
  };
}

/** The port in an address. */
export function portIn(uri: string): number {
  return Number(new URL(uri).port);
}
