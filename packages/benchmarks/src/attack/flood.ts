/** The attacker: one connection at a time that sends what it likes, until its time is over. Thrown out, it comes again. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { portOf } from "../loopback.ts";
import type { Attack } from "./attacks.ts";
import { greeting, ready } from "./wire.ts";

/** Returns how many bytes were written. */
export async function flood(attack: Attack, address: string, seconds: number): Promise<number> {
  const endAt = performance.now() + seconds * 1000;
  const { frames } = attack;
  if (!frames) return spin(endAt);
  let bytes = 0;
  while (performance.now() < endAt) {
    const socket = await enter(address);
    if (!attack.reads) socket.pause();
    bytes += await pour(socket, frames, endAt);
    socket.destroy();
  }
  return bytes;
}

async function enter(address: string): Promise<Socket> {
  const socket = connect({ port: portOf(address), host: "127.0.0.1", noDelay: true });
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.write(greeting());
  await once(socket, "data");
  socket.write(ready);
  socket.resume();
  return socket;
}

async function pour(socket: Socket, frames: NonNullable<Attack["frames"]>, endAt: number): Promise<number> {
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
