/** The names that are listened on in this process: the one thing of the memory transport that lives at module level. */
import type { Channel } from "@farref/core";

interface Reachable {
  /** The dialer's end of a new channel, or undefined when the service did not accept it. */
  connect(): Channel | undefined;
}

export const listeners = new Map<string, Reachable>();
