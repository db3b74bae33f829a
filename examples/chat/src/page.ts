/** Runs in the browser. */
import { connect } from "farref";
import type { Chatter, Line, Seat } from "./room.js";

const log = element("log");
const names = element("names");
const form = element("form") as HTMLFormElement;
const input = element("input") as HTMLInputElement;

// #region connect
/** What the server may call. */
const chatter: Chatter = {
  show: (line) => show(line),
  present: (present) => {
    names.textContent = present.join(", ");
  },
};

const seat = await connect<Seat>(`ws://${location.host}/chat`, { front: chatter });
// #endregion

let hasEntered = false;

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = input.value;
  input.value = "";
  void send(text).catch((error: unknown) => note(String(error)));
});

/** The first line is a name, all others are for the room. */
async function send(text: string): Promise<void> {
  if (hasEntered) return seat.say(text);
  for (const line of await seat.enter(text)) show(line);
  hasEntered = true;
  input.placeholder = "say something";
}

function show({ from, text, at }: Line): void {
  note(`${at.toLocaleTimeString()} ${from}: ${text}`);
}

function note(text: string): void {
  const item = document.createElement("li");
  item.textContent = text;
  log.append(item);
}

function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found;
}

input.disabled = false;
