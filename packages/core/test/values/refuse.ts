/** What a caller of the desk does with a row that is refused: tries to send it in every place, by every way there is. */
import { type Remote, RemoteError, RpcError } from "../../src/index.ts";
import type { ValueDesk } from "./desk.ts";
import type { RefusalRow } from "./refusals.ts";
import { type Wrapping, wrappings } from "./table.ts";

/** Tells which attempts were not refused as they should be: by its sender, with the path, the cure and the outcome. */
export async function refuse(desk: Remote<ValueDesk>, row: RefusalRow): Promise<string[]> {
  const attempts = wrappings.flatMap((wrapping) => {
    const isAwaited = row.isAwaited && wrapping.where === "alone";
    return [
      given(desk, row, wrapping),
      asked(desk, row, wrapping),
      thrown(desk, row, wrapping),
      ...(isAwaited ? [] : [received(desk, row, wrapping), answered(desk, row, wrapping)]),
    ];
  });
  return (await Promise.all(attempts)).flat();
}

type Attempt = Promise<string[]>;

async function given(desk: Remote<ValueDesk>, row: RefusalRow, wrapping: Wrapping): Attempt {
  const { where, wrap } = wrapping;
  const [first, second] = [
    await failureOf(desk.take(wrap(row.make()))),
    await failureOf(desk.take(0, wrap(row.make()))),
  ];
  return [
    ...told(`${where}, as an argument`, refusal(first, "not-sent", "args[0]", row, wrapping)),
    ...told(`${where}, as a second argument`, refusal(second, "not-sent", "args[1]", row, wrapping)),
  ];
}

async function received(desk: Remote<ValueDesk>, row: RefusalRow, wrapping: Wrapping): Attempt {
  const failure = await failureOf(desk.giveRefused(row.name, wrapping.where));
  return told(`${wrapping.where}, as a result`, refusal(failure, "executed", "result", row, wrapping));
}

async function asked(desk: Remote<ValueDesk>, row: RefusalRow, wrapping: Wrapping): Attempt {
  let isCalled = false;
  const failure = await failureOf(
    desk.askRefused(row.name, wrapping.where, () => {
      isCalled = true;
    }),
  );
  const found = isCalled ? "the block was called" : passedOn(failure, "not-sent", "args[0]", row, wrapping);
  return told(`${wrapping.where}, as a block's argument`, found);
}

async function answered(desk: Remote<ValueDesk>, row: RefusalRow, wrapping: Wrapping): Attempt {
  const failure = await failureOf(desk.ask("null", "alone", () => wrapping.wrap(row.make())));
  return told(`${wrapping.where}, as a block's answer`, passedOn(failure, "executed", "result", row, wrapping));
}

/** An error is not lost for what it carries. */
async function thrown(desk: Remote<ValueDesk>, row: RefusalRow, { where }: Wrapping): Attempt {
  const failure = await failureOf(desk.failRefused(row.name, where));
  if (!(failure instanceof RemoteError) || failure.message !== "carries") return [`${where}, thrown: ${failure}`];
  const { kept, ...others } = failure.data as { readonly kept?: unknown };
  const isLess = kept === 1 && Object.keys(others).length === 0 && !Object.hasOwn(failure, "cause");
  return isLess ? [] : [`${where}, thrown: carries more or less than what can be sent`];
}

function refusal(
  failure: unknown,
  outcome: string,
  root: string,
  row: RefusalRow,
  { path }: Wrapping,
): string | undefined {
  if (!(failure instanceof RpcError)) return `${failure}`;
  const isNamed = failure.code === "unsupported-value" && failure.outcome === outcome;
  return isNamed && isTold(failure.message, `${root}${path}${row.path}: `, row) ? undefined : `${failure}`;
}

/** What our block, or the call of it, was refused for, as the method lets it through. */
function passedOn(
  failure: unknown,
  outcome: string,
  root: string,
  row: RefusalRow,
  { path }: Wrapping,
): string | undefined {
  if (!(failure instanceof RemoteError)) return `${failure}`;
  const { outcome: told } = failure.data as { readonly outcome?: unknown };
  const isNamed = failure.code === "unsupported-value" && told === outcome;
  return isNamed && isTold(failure.message, `${root}${path}${row.path}: `, row) ? undefined : `${failure}`;
}

function isTold(message: string, path: string, { cure }: RefusalRow): boolean {
  return message.includes(` ${path}`) && cure.test(message);
}

function told(attempt: string, found: string | undefined): string[] {
  return found === undefined ? [] : [`${attempt}: ${found}`];
}

function failureOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    (value) => `not refused, but answered ${typeof value}`,
    (error: unknown) => error,
  );
}
