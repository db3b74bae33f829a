/** Who is there. A guest is on the list while their object is there, whatever becomes of it. */
import { type Down, monitor, type Remote, release, startService } from "farref";
import type { Guest } from "./guest.js";

const farewell: Record<Down["reason"], string> = {
  disposed: "has left",
  closed: "has hung up",
  "session-lost": "is gone without a word",
  released: "was shown out",
};

// #region presence
export class Presence {
  readonly #guests = new Map<string, Remote<Guest>>();
  readonly #heralds = new Set<Remote<(news: string) => void>>();

  join(name: string, guest: Remote<Guest>) {
    this.#guests.set(name, guest);
    this.#tell(`${name} has come`);
    monitor(guest, ({ reason }) => {
      this.#guests.delete(name);
      this.#tell(`${name} ${farewell[reason]}`);
    });
  }

  /** Gives the guest's object up: the monitor hears of that too. */
  showOut(name: string) {
    const guest = this.#guests.get(name);
    if (guest) release(guest);
  }

  async greetAll() {
    return Promise.all(Array.from(this.#guests.values(), (guest) => guest.greet()));
  }

  /** Listeners are far objects as well: one that is gone is told nothing more. */
  listen(herald: Remote<(news: string) => void>) {
    this.#heralds.add(herald);
    monitor(herald, () => this.#heralds.delete(herald));
  }

  #tell(news: string) {
    for (const herald of this.#heralds) herald(news).catch(() => {});
  }
}
// #endregion

const service = await startService("tcp://127.0.0.1:0", new Presence());
console.log(`presence at ${service.uri}`);
