/**
 * The far end of the table's trips: a service that knows every row itself, so that it can tell how what arrived differs, and
 * give what it is asked for. Sessions over each transport use it, and a page.
 */
import { difference } from "./difference.ts";
import { refusals } from "./refusals.ts";
import { valueIn, wrappings } from "./table.ts";

export class ValueDesk {
  /** How what arrived differs from the row in its place. */
  check(row: string, where: string, value: unknown): string | undefined {
    return difference(value, valueIn(row, where));
  }

  give(row: string, where: string): unknown {
    return valueIn(row, where);
  }

  fail(row: string, where: string): never {
    throw Object.assign(new Error("carries", { cause: valueIn(row, where) }), { detail: valueIn(row, where) });
  }

  /** Passes it to the block, and tells how what the block answers differs. */
  async ask(row: string, where: string, block: (value: unknown) => unknown): Promise<string | undefined> {
    return difference(await block(valueIn(row, where)), valueIn(row, where));
  }

  take(...values: unknown[]): number {
    return values.length;
  }

  echo(value: unknown): unknown {
    return value;
  }

  giveRefused(row: string, where: string): unknown {
    return refusedIn(row, where);
  }

  failRefused(row: string, where: string): never {
    const value = refusedIn(row, where);
    throw Object.assign(new Error("carries", { cause: value }), { detail: value, kept: 1 });
  }

  async askRefused(row: string, where: string, block: (value: unknown) => unknown): Promise<void> {
    await block(refusedIn(row, where));
  }
}

function refusedIn(row: string, where: string): unknown {
  const refusal = refusals.find(({ name }) => name === row);
  const wrapping = wrappings.find((candidate) => candidate.where === where);
  if (!refusal || !wrapping) throw new RangeError(`there is no ${row} ${where} in the table`);
  return wrapping.wrap(refusal.make());
}
