// Checks that every TypeScript block of the documentation is code that is compiled and run.
//
//     <!-- from: docs/snippets/errors.ts#outcomes -->      the region `// #region outcomes` … `// #endregion` of that file,
//     ```ts                                                or the whole file where no region is named
//     …
//     ```
//
// Fails where a block differs from its source, or has none. `--write` copies the sources into the documents.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const isWriting = process.argv.includes("--write");
/** What `tsc -b` compiles and the tests or `examples:run` run. */
const isRun = (file) => /^(docs\/snippets|examples\/[^/]+\/src)\/.+\.ts$/.test(file);
const block =
  /(?:^<!-- from: (?<source>\S+) -->\n)?^```(?<language>ts|tsx|typescript|js|javascript)\n(?<code>.*?)^```$/gms;

const failures = [];
let checked = 0;
for (const document of documents()) check(document);

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

function isMark(line) {
  return /^\s*\/\/ #(end)?region\b/.test(line);
}

function dedented(lines) {
  const indents = lines.filter((line) => line.trim()).map((line) => line.search(/\S/));
  const indent = Math.min(...indents);
  return lines.map((line) => line.slice(indent)).join("\n");
}
