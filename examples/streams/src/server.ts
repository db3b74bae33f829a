/** One HTTP server: it serves the page, and takes the page's WebSockets. */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { startService, webSocketListener } from "farref";
import { Files } from "./files.js";

export interface FilesServer extends AsyncDisposable {
  readonly address: string;
}

/** @param folder what pages may read and write */
export async function startFiles(folder: string, port = 0): Promise<FilesServer> {
  const pages: Readonly<Record<string, { readonly type: string; readonly body: string | Uint8Array }>> = {
    "/": { type: "text/html; charset=utf-8", body: await readFile(new URL("../page/index.html", import.meta.url)) },
    "/page.js": { type: "text/javascript; charset=utf-8", body: await bundle() },
  };
  const server = createServer((request, response) => {
    const page = pages[request.url ?? ""];
    response.writeHead(page ? 200 : 404, { "Content-Type": page?.type ?? "text/plain" });
    response.end(page?.body ?? "Not found.\n");
  });
  const service = await startService(webSocketListener(server, { path: "/files" }), new Files(folder));
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

/** The page's program with farref's browser build, as one module. */
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
