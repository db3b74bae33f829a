/**
 * The suite every transport runs: what `Channel`, `Listener` and `Transport` promise, as sentences. A transport's own
 * test file sets it up in a few lines and adds only what is peculiar to it.
 */
import type { Transport } from "@farref/core";
import { afterEach, beforeEach, describe } from "vitest";
import { type HandleWatch, handleWatch } from "../handle-watch.ts";
import { testClosing } from "./closing.ts";
import { testDelivery } from "./delivery.ts";
import { testDialing } from "./dialing.ts";
import { testListening } from "./listening.ts";

export interface TransportSetUp {
  readonly transport: Transport;
  /** An address to listen on that nobody else uses. */
  freshUri(): string;
  /** Addresses that neither `dial` nor `listen` takes. */
  readonly badUris: readonly string[];
  /** The size of the largest writes, for set-ups that take long over each byte. */
  readonly largestBytes?: number | undefined;
  /** A browser sends everything it was given before it closes, whatever it is told. */
  readonly dropsUnsent?: boolean | undefined;
  /** Connects without farref and returns a way to break that connection off as a crash does, where there is one. */
  connectFragile?(uri: string): Promise<() => void>;
}

export function describeTransport(name: string, setUp: TransportSetUp): void {
  describe(name, () => {
    let watch: HandleWatch;
    beforeEach(() => {
      watch = handleWatch();
    });
    afterEach(() => watch.assertClosed());
    testDelivery(setUp);
    testClosing(setUp);
    testDialing(setUp);
    testListening(setUp);
  });
}
