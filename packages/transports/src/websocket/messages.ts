/**
 * How bytes are cut into WebSocket messages. Boundaries mean nothing, but a message is held whole before it is handed
 * out, so its size is what a stranger can make us hold. A connection therefore begins with small messages:
 *
 *   bytes sent before   0 … 64 KiB   from 64 KiB on
 *   largest message     16 KiB       256 KiB
 *
 * Nobody gets through the first 64 KiB without having proved who he is.
 */

export const maxMessageBytes = 256 * 1024;
export const maxEarlyMessageBytes = 16 * 1024;
export const earlyBytes = 64 * 1024;

/** Orderly: done, going away, no code given. Everything else is a failure. */
const orderlyCodes: ReadonlySet<number> = new Set([1000, 1001, 1005]);

/** Cuts what is written, and knows how much went before. */
export class MessageCutter {
  #sentBytes = 0;

  cut(bytes: Uint8Array, send: (message: Uint8Array) => void): void {
    for (let start = 0; start < bytes.length; ) {
      const end = Math.min(start + this.#allowedBytes(), bytes.length);
      send(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end));
      this.#sentBytes += end - start;
      start = end;
    }
  }

  #allowedBytes(): number {
    return this.#sentBytes < earlyBytes ? maxEarlyMessageBytes : maxMessageBytes;
  }
}

/** What a close code means for the channel: nothing, or an error. */
export function closeError(code: number, reason: string): Error | undefined {
  if (orderlyCodes.has(code)) return undefined;
  if (code === 1006) return new Error("the WebSocket connection was lost");
  return new Error(`the WebSocket was closed with code ${code}${reason && `: ${JSON.stringify(reason)}`}`);
}
