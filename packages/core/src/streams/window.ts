/** How much a consumer lets be sent ahead of what it reads: counted in items, and in bytes of the frames that bring them. */

/** Items that may be under way or unread in one stream. */
export const windowItems = 1_024;
const maxWindowBytes = 512 * 1024;
const minWindowBytes = 16 * 1024;
/** For all streams of a session together. */
const budgetBytes = 16 * 1024 * 1024;

/** An item may have more bytes than were granted; all such excess of a session's streams together is bounded by this. */
export function maxExcessBytes(maxMessageBytes: number): number {
  return 16 * maxMessageBytes;
}

/**
 * The bytes that one of `open` streams may have under way or unread, where the others have `othersBytes`. The more there
 * are the less each has; there is always room for a little, so that none waits for another.
 */
export function windowBytes(open: number, othersBytes: number): number {
  const share = Math.min(maxWindowBytes, budgetBytes / open, budgetBytes - othersBytes);
  return Math.max(minWindowBytes, Math.floor(share));
}
