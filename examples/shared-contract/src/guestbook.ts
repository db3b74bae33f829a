/** What server and page agree on. Both import this module, and nothing else of each other. */
import { callback, defineContract, method, type Remote, type Schema } from "farref";
import * as z from "zod";

// #region contract
export const entry = z.strictObject({
  name: z.string().trim().min(1).max(24),
  text: z.string().trim().min(1).max(200),
});

const signed = entry.extend({ at: z.date() });
export type Signed = z.infer<typeof signed>;

/** What the server calls in the page. */
export type Watcher = (entry: Signed) => void;
const watcher: Schema<Watcher, Remote<Watcher>> = callback([signed]);

export const guestbook = defineContract({
  sign: method([entry], signed),
  /** Calls back for each entry, those that are there already first, and says how many these were. */
  watch: method([watcher], z.int()),
});
// #endregion
