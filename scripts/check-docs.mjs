// Checks that the documentation says what the code does:
//
// - Every TypeScript block is code that is compiled and run.
//
//     <!-- from: docs/snippets/errors.test.ts#outcomes -->     the region `// #region outcomes` … `// #endregion` of
//     ```ts                                                    that file, or the whole file where none is named
//     …
//     ```
//
// - A text block with such a line before it is what the named script prints.
// - docs/protocol.md has every code of frames and extension types, and docs/concepts.md every limit.
//
// Fails where they differ. `--write` copies the sources into the documents. Needs `tsc -b`.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { defaultLimits } from "../packages/core/dist/limits/limits.js";
import * as extensionTypes from "../packages/core/dist/values/extension-types.js";
import { frame } from "../packages/core/dist/wire/frames.js";

const root = join(import.meta.dirname, "..");
const isWriting = process.argv.includes("--write");
/** What `tsc -b` compiles and the tests or `examples:run` run. */
const isRun = (file) => /^(docs\/snippets|examples\/[^/]+\/src)\/.+\.ts$/.test(file);
const isScript = (file) => /^scripts\/[a-z-]+\.mjs$/.test(file);
const block =
  /(?:^<!-- from: (?<source>\S+) -->\n)?^```(?<language>ts|tsx|typescript|js|javascript|text)\n(?<code>.*?)^```$/gms;

const failures = [];
let checked = 0;
for (const document of documents()) check(document);
for (const [name, code] of Object.entries(frame)) requireRow("docs/protocol.md", `| 0x${hex(code)} | \`${name}\` |`);
for (const code of Object.values(extensionTypes)) requireRow("docs/protocol.md", `| 0x${hex(code)} |`);
for (const [name, limit] of Object.entries(defaultLimits)) {
  requireRow("docs/concepts.md", `| \`${name}\` | ${limit.toLocaleString("en")} |`);
}

for (const failure of failures) console.error(failure);
if (failures.length > 0) process.exitCode = 1;
else console.log(`${checked} blocks are what their sources say`);

function documents() {
  const own = ["README.md", ...markdown("docs")];
  const readmes = ["packages", "examples"].flatMap((parent) =>
    list(parent).map((name) => `${parent}/${name}/README.md`),
  );
  return [...own, ...readmes.filter((file) => text(file) !== undefined)];
}

function markdown(folder) {
  return list(folder)
    .filter((name) => name.endsWith(".md"))
    .map((name) => `${folder}/${name}`);
}

function list(folder) {
  return readdirSync(join(root, folder));
}

function text(file) {
  try {
    return readFileSync(join(root, file), "utf8");
  } catch {
    return undefined;
  }
}

function check(document) {
  const before = text(document);
  const after = before.replace(block, (whole, ...rest) => {
    const { source, code, language } = rest.at(-1);
    if (language === "text" && !source) return whole;
    const line = before.slice(0, rest.at(-3)).split("\n").length;
    checked++;
    const wanted = source ? sourceOf(source) : { why: "a block without <!-- from: file#region --> before it" };
    if (wanted.why) failures.push(`${document}:${line}: ${wanted.why}`);
    else if (wanted.code !== code && !isWriting) failures.push(`${document}:${line}: differs from ${source}`);
    return wanted.why ? whole : `<!-- from: ${source} -->\n\`\`\`${language}\n${wanted.code}\`\`\``;
  });
  if (isWriting && after !== before) writeFileSync(join(root, document), after);
}

/** The code a block must have, or why there is none. */
function sourceOf(source) {
  const [file, region] = source.split("#");
  if (isScript(file)) return { code: execFileSync(process.execPath, [file], { cwd: root, encoding: "utf8" }) };
  if (!isRun(file)) return { why: `${file} is not among the files that are compiled and run` };
  const lines = text(file)?.split("\n");
  if (!lines) return { why: `${file} does not exist` };
  const chosen = region ? regionOf(lines, region) : lines;
  if (!chosen) return { why: `${file} has no region ${region}` };
  return { code: `${dedented(chosen.filter((line) => !isMark(line))).trim()}\n` };
}

function regionOf(lines, region) {
  const start = lines.findIndex((line) => line.trim() === `// #region ${region}`);
  const end = lines.findIndex((line, at) => at > start && line.trim() === "// #endregion");
  return start < 0 || end < 0 ? undefined : lines.slice(start + 1, end);
}

/** A table must have a line that begins so, however wide its columns are. */
function requireRow(document, row) {
  const lines = text(document).replaceAll(/ +/g, " ").split("\n");
  if (!lines.some((line) => line.startsWith(row))) failures.push(`${document}: no row ${row}`);
}

function hex(code) {
  return code.toString(16).padStart(2, "0");
}

function isMark(line) {
  return /^\s*\/\/ #(end)?region\b/.test(line);
}

function dedented(lines) {
  const indents = lines.filter((line) => line.trim()).map((line) => line.search(/\S/));
  const indent = Math.min(...indents);
  return lines.map((line) => line.slice(indent)).join("\n");
}
