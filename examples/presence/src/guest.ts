/** A guest in a process of their own: comes, and goes in one way or another. */
import { ByReference, connect, connectionOf, revoke } from "farref";
import type { Presence } from "./server.js";

// #region guest
export class Guest extends ByReference {
  readonly #name: string;

  constructor(name: string) {
    super();
    this.#name = name;
  }

  greet() {
    return `${this.#name} says hello`;
  }

  [Symbol.dispose]() {
    console.log(`(${this.#name}: nobody holds me any more)`);
  }
}
// #endregion

const [uri = "", name = "", way = ""] = process.argv.slice(2);

// #region ways
const presence = await connect<Presence>(uri);
const me = new Guest(name);
await presence.join(name, me);
console.log(`${name} is at ${uri}`);

if (way === "leaves") revoke(me); // the object is taken back, the connection stays
if (way === "hangs up") await connectionOf(presence).close(); // everything on it goes
// #endregion
