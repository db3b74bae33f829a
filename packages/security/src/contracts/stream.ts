/**
 * A place for a stream. Its items are validated one by one: those of a result as they leave, those of an argument as they
 * arrive, both at the side that serves; and those of a result once more at a caller who has the contract. An item that
 * is refused ends the stream.
 */
import { arrivedStream, leavingStream, RpcError } from "@farref/core";
import { ResultCheck } from "./caller.ts";
import { describeFailures } from "./issues.ts";
import { leaveBy } from "./leavings.ts";
import { type Place, placeOf, type ReferencePlace, referencePlaceOf, schemaOf } from "./place.ts";
import { accepted, type Checked, type InputOf, type OutputOf, type Schema, unexpected } from "./schema.ts";
import { arriveAt, currentSightings, Sightings } from "./sightings.ts";

/**
 * A schema for async iterables and `ReadableStream`s, by a schema of their items. Whatever leaves, an async iterator
 * arrives, and what a generator returns at last is left out.
 *
 * @example
 * const log = defineContract({ lines: method([], stream(z.string())) });
 */
export function stream<I extends Schema>(
  item: I,
): Schema<AsyncIterable<InputOf<I>>, AsyncIterableIterator<OutputOf<I>>> {
  const items = placeOf(item);
  const results = new ResultCheck(item, "item");
  const reference = referencePlaceOf(item);
  const argument = (value: unknown, references: readonly unknown[]) => argumentItem(items, value, references);
  return schemaOf({
    arriving: (value) => arriving(value, argument, (received, references) => results.check(received, references)),
    leaving: (value) => leaving(value, (sent) => leaveBy(items, sent, "item")),
    // Data leaves as it is: it is validated where it arrives.
    given: (value) => leaving(value, reference && ((sent) => givenItem(reference, sent))),
  });
}

type ArrivingCheck = (item: unknown, references: readonly unknown[]) => unknown;

function arriving(value: unknown, argument: ArrivingCheck, result: ArrivingCheck): Checked {
  const sightings = currentSightings();
  const isSeen = sightings?.has(value) ?? false;
  const arrived = isSeen && arrivedStream(value, sightings?.as === "argument" ? argument : result);
  return arrived ? accepted(arrived) : unexpected("a stream", value);
}

function leaving(value: unknown, check: ((item: unknown) => unknown) | undefined): Checked {
  const sent = leavingStream(value, check);
  return sent ? accepted(sent) : unexpected("a stream", value);
}

/** An item of an argument, where it is read. @throws RpcError `invalid-argument` */
function argumentItem(place: Place, item: unknown, references: readonly unknown[]): unknown {
  const sightings = references.length > 0 ? new Sightings(references, "argument") : undefined;
  const taken = (checked: Checked) => {
    const value = passedArgument(checked, "executed");
    if (!sightings || sightings.isComplete) return value;
    throw invalidArgument("item: an object or a function by reference where the contract has data", "executed");
  };
  const checked = arriveAt(place, item, sightings);
  return checked instanceof Promise ? checked.then(taken) : taken(checked);
}

/** An item of an argument that is no data, where it is made. @throws RpcError `invalid-argument` */
function givenItem(place: ReferencePlace, item: unknown): unknown {
  return passedArgument((place.given ?? place.leaving)(item), "not-sent");
}

function passedArgument(checked: Checked, outcome: "executed" | "not-sent"): unknown {
  if (!checked.issues) return checked.value;
  throw invalidArgument(describeFailures([{ root: "item", issues: checked.issues }]), outcome);
}

function invalidArgument(detail: string, outcome: "executed" | "not-sent"): RpcError {
  return new RpcError("invalid-argument", detail, outcome);
}
