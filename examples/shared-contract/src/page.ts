/** Runs in the browser. */
import { connect, RpcError } from "farref";
import { entry, guestbook, type Signed } from "./guestbook.js";

const form = element("form") as HTMLFormElement;
const name = element("name") as HTMLInputElement;
const text = element("text") as HTMLInputElement;
const unchecked = element("unchecked") as HTMLInputElement;

const front = new URLSearchParams(location.search).has("careless") ? "#careless" : "";

// #region connect
const book = await connect(`ws://${location.host}/guestbook${front}`, { contract: guestbook });
await book.watch((signed) => show(signed)).catch(explain);
// #endregion

form.addEventListener("submit", (event) => {
  event.preventDefault();
  notice("");
  void sign({ name: name.value, text: text.value }).catch(explain);
});

// #region sign
/** The contract's own schema says what is wrong before anything is sent. A page that does not ask it is refused. */
async function sign(given: { name: string; text: string }): Promise<void> {
  const checked = entry.safeParse(given);
  if (checked.success || unchecked.checked) await book.sign(given);
  else
    notice(`not sent: ${checked.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; ")}`);
}
// #endregion

function explain(error: unknown): void {
  notice(error instanceof RpcError ? `${error.code}, ${error.outcome}: ${error.detail}` : String(error));
}

function show({ name, text, at }: Signed): void {
  const item = document.createElement("li");
  item.textContent = `${at.toLocaleTimeString()} ${name}: ${text}`;
  element("log").append(item);
}

function notice(what: string): void {
  element("notice").textContent = what;
}

function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found;
}
