/** Two ends of one channel, the dialer's and the listener's, neither started yet. */
import type { Channel, Transport } from "@farref/core";
import { type Acceptor, acceptAt } from "./acceptor.ts";

export interface Pair extends AsyncDisposable {
  readonly acceptor: Acceptor;
  /** The dialer's end. */
  readonly near: Channel;
  /** The listener's end. */
  readonly far: Channel;
}

/** Disposing the pair destroys both ends and closes the listener. */
export async function openPair(transport: Transport, uri: string): Promise<Pair> {
  const acceptor = await acceptAt(transport, uri);
  const [near, far] = await Promise.all([transport.dial(acceptor.uri, {}), acceptor.next()]);
  return {
    acceptor,
    near,
    far,
    async [Symbol.asyncDispose]() {
      near.destroy();
      far.destroy();
      await acceptor[Symbol.asyncDispose]();
    },
  };
}
