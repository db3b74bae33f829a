/** A page and its program, served on this machine: what the examples with a page share. Nothing here is about farref. */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** A page that can be visited. Disposing it ends its server and what was served with it. */
export interface Site extends AsyncDisposable {
  readonly address: string;
}

/**
 * A server of `page/index.html` and of `src/page.ts`, bundled, that does not listen yet.
 *
 * @param module `import.meta.url` of the module that serves, in a folder beside those two
 */
export async function createPageServer(module: string): Promise<Server> {
  const files: Readonly<Record<string, { readonly type: string; readonly body: string | Uint8Array }>> = {
    "/": { type: "text/html; charset=utf-8", body: await readFile(new URL("../page/index.html", module)) },
    "/page.js": { type: "text/javascript; charset=utf-8", body: await bundle(new URL("../src/page.ts", module)) },
  };
  return createServer((request, response) => {
    const file = files[request.url?.split("?", 1)[0] ?? ""];
    response.writeHead(file ? 200 : 404, { "Content-Type": file?.type ?? "text/plain" });
    response.end(file?.body ?? "Not found.\n");
  });
}

/** Listens on this machine, at a free port where 0 is asked for. `service` ends with the site. */
export async function listen(server: Server, port: number, service: AsyncDisposable): Promise<Site> {
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async [Symbol.asyncDispose]() {
      await service[Symbol.asyncDispose]();
      server.close();
      server.closeAllConnections();
    },
  };
}

/** A program for browsers with all that it imports, as one module. */
async function bundle(program: URL): Promise<Uint8Array> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(program)],
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
