// Packs every public package as it would be published, then checks it with publint and are-the-types-wrong.
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const out = mkdtempSync(join(tmpdir(), "pack-"));
const tgz = (m) => join(out, `${m.name.replace("@", "").replace("/", "-")}-${m.version}.tgz`);
try {
  const manifests = readdirSync("packages").map((dir) => ({
    dir: join("packages", dir),
    ...JSON.parse(readFileSync(join("packages", dir, "package.json"), "utf8")),
  }));
  const results = await Promise.all(
    manifests
      .filter((m) => !m.private)
      .map(async (m) => {
        await run("pnpm", ["pack", "--pack-destination", out], { cwd: m.dir });
        const packed = await run("tar", ["xOf", tgz(m), "package/package.json"]);
        if (/"(workspace|catalog):/.test(packed.stdout)) throw new Error(`${m.name}: unresolved specifier`);
        await run("node_modules/.bin/publint", ["run", tgz(m), "--strict"]);
        await run("node_modules/.bin/attw", [tgz(m), "--profile", "esm-only", "--no-color", "-f", "ascii"]);
        return m.name;
      }),
  );
  console.log(`packed and checked: ${results.join(", ")}`);
} catch (error) {
  console.error(error.stdout ?? "", error.stderr ?? "", error.message);
  process.exitCode = 1;
} finally {
  rmSync(out, { recursive: true, force: true });
}
