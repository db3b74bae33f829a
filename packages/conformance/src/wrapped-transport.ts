/** A transport whose channels are wrapped: what fault injection of any kind begins with. */
import type { Channel, Listener, ListenerEvents, ListenOptions, Transport } from "@farref/core";

/** `end` tells which end of a connection a channel is. */
export type WrapChannel = (channel: Channel, end: "dialling" | "listening") => Channel;

export function wrappedTransport(transport: Transport, wrap: WrapChannel): Transport {
  const listen = transport.listen?.bind(transport);
  return {
    schemes: transport.schemes,
    dial: async (uri, options) => wrap(await transport.dial(uri, options), "dialling"),
    ...(listen && { listen: (uri, options) => new WrappingListener(listen(uri, options), wrap) }),
  };
}

class WrappingListener implements Listener {
  readonly #listener: Listener;
  readonly #wrap: WrapChannel;

  constructor(listener: Listener, wrap: WrapChannel) {
    this.#listener = listener;
    this.#wrap = wrap;
  }

  get uri(): string {
    return this.#listener.uri;
  }

  get isPrivate(): boolean {
    return this.#listener.isPrivate;
  }

  configure(options: ListenOptions): void {
    this.#listener.configure?.(options);
  }

  start(on: ListenerEvents): Promise<void> {
    return this.#listener.start({
      accept: (peer) => on.accept(peer),
      channel: (channel) => on.channel(this.#wrap(channel, "listening")),
      error: (error) => on.error(error),
    });
  }

  close(): Promise<void> {
    return this.#listener.close();
  }

  ref(): void {
    this.#listener.ref();
  }

  unref(): void {
    this.#listener.unref();
  }
}
