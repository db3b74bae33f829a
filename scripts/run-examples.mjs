// Runs every example as a process of its own. Fails when one fails, does not print what it should, or takes too long.
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const maxMs = 30_000;

const examples = [
  { name: "calculator", prints: [/^5 \+ 3 = 8$/m] },
  { name: "tour", prints: [/its balance there is 100$/m, /closed, outcome unknown$/m] },
  {
    name: "shared-hash",
    prints: [
      /^read, then write +\d+ of 400, \d+ lost$/m,
      /^a method at the server +400 of 400$/m,
      /in turn +400 of 400$/m,
    ],
  },
  {
    name: "account",
    prints: [/^as it is +\d+ of 400, \d+ lost$/m, /^serialized +400 of 400$/m, /^the first went, the second refused$/m],
  },
  {
    name: "search",
    prints: [
      /^client: cancelled, Error: nobody needs it/m,
      /^server: stopped at \d+: timeout/m,
      /^client: \d+ ends in 1: /m,
    ],
  },
  { name: "progress", prints: [/^client: 5 of 5$/m, /^server: the listener threw RangeError/m] },
  {
    name: "money",
    prints: [
      /^one is EUR 3\.50, three are EUR 10\.50$/m,
      /^only 2 of tea left, so 2 x tea for EUR 7\.00$/m,
      /^stranger: money \{ cents: 350, currency: 'EUR' \}$/m,
      /^stranger: OutOfStock, only 0 of tea left \{ left: 0 \}$/m,
      /^forged: invalid-argument$/m,
    ],
  },
  { name: "by-reference", prints: [/^copied: +ours \[ 10, 20 \]/m, /^referenced: ours \[ 11, 21 \]/m] },
  {
    name: "presence",
    prints: [
      /^ann has left$/m,
      /^ben has hung up$/m,
      /^cid is gone without a word$/m,
      /^dan was shown out$/m,
      /^there are 0 guests left$/m,
    ],
  },
  { name: "chat", args: ["--check"], prints: [/^ok/m] },
  { name: "streams", args: ["--check"], prints: [/^page: 8388608 bytes are stored, the bar is at 1$/m, /^ok/m] },
  {
    name: "two-roles",
    prints: [
      /^audit: ann write refused \(denied\)$/m,
      /^reader writes: denied: .* \[not-executed\]$/m,
      /^stranger: unauthenticated: .* \[not-sent\]$/m,
    ],
  },
  { name: "shared-contract", args: ["--check"], prints: [/^page: invalid-argument, not-executed: /m, /^ok/m] },
  {
    name: "validating-wrapper",
    prints: [
      /^by-hand:\n(?: .*\n){4} {2}what it has now: 90$/m,
      /^by-contract:\n(?: .*\n){4} {2}what it has now: 95$/m,
    ],
  },
];
/** Not examples themselves. */
const others = ["kit"];

const missing = readdirSync(join(root, "examples")).filter(
  (folder) => !others.includes(folder) && !examples.some(({ name }) => name === folder),
);
for (const name of missing) report(name, "is not run: add it to scripts/run-examples.mjs");
for (const example of examples) await check(example);

async function check({ name, args = [], prints }) {
  const startedAt = performance.now();
  const { output, code } = await run(join("examples", name, "dist/main.js"), args);
  const absent = prints.filter((line) => !line.test(output));
  if (code !== 0 || absent.length > 0) {
    report(
      name,
      `${code === 0 ? "" : `ended with ${code}, `}expected ${absent.map(String).join(" and ") || "no failure"}`,
    );
    console.error(output);
  } else {
    console.log(`ok   ${name} in ${Math.round(performance.now() - startedAt)} ms`);
  }
}

function report(name, what) {
  console.error(`FAIL ${name}: ${what}`);
  process.exitCode = 1;
}

/** In a process group of its own, so that what it started ends with it. */
function run(file, args) {
  const child = spawn(process.execPath, [file, ...args], {
    cwd: root,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      output += `\nstill running after ${maxMs} ms`;
      process.kill(-child.pid, "SIGKILL");
    }, maxMs);
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ output, code });
    });
  });
}
