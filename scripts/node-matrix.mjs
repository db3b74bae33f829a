// Runs the node tests on other Node versions, whose binaries come from the npm registry.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";

const versions = process.argv.length > 2 ? process.argv.slice(2) : ["20.20.2", "22.23.3", "24.21.0", "26.10.0"];
const name = `node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`;
const run = (command, args, env) =>
  spawnSync(command, args, { stdio: "inherit", env: { ...process.env, ...env } }).status === 0;

let failed = 0;
for (const version of versions) {
  const dir = resolve("node_modules/.cache/node", version);
  const bin = join(dir, "node_modules", name, "bin");
  if (!existsSync(bin)) {
    mkdirSync(dir, { recursive: true });
    run("npm", ["install", "--silent", "--prefix", dir, "--no-save", "--no-package-lock", `${name}@${version}`]);
  }
  console.log(`\n== Node ${version}`);
  const ok = run(join(bin, "node"), ["node_modules/vitest/vitest.mjs", "run", "--project", "node"], {
    PATH: `${bin}:${process.env.PATH}`,
    TYPE_TESTS: "off",
  });
  if (!ok) failed++;
}
process.exitCode = failed ? 1 : 0;
