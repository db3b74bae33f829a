// Bundles the client as a browser would load it and fails when it outgrows its limit (bytes, min + gzip).
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { build } from "esbuild";

// The goal is 15,000 B; the limit keeps what is there from growing until it is reached.
const entries = [{ name: "browser client", limit: 58_000, goal: 15_000, code: `export { connect } from "farref"` }];

for (const { name, limit, goal, code } of entries) {
  const result = await build({
    stdin: { contents: code, resolveDir: join(import.meta.dirname, "../docs"), loader: "js" },
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    platform: "browser",
    target: "es2022",
    logLevel: "error",
  });
  const bytes = result.outputFiles[0].contents;
  const gzip = gzipSync(bytes, { level: 9 }).length;
  const isOver = gzip > limit;
  const sizes = `${bytes.length} B minified, ${gzip} B gzip, ${brotliCompressSync(bytes).length} B brotli`;
  console.log(`${isOver ? "OVER" : "ok  "} ${name}: ${sizes} (limit ${limit}, goal ${goal} gzip)`);
  if (isOver) process.exitCode = 1;
}
