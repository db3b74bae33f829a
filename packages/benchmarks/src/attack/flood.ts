/** The attacker: connections that send what they like, until their time is over. Thrown out, they come again. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { portOf } from "../loopback.ts";
import type { Attack } from "./attacks.ts";
import { greeting, ready } from "./wire.ts";

/** Who gets the flood: a service, or a bare socket of the same process that throws the same bytes away. */
export interface Victim {
  readonly kind: "service" | "sink";
  readonly address: string;
}

/** Returns how many bytes were written. */
export async function flood(attack: Attack, victim: Victim, seconds: number): Promise<number> {
  const endAt = performance.now() + seconds * 1000;
  const { frames, reads, connections = 1 } = attack;
  if (!frames) return spin(endAt);
  const floods = Array.from({ length: connections }, () => floodOnce(frames, reads, victim, endAt));
  return (await Promise.all(floods)).reduce((sum, bytes) => sum + bytes, 0);
}

async function floodOnce(frames: Frames, reads: boolean, victim: Victim, endAt: number): Promise<number> {
  let bytes = 0;
  while (performance.now() < endAt) {
    const socket = await enter(victim);
    if (!reads) socket.pause();
    bytes += await pour(socket, frames, endAt);
    socket.destroy();
  }
  return bytes;
}

type Frames = NonNullable<Attack["frames"]>;

async function enter({ kind, address }: Victim): Promise<Socket> {
  const socket = connect({ port: portOf(address), host: "127.0.0.1", noDelay: true });
  socket.on("error", () => {});
  await once(socket, "connect");
  if (kind === "service") {
    socket.write(greeting());
    await once(socket, "data");
    socket.write(ready);
  }
  socket.resume();
  return socket;
}

async function pour(socket: Socket, frames: Frames, endAt: number): Promise<number> {
  let id = 1;
  let written = 0;
  while (performance.now() < endAt && !isOver(socket)) {
    const { bytes, nextId } = frames(id);
    id = nextId;
    written += bytes.length;
    if (!socket.write(bytes)) await room(socket, endAt);
  }
  return written;
}

async function room(socket: Socket, endAt: number): Promise<void> {
  while (socket.writableNeedDrain && !isOver(socket) && performance.now() < endAt) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** A socket that nobody reads hears of its end by what it writes. */
function isOver(socket: Socket): boolean {
  return socket.destroyed || socket.readableEnded;
}

async function spin(endAt: number): Promise<number> {
  while (performance.now() < endAt) await new Promise((resolve) => setImmediate(resolve));
  return 0;
}
