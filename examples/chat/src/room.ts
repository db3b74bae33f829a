/** The chat room: who is in it, what was said, and what each page may do. */
import type { Remote, Session } from "farref";

export interface Line {
  readonly from: string;
  readonly text: string;
  readonly at: Date;
}

// #region chatter
/** What a page offers: the server calls it. */
export interface Chatter {
  show(line: Line): void;
  present(names: readonly string[]): void;
}
// #endregion

const maxNameLength = 24;
const maxTextLength = 500;
const keptLines = 50;

export class Room {
  readonly #seats = new Set<Seat>();
  readonly #lines: Line[] = [];

  enter(seat: Seat): readonly Line[] {
    this.#seats.add(seat);
    this.#tellWhoIsThere();
    return this.#lines;
  }

  leave(seat: Seat): void {
    if (this.#seats.delete(seat)) this.#tellWhoIsThere();
  }

  say(from: string, text: string): void {
    const line = { from, text, at: new Date() };
    this.#lines.push(line);
    if (this.#lines.length > keptLines) this.#lines.shift();
    for (const seat of this.#seats) void seat.page.show(line);
  }

  #tellWhoIsThere(): void {
    const names = Array.from(this.#seats, (seat) => seat.name);
    for (const seat of this.#seats) void seat.page.present(names);
  }
}

// #region seat
/** What each page gets: its own seat in the room, given up when its session ends. */
export class Seat {
  readonly #room: Room;
  readonly #page: Remote<Chatter>;
  #name = "";

  constructor(room: Room, session: Session) {
    this.#room = room;
    this.#page = session.front<Chatter>();
  }

  /** Takes a name and tells what was said so far. */
  enter(name: string) {
    this.#name = checkedText(name, maxNameLength);
    return this.#room.enter(this);
  }

  say(text: string) {
    if (!this.#name) throw new Error("enter first");
    this.#room.say(this.#name, checkedText(text, maxTextLength));
  }

  [Symbol.dispose]() {
    this.#room.leave(this);
  }

  // Accessors are never offered to the far side.
  get name() {
    return this.#name;
  }

  get page() {
    return this.#page;
  }
}
// #endregion

/** Types are not checked when a program runs: what comes from outside is. */
function checkedText(text: unknown, maxLength: number): string {
  if (typeof text !== "string" || text.trim() === "" || text.length > maxLength) {
    throw new TypeError(`expected a text of 1 to ${maxLength} characters`);
  }
  return text.trim();
}
