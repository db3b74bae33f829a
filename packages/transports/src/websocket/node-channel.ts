/** A channel over a WebSocket in Node, at either end. */
import type { Socket } from "node:net";
import { type Channel, type ChannelEvents, type PeerAddress, RpcError, type Timer } from "@farref/core";
import type { RawData, WebSocket } from "ws";
import { Receiver } from "../receiver.ts";
import { isOverMark, setLinger } from "../socket/socket-channel.ts";
import { closeError, earlyBytes, MessageCutter, maxEarlyMessageBytes, maxMessageBytes } from "./messages.ts";

/** For both ends. Compression would let a small message become a large one. */
export const webSocketLimits = {
  perMessageDeflate: false,
  maxPayload: maxMessageBytes,
  maxFragments: 64,
  // Even 64 bytes at a time make up a whole message.
  maxBufferedChunks: 4096,
  // Text is refused as such, whatever its bytes.
  skipUTF8Validation: true,
} as const;

/** Headers of fragments, and what is half-way of a ping, beside an early message. */
const earlyOverheadBytes = 4 * 1024;

type State =
  | { readonly kind: "open" }
  | { readonly kind: "ending" }
  | { readonly kind: "failed"; readonly error: Error }
  | { readonly kind: "destroyed"; readonly error: Error | undefined };

export class WebSocketChannel implements Channel {
  readonly peer: PeerAddress;
  readonly openingMs: number | undefined;
  readonly #webSocket: WebSocket;
  readonly #socket: Socket;
  readonly #receiver: Receiver;
  readonly #cutter = new MessageCutter();
  readonly #send = (message: Uint8Array): void => this.#webSocket.send(message);
  #state: State = { kind: "open" };
  #awaitsDrain = false;
  #linger: Timer | undefined;

  /** To be made in the turn in which the WebSocket opened; `socket` is the one under it. */
  constructor(webSocket: WebSocket, socket: Socket, peer: PeerAddress, openingMs?: number) {
    webSocket.on("error", (error) => this.#fail(error));
    webSocket.on("message", (message, isBinary) => this.#receive(message, isBinary));
    webSocket.on("close", (code, reason) => this.#close(code, reason.toString("latin1")));
    socket.on("drain", () => this.#drain());
    webSocket.pause();
    this.peer = peer;
    this.openingMs = openingMs;
    this.#webSocket = webSocket;
    this.#socket = socket;
    this.#receiver = new Receiver((error) => this.destroy(error));
    this.#boundEarlyMessages();
  }

  start(on: ChannelEvents): void {
    this.#receiver.start(on);
    this.#webSocket.resume();
  }

  write(bytes: Uint8Array): boolean {
    if (this.#state.kind !== "open" || this.#webSocket.readyState !== this.#webSocket.OPEN) return false;
    this.#cutter.cut(bytes, this.#send);
    this.#awaitsDrain = isOverMark(this.#socket);
    return !this.#awaitsDrain;
  }

  pause(): void {
    if (this.#receiver.pause()) this.#webSocket.pause();
  }

  resume(): void {
    if (this.#receiver.resume()) this.#webSocket.resume();
  }

  /** A pause ends with it: the peer's close frame has to be read for the WebSocket to close. */
  end(): void {
    if (this.#state.kind !== "open") return;
    this.#state = { kind: "ending" };
    this.#linger = setLinger(this.#socket, () => this.destroy(new Error("the peer did not close the WebSocket")));
    this.#webSocket.close(1000);
    this.resume();
  }

  destroy(error?: Error): void {
    if (this.#state.kind === "destroyed") return;
    this.#state = { kind: "destroyed", error };
    this.#receiver.abandon();
    this.#webSocket.terminate();
  }

  ref(): void {
    this.#socket.ref();
  }

  unref(): void {
    this.#socket.unref();
  }

  #receive(message: RawData, isBinary: boolean): void {
    if (isBinary && Buffer.isBuffer(message)) {
      if (message.length > 0) this.#receiver.chunk(message);
      return;
    }
    this.#webSocket.close(1003, "binary messages only");
    this.#fail(new RpcError("protocol", "the peer sent text over a WebSocket of binary messages", "unknown"));
  }

  /** The close frame that tells the peer why still leaves; nothing of the peer's is waited for any more. */
  #fail(error: Error): void {
    if (this.#state.kind === "failed" || this.#state.kind === "destroyed") return;
    this.#state = { kind: "failed", error };
    this.#receiver.abandon();
    this.#linger?.cancel();
    this.#linger = setLinger(this.#socket, () => this.destroy(error));
    this.#socket.destroySoon();
  }

  #drain(): void {
    if (!this.#awaitsDrain) return;
    this.#awaitsDrain = false;
    this.#receiver.drained();
  }

  #close(code: number, reason: string): void {
    this.#linger?.cancel();
    const state = this.#state;
    const isKnown = state.kind === "failed" || state.kind === "destroyed";
    this.#receiver.closed(isKnown ? state.error : closeError(code, reason));
  }

  /** Watches what arrived and is still held back for the rest of its message, until the connection is past its start. */
  #boundEarlyMessages(): void {
    let heldBytes = 0;
    let deliveredBytes = 0;
    const arrive = (bytes: Buffer) => {
      heldBytes += bytes.length;
      if (deliveredBytes >= earlyBytes || heldBytes <= maxEarlyMessageBytes + earlyOverheadBytes) return;
      const detail = `the peer began with a message over ${maxEarlyMessageBytes} bytes`;
      this.destroy(new RpcError("protocol", detail, "unknown"));
    };
    const pass = ({ length }: Buffer) => {
      heldBytes -= headerBytes(length) + length;
    };
    const deliver = (message: RawData) => {
      if (Buffer.isBuffer(message)) {
        pass(message);
        deliveredBytes += message.length;
      }
      if (deliveredBytes < earlyBytes) return;
      this.#socket.off("data", arrive);
      this.#webSocket.off("message", deliver).off("ping", pass).off("pong", pass);
    };
    this.#webSocket.on("message", deliver).on("ping", pass).on("pong", pass);
    this.#socket.on("data", arrive);
  }
}

/** What stands before a message on the wire, a client's mask included. */
function headerBytes(length: number): number {
  if (length < 126) return 6;
  return length < 65_536 ? 8 : 14;
}
