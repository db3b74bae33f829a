// Runs the pnpm that package.json's `packageManager` names, with nothing but node and npm installed.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

const root = new URL("../", import.meta.url);
const { packageManager } = JSON.parse(readFileSync(new URL("package.json", root), "utf8"));
const [, version] = /^pnpm@([^+]+)/.exec(packageManager) ?? [];
const args = process.argv.slice(2);
const shell = process.platform === "win32";

// Already inside the right pnpm (`pnpm test`): go on with it. Otherwise npx fetches it once and caches it.
const inside = process.env.npm_config_user_agent?.startsWith(`pnpm/${version} `);
const [command, before] = inside ? ["pnpm", []] : ["npx", ["--yes", "--loglevel=error", `pnpm@${version}`]];

const { status, error } = spawnSync(command, [...before, ...args], { cwd: root, stdio: "inherit", shell });
if (error) throw error;
process.exitCode = status ?? 1;
