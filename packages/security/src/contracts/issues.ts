/**
 * What was wrong with values, in words that a caller may read: at most 16 issues and less than 1 KiB, however many there
 * are. Names and texts of the peer's are cut before anything is done with them, and have their control characters shown.
 */
import { RpcError } from "@farref/core";
import { utf8 } from "../bytes.ts";
import type { Checked, Issue } from "./schema.ts";

/** Issues with one argument, or with the result. */
export interface Failure {
  /** `args[0]` or `result`. */
  readonly root: string;
  readonly issues: readonly Issue[];
}

const maxIssues = 16;
/** Of the 1 KiB of an error's detail; the rest names the call. */
const maxBytes = 880;
const maxLineLength = 240;
const maxSteps = 32;
const maxStepLength = 64;

/** `args[0].user.age: expected number; args[1]: …; and 3 more` */
export function describeFailures(failures: readonly Failure[]): string {
  const lines: string[] = [];
  let bytes = 0;
  for (const line of linesOf(failures)) {
    bytes += utf8(line).length + 2;
    if (bytes > maxBytes) break;
    lines.push(line);
  }
  const left = failures.reduce((count, { issues }) => count + issues.length, -lines.length);
  return lines.join("; ") + (left > 0 ? `; and ${left} more` : "");
}

/** What a schema made of a value of ours. @param root what it is, as an error names it. @throws RpcError `invalid-result` */
export function passed(checked: Checked, root: "result" | "item"): unknown {
  if (!checked.issues) return checked.value;
  throw new RpcError("invalid-result", describeFailures([{ root, issues: checked.issues }]), "executed");
}

function* linesOf(failures: readonly Failure[]): Iterable<string> {
  let count = 0;
  for (const { root, issues } of failures) {
    for (const issue of issues) {
      if (count++ === maxIssues) return;
      yield cut(`${root}${pathText(issue.path)}: ${shown(issue.message, maxLineLength)}`, maxLineLength);
    }
  }
}

function pathText(path: Issue["path"]): string {
  const steps = (path ?? []).slice(0, maxSteps).map((step) => stepText(typeof step === "object" ? step.key : step));
  return steps.join("");
}

/** `.name` where it reads well, `["odd name"]` where it doesn't. */
function stepText(key: PropertyKey): string {
  if (typeof key === "number") return `[${key}]`;
  if (typeof key === "symbol") return "[symbol]";
  const text = shown(key, maxStepLength);
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(text) ? `.${text}` : `["${text.replaceAll('"', '\\"')}"]`;
}

/** Without what a terminal or a log would take for something else than text. */
function shown(text: unknown, maxLength: number): string {
  if (typeof text !== "string") return "invalid";
  return cut(text, maxLength).replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}

function cut(text: string, maxLength: number): string {
  return text.length > maxLength ? `${text.slice(0, maxLength).toWellFormed()}…` : text;
}
