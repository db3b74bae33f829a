/** A network that is slow: passes everything on, in its order, and late. */
import { once } from "node:events";
import { type AddressInfo, createServer, connect as dial, type Socket } from "node:net";

export interface LateRelay {
  readonly port: number;
  close(): void;
}

/** Stands before a port of this machine; each byte is `oneWayMs` late, either way. */
export async function lateRelay(port: number, oneWayMs: number): Promise<LateRelay> {
  const server = createServer({ noDelay: true }, (near) => {
    const far = dial({ port, host: "127.0.0.1", noDelay: true });
    passOn(near, far, oneWayMs);
    passOn(far, near, oneWayMs);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, close: () => void server.close() };
}

function passOn(from: Socket, to: Socket, oneWayMs: number): void {
  from.on("error", () => {});
  from.on("data", (bytes) => setTimeout(() => to.write(bytes), oneWayMs));
  from.on("end", () => setTimeout(() => to.end(), oneWayMs));
  from.on("close", () => setTimeout(() => to.destroy(), oneWayMs));
}
