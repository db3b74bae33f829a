/** The guestbook itself. Nothing in it checks anything: what gets here is what the contract says. */
import type { Implementation, Remote } from "farref";
import type { guestbook, Signed, Watcher } from "./guestbook.js";

// #region book
export class Guestbook implements Implementation<typeof guestbook> {
  readonly #entries: Signed[] = [];
  readonly #watchers = new Set<Remote<Watcher>>();

  sign(entry: { name: string; text: string }) {
    const signed = { ...entry, at: new Date() };
    this.#entries.push(signed);
    for (const watcher of this.#watchers) void this.#tell(watcher, signed);
    return signed;
  }

  async watch(watcher: Remote<Watcher>) {
    for (const entry of this.#entries) await watcher(entry);
    this.#watchers.add(watcher);
    return this.#entries.length;
  }

  /** Who can't be told has left. */
  async #tell(watcher: Remote<Watcher>, signed: Signed): Promise<void> {
    try {
      await watcher(signed);
    } catch {
      this.#watchers.delete(watcher);
    }
  }
}
// #endregion

/** A server that does not keep to the contract, for the page to notice. */
export class CarelessGuestbook {
  async watch(watcher: (entry: unknown) => Promise<void>): Promise<unknown> {
    const refusal = await watcher({ name: "", text: "no date" }).catch((error: Error) => error.message);
    console.log(`careless server: ${String(refusal).replace(/ of \[remote[^\]]*\]/, "")}`);
    return "several";
  }
}
