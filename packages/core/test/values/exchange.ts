/** What a caller of the desk does with a row of the table: sends it in every place, by every way there is. */
import { type Remote, RemoteError } from "../../src/index.ts";
import type { ValueDesk } from "./desk.ts";
import { difference } from "./difference.ts";
import { type Row, type Wrapping, wrappings } from "./table.ts";

/** Sends a row in every place and by every way; tells what did not arrive as it had left. Blocks are calls: one is enough. */
export async function exchange(desk: Remote<ValueDesk>, row: Row): Promise<string[]> {
  const isOurs = row.from === "anywhere" || typeof Buffer !== "undefined";
  const trips = wrappings.flatMap((wrapping) => [
    ...(isOurs ? [given(desk, row, wrapping)] : []),
    ...(isOurs && wrapping.where === "alone" ? [asked(desk, row, wrapping)] : []),
    received(desk, row, wrapping),
    caught(desk, row, wrapping),
  ]);
  return (await Promise.all(trips)).flat();
}

type Trip = Promise<string[]>;

async function given(desk: Remote<ValueDesk>, row: Row, { where, wrap }: Wrapping): Trip {
  return told(`${where}, as an argument`, await desk.check(row.name, where, wrap(row.make())));
}

async function received(desk: Remote<ValueDesk>, row: Row, { where, wrap }: Wrapping): Trip {
  return told(`${where}, as a result`, difference(await desk.give(row.name, where), wrap(row.make())));
}

async function asked(desk: Remote<ValueDesk>, row: Row, { where, wrap }: Wrapping): Trip {
  let argument: string | undefined = ": was not called";
  const answer = await desk.ask(row.name, where, (value) => {
    argument = difference(value, wrap(row.make()));
    return wrap(row.make());
  });
  return [...told(`${where}, as a block's argument`, argument), ...told(`${where}, as a block's answer`, answer)];
}

async function caught(desk: Remote<ValueDesk>, row: Row, { where, wrap }: Wrapping): Trip {
  const error = await desk.fail(row.name, where).catch((thrown: unknown) => thrown);
  if (!(error instanceof RemoteError)) return [`${where}, thrown: ${error}`];
  const detail = (error.data as { readonly detail?: unknown } | undefined)?.detail;
  return [
    ...told(`${where}, as the cause of an error`, difference(error.cause, wrap(row.make()))),
    ...told(`${where}, in an error's data`, difference(detail, wrap(row.make()))),
  ];
}

function told(trip: string, found: string | undefined): string[] {
  return found === undefined ? [] : [`${trip}${found}`];
}
