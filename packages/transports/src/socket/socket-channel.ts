/** A channel over a connected stream socket of Node: TCP, TLS, a Unix socket, later pipes. */
import type { Socket } from "node:net";
import { type Channel, type ChannelEvents, type PeerAddress, systemClock, type Timer } from "@farref/core";
import { Receiver } from "../receiver.ts";
import { freeMemory } from "./spent-memory.ts";

/** A writer is asked to wait once this much lies unsent in the process: two frames of the largest size. */
const highWaterBytes = 128 * 1024;

/** What a peer gets, after our end, to take what is left and say its own: 10 s, and a second for every 8 KiB. */
export function setLinger(socket: Socket, giveUp: () => void): Timer {
  return systemClock.setTimer(10_000 + socket.writableLength / 8, giveUp);
}

/**
 * `open` until one side ends; `ending` while what was written leaves and the peer says its last; `destroyed` by us.
 */
type State =
  | { readonly kind: "open" }
  | { readonly kind: "ending" }
  | { readonly kind: "failed"; readonly error: Error }
  | { readonly kind: "destroyed"; readonly error: Error | undefined };

export interface SocketChannelOptions {
  /** What `closed` hears of a socket's error; the error itself by default. */
  readonly meaningOf?: (error: Error) => Error;
  readonly openingMs?: number;
}

export class SocketChannel implements Channel {
  readonly peer: PeerAddress;
  readonly openingMs: number | undefined;
  readonly #socket: Socket;
  readonly #receiver: Receiver;
  #state: State = { kind: "open" };
  #awaitsDrain = false;
  #linger: Timer | undefined;

  /** To be made in the turn the socket was connected or accepted in: from then on its errors are heard here. */
  constructor(socket: Socket, peer: PeerAddress, { meaningOf, openingMs }: SocketChannelOptions = {}) {
    socket.on("error", (error) => this.#fail(meaningOf?.(error) ?? error));
    socket.on("end", () => this.#peerEnded());
    socket.on("drain", () => this.#drain());
    socket.on("close", () => this.#close());
    this.peer = peer;
    this.openingMs = openingMs;
    this.#socket = socket;
    this.#receiver = new Receiver((error) => this.destroy(error));
  }

  start(on: ChannelEvents): void {
    this.#receiver.start(on);
    this.#socket.on("data", (bytes: Buffer) => this.#receiver.chunk(bytes));
  }

  write(bytes: Uint8Array): boolean {
    if (this.#state.kind !== "open") return false;
    if (bytes.length > 0) this.#socket.write(bytes);
    this.#awaitsDrain = isOverMark(this.#socket);
    return !this.#awaitsDrain;
  }

  /** The socket gives up what the system has taken at once, and keeps the rest. */
  get isFlushed(): boolean {
    return this.#socket.writableLength === 0;
  }

  giveBack(chunk: Uint8Array): void {
    freeMemory(chunk);
  }

  pause(): void {
    if (this.#receiver.pause()) this.#socket.pause();
  }

  resume(): void {
    if (this.#receiver.resume()) this.#socket.resume();
  }

  /** A pause ends with it: the peer's own end has to be read for the socket to close. */
  end(): void {
    if (this.#state.kind !== "open") return;
    this.#beginEnding();
    this.#socket.end();
    this.resume();
  }

  destroy(error?: Error): void {
    if (this.#state.kind === "destroyed") return;
    this.#state = { kind: "destroyed", error };
    this.#receiver.abandon();
    this.#socket.destroy();
  }

  ref(): void {
    this.#socket.ref();
  }

  unref(): void {
    this.#socket.unref();
  }

  #fail(error: Error): void {
    if (this.#state.kind === "open" || this.#state.kind === "ending") this.#state = { kind: "failed", error };
  }

  /** The socket ends its own side by itself: it was made with `allowHalfOpen: false`. */
  #peerEnded(): void {
    if (this.#state.kind === "open") this.#beginEnding();
  }

  #beginEnding(): void {
    this.#state = { kind: "ending" };
    this.#linger = setLinger(this.#socket, () => this.#giveUp());
  }

  #giveUp(): void {
    this.destroy(this.#socket.writableFinished ? undefined : new Error("the peer stopped reading before the end"));
  }

  #drain(): void {
    if (!this.#awaitsDrain) return;
    this.#awaitsDrain = false;
    this.#receiver.drained();
  }

  #close(): void {
    this.#linger?.cancel();
    if (this.#state.kind === "ending") this.#receiver.closed();
    else if (this.#state.kind === "open") this.#receiver.closed(new Error("the connection was lost"));
    else this.#receiver.closed(this.#state.error);
  }
}

/** Whether a writer should wait; only when the socket has also promised a `drain`. */
export function isOverMark(socket: Socket): boolean {
  return socket.writableLength >= highWaterBytes && socket.writableNeedDrain;
}
