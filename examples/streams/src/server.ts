/** One HTTP server: it serves the page, and takes the page's WebSockets. */
import { createPageServer, listen, type Site } from "@farref/example-kit/page";
import { startService, webSocketListener } from "farref";
import { Files } from "./files.js";

/** @param folder what pages may read and write */
export async function startFiles(folder: string, port = 0): Promise<Site> {
  const server = await createPageServer(import.meta.url);
  const service = await startService(webSocketListener(server, { path: "/files" }), new Files(folder));
  return listen(server, port, service);
}
