/** One HTTP server: it serves the page, and takes the page's WebSockets. */
import { createPageServer, listen, type Site } from "@farref/example-kit/page";
import { perSession, startService, webSocketListener } from "farref";
import { Room, Seat } from "./room.js";

export async function startChat(port = 0): Promise<Site> {
  const server = await createPageServer(import.meta.url);

  // #region serve
  const room = new Room();
  const service = await startService(
    webSocketListener(server, { path: "/chat" }),
    perSession((session) => new Seat(room, session)),
  );
  // #endregion

  return listen(server, port, service);
}
