/** One HTTP server: it serves the page, and takes the page's WebSockets. */
import { createPageServer, listen, type Site } from "@farref/example-kit/page";
import { implement, startService, webSocketListener } from "farref";
import { CarelessGuestbook, Guestbook } from "./book.js";
import { guestbook } from "./guestbook.js";

export async function startGuestbook(port = 0): Promise<Site> {
  const server = await createPageServer(import.meta.url);

  // #region serve
  const service = await startService(
    webSocketListener(server, { path: "/guestbook" }),
    implement(guestbook, new Guestbook()),
  );
  // #endregion
  service.publish("careless", new CarelessGuestbook());

  return listen(server, port, service);
}
