/**
 * What leaves under a contract by reference, or as a stream: only what one of our own schemas has let through. A library's
 * schema may let any value through, a function among data too, and nobody could tell where that would end up.
 */
import { Leaving } from "@farref/core";
import { passed } from "./issues.ts";
import type { Place } from "./place.ts";
import type { Checked } from "./schema.ts";

/** Set while a schema validates, never across a turn: a schema inside another's is asked without a word of why. */
let current: unknown[] | undefined;

/** One of our own schemas lets a value leave. */
export function letLeave(value: unknown): void {
  current?.push(value);
}

/** What a place makes of a result or an item, as it leaves. @throws RpcError `invalid-result` */
export function leaveBy(place: Place, value: unknown, root: "result" | "item"): unknown {
  const permitted: unknown[] = [];
  const sent = (checked: Checked) => leaving(passed(checked, root), permitted);
  const checked = ask(place, value, permitted);
  return checked instanceof Promise ? checked.then(sent) : sent(checked);
}

function ask(place: Place, value: unknown, permitted: unknown[]): Checked | Promise<Checked> {
  const before = current;
  current = permitted;
  try {
    return place.leaving(value);
  } finally {
    current = before;
  }
}

/** In a number or a text stands nothing else. */
function leaving(value: unknown, permitted: readonly unknown[]): unknown {
  const isWhole = (typeof value === "object" && value !== null) || typeof value === "function";
  return isWhole ? new Leaving(value, permitted) : value;
}
