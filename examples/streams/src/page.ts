/** Runs in the browser. */
import { connect } from "farref";
import type { Files } from "./files.js";

const log = element("log");
const notice = element("notice");
const progress = element("progress") as HTMLProgressElement;
const stop = element("stop") as HTMLButtonElement;
const input = element("file") as HTMLInputElement;

const files = await connect<Files>(`ws://${location.host}/files`);

// #region follow
const lines = await files.tail("server.log");
stop.addEventListener("click", () => void lines.return?.());

async function follow() {
  for await (const line of lines) show(line);
  show("— followed no longer —");
}
// #endregion

// #region upload
async function upload(file: File) {
  for await (const stored of await files.store(file.name, file.stream())) {
    progress.value = stored / file.size;
  }
  notice.textContent = `${file.name} is stored`;
}
// #endregion

input.addEventListener("change", () => {
  const [file] = input.files ?? [];
  if (file) upload(file).catch(fail);
});
input.disabled = false;
follow().catch(fail);

function show(line: string): void {
  const item = document.createElement("li");
  item.textContent = line;
  log.append(item);
}

function fail(error: unknown): void {
  notice.textContent = String(error);
}

function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found;
}
