/** `memory:name`: channels inside one process, with everything a real one has: copies, turns, backpressure, ends. */
import {
  type Channel,
  type DialOptions,
  type Listener,
  type ListenerEvents,
  RpcError,
  systemClock,
  type Transport,
} from "@farref/core";
import { dialAborted, unreachable } from "../failures.ts";
import { handOver, isAccepted } from "../listener-events.ts";
import { listenerClosed, listenerStarted } from "../system-failures.ts";
import { badUri, parseOpaqueUri, quote } from "../uri.ts";
import { memoryChannelPair } from "./memory-channel.ts";
import { listeners } from "./registry.ts";

/** @example await startService("memory:clock", new Clock()); const clock = await connect<Clock>("memory:clock"); */
export const memoryTransport: Transport = {
  schemes: ["memory"],
  dial: (uri, options) => dial(uri, options),
  listen: (uri) => new MemoryListener(uri),
};

type State =
  | { readonly kind: "idle" }
  | { readonly kind: "listening"; readonly on: ListenerEvents }
  | { readonly kind: "closed" };

class MemoryListener implements Listener {
  readonly isPrivate = true;
  readonly #given: string;
  readonly #name: string;
  #state: State = { kind: "idle" };

  constructor(uri: string) {
    this.#given = uri;
    this.#name = parseName(uri);
  }

  get uri(): string {
    return this.#state.kind === "listening" ? this.#given : "";
  }

  async start(on: ListenerEvents): Promise<void> {
    if (this.#state.kind === "closed") throw listenerClosed(this.#given);
    if (this.#state.kind === "listening") throw listenerStarted(this.#given);
    if (listeners.has(this.#name)) {
      throw new RpcError("refused", `listen on ${quote(this.#given)}: the name is in use`, "not-sent");
    }
    listeners.set(this.#name, this);
    this.#state = { kind: "listening", on };
  }

  /** The dialer's end of a new channel, or undefined when the service did not accept it. */
  connect(): Channel | undefined {
    if (this.#state.kind !== "listening") return undefined;
    const { on } = this.#state;
    const [near, far] = memoryChannelPair();
    if (!isAccepted(on, far.peer)) return undefined;
    systemClock.nextTurn(() => handOver(on, far));
    return near;
  }

  async close(): Promise<void> {
    if (listeners.get(this.#name) === this) listeners.delete(this.#name);
    this.#state = { kind: "closed" };
  }

  ref(): void {}
  unref(): void {}
}

async function dial(uri: string, { signal }: DialOptions): Promise<Channel> {
  const name = parseName(uri);
  await new Promise<void>((resolve) => systemClock.nextTurn(resolve));
  if (signal?.aborted) throw dialAborted(uri, signal);
  const listener = listeners.get(name);
  if (!listener) throw unreachable(uri, "nobody listens on this name");
  const channel = listener.connect();
  if (!channel) throw unreachable(uri, "the service did not accept the connection");
  return channel;
}

function parseName(uri: string): string {
  const name = parseOpaqueUri(uri, "memory");
  if (!/^[^\s#]+$/.test(name)) throw badUri(uri, "a name has neither white space nor #");
  return name;
}
