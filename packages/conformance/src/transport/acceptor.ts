/** A started listener that keeps what it is given until a test asks for it. */
import type { Channel, Listener, ListenerEvents, ListenOptions, PeerAddress, Transport } from "@farref/core";

/** Listens at `uri`. `overrides` replaces single events. */
export async function acceptAt(
  transport: Transport,
  uri: string,
  options: ListenOptions = {},
  overrides: Partial<ListenerEvents> = {},
): Promise<Acceptor> {
  if (!transport.listen) throw new Error(`${transport.schemes[0]} cannot listen`);
  const acceptor = new Acceptor(transport.listen(uri, options));
  await acceptor.start(overrides);
  return acceptor;
}

export class Acceptor implements AsyncDisposable {
  readonly listener: Listener;
  /** Everyone `accept` was asked about. */
  readonly asked: PeerAddress[] = [];
  readonly errors: Error[] = [];
  /** How many channels came in all. */
  count = 0;
  readonly #channels: Channel[] = [];
  readonly #waiting: ((channel: Channel) => void)[] = [];

  constructor(listener: Listener) {
    this.listener = listener;
  }

  start(overrides: Partial<ListenerEvents> = {}): Promise<void> {
    return this.listener.start({
      accept: (peer) => {
        this.asked.push(peer);
        return overrides.accept?.(peer) ?? true;
      },
      channel: (channel) => {
        this.count++;
        if (overrides.channel) overrides.channel(channel);
        else this.#keep(channel);
      },
      error: (error) => {
        this.errors.push(error);
        overrides.error?.(error);
      },
    });
  }

  get uri(): string {
    return this.listener.uri;
  }

  /** The next channel, now or when it comes. */
  next(): Promise<Channel> {
    const channel = this.#channels.shift();
    return channel ? Promise.resolve(channel) : new Promise((resolve) => this.#waiting.push(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.listener.close();
    for (const channel of this.#channels) channel.destroy();
  }

  #keep(channel: Channel): void {
    const resolve = this.#waiting.shift();
    if (resolve) resolve(channel);
    else this.#channels.push(channel);
  }
}
