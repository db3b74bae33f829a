/** A channel over a browser's WebSocket. It cannot stop reading: what comes during a pause waits in memory. */
import { type Channel, type ChannelEvents, type PeerAddress, RpcError, systemClock, type Timer } from "@farref/core";
import { Receiver } from "../receiver.ts";
import { closeError, MessageCutter } from "./messages.ts";

const highWaterBytes = 128 * 1024;

/** A browser does not say when its buffer has emptied; it is asked this often, while a writer waits and only then. */
const pollMs = 10;

/** What `destroy` tells the peer: of the codes a page may send, the first that is not an orderly end. */
const destroyedCode = 4000;

type State = "open" | "ending" | "closed";

export class BrowserChannel implements Channel {
  readonly peer: PeerAddress;
  readonly #webSocket: WebSocket;
  readonly #receiver = new Receiver((error) => this.destroy(error));
  readonly #cutter = new MessageCutter();
  #state: State = "open";
  #poll: Timer | undefined;

  constructor(webSocket: WebSocket, transport: string) {
    this.peer = { transport };
    this.#webSocket = webSocket;
    webSocket.onmessage = ({ data }: MessageEvent<unknown>) => this.#receive(data);
    webSocket.onclose = ({ code, reason }) => this.#close(closeError(code, reason));
  }

  start(on: ChannelEvents): void {
    this.#receiver.start(on);
  }

  write(bytes: Uint8Array): boolean {
    if (this.#state !== "open") return false;
    // The DOM's types ask for bytes of an ArrayBuffer; nothing here is shared memory.
    this.#cutter.cut(bytes, (message) => this.#webSocket.send(message as Uint8Array<ArrayBuffer>));
    if (this.#webSocket.bufferedAmount < highWaterBytes) return true;
    this.#poll ??= systemClock.setTimer(pollMs, () => this.#askForRoom());
    return false;
  }

  pause(): void {
    if (this.#state === "open") this.#receiver.pause();
  }

  resume(): void {
    this.#receiver.resume();
  }

  end(): void {
    if (this.#state !== "open") return;
    this.#state = "ending";
    this.#webSocket.close(1000);
    this.resume();
  }

  destroy(error?: Error): void {
    if (this.#state === "closed") return;
    this.#receiver.abandon();
    this.#webSocket.close(destroyedCode);
    systemClock.nextTurn(() => this.#receiver.closed(error));
    this.#forget();
  }

  #receive(data: unknown): void {
    if (!(data instanceof ArrayBuffer)) {
      this.destroy(new RpcError("protocol", "the peer sent text over a WebSocket of binary messages", "unknown"));
    } else if (data.byteLength > 0) {
      this.#receiver.chunk(new Uint8Array(data));
    }
  }

  #askForRoom(): void {
    this.#poll = undefined;
    if (this.#webSocket.bufferedAmount === 0) this.#receiver.drained();
    else this.#poll = systemClock.setTimer(pollMs, () => this.#askForRoom());
  }

  #close(error: Error | undefined): void {
    this.#receiver.closed(error);
    this.#forget();
  }

  #forget(): void {
    this.#state = "closed";
    this.#poll?.cancel();
    this.#webSocket.onmessage = null;
    this.#webSocket.onclose = null;
  }
}
