/** Calls what a service gave its listener, so that nothing it throws ends the process. */
import { type Channel, type ListenerEvents, type PeerAddress, toError } from "@farref/core";

/** Asks the service; a question that fails is a no. */
export function isAccepted(on: ListenerEvents, peer: PeerAddress): boolean {
  try {
    return on.accept(peer);
  } catch (thrown) {
    reportError(on, thrown);
    return false;
  }
}

/** Gives a new channel to the service, which owns it from then on. */
export function handOver(on: ListenerEvents, channel: Channel): void {
  try {
    on.channel(channel);
  } catch (thrown) {
    channel.destroy(toError(thrown));
    reportError(on, thrown);
  }
}

export function reportError(on: ListenerEvents, thrown: unknown): void {
  try {
    on.error(toError(thrown));
  } catch {
    // Whoever hears of errors failed itself: nobody else is there to tell.
  }
}
