/** One HTTP server: it serves the page, and takes the page's WebSockets. */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { implement, startService, webSocketListener } from "farref";
import { CarelessGuestbook, Guestbook } from "./book.js";
import { guestbook } from "./guestbook.js";

export interface GuestbookServer extends AsyncDisposable {
  readonly address: string;
}

export async function startGuestbook(port = 0): Promise<GuestbookServer> {
  const files: Readonly<Record<string, { readonly type: string; readonly body: string | Uint8Array }>> = {
    "/": { type: "text/html; charset=utf-8", body: await readFile(new URL("../page/index.html", import.meta.url)) },
    "/page.js": { type: "text/javascript; charset=utf-8", body: await bundle() },
  };
  const server = createServer((request, response) => {
    const file = files[request.url?.split("?", 1)[0] ?? ""];
    response.writeHead(file ? 200 : 404, { "Content-Type": file?.type ?? "text/plain" });
    response.end(file?.body ?? "Not found.\n");
  });

  // #region serve
  const service = await startService(
    webSocketListener(server, { path: "/guestbook" }),
    implement(guestbook, new Guestbook()),
  );
  // #endregion
  service.publish("careless", new CarelessGuestbook());

  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async [Symbol.asyncDispose]() {
      await service.close();
      server.close();
      server.closeAllConnections();
    },
  };
}

/** The page's program with the contract, zod and farref's browser build, as one module. */
async function bundle(): Promise<Uint8Array> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("../src/page.ts", import.meta.url))],
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    platform: "browser",
    target: "es2022",
  });
  const [file] = outputFiles;
  if (!file) throw new Error("the bundler made nothing");
  return file.contents;
}
