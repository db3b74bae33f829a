// Bundles each entry as a browser would load it and fails when it outgrows its limit (bytes, brotli).
import { brotliCompressSync } from "node:zlib";
import { build } from "esbuild";

const entries = [
  { name: "core", limit: 12_000, code: `export { connect, contract } from '@farref/core'` },
  {
    name: "core + ws client",
    limit: 12_500,
    code: `export { contract } from '@farref/core'; export { connectWebSocket } from '@farref/ws'`,
  },
];

for (const { name, limit, code } of entries) {
  const result = await build({
    stdin: { contents: code, resolveDir: process.cwd(), loader: "js" },
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    platform: "browser",
    target: "es2022",
    external: ["zod"],
    logLevel: "error",
  });
  const bytes = result.outputFiles[0].contents;
  const brotli = brotliCompressSync(bytes).length;
  const over = brotli > limit;
  console.log(`${over ? "OVER" : "ok  "} ${name}: ${bytes.length} B minified, ${brotli} B brotli (limit ${limit})`);
  if (over) process.exitCode = 1;
}
