/**
 * A place of a contract: a parameter or a result. Values pass it in one of two ways, arriving from the peer or leaving
 * to it. A library's schema is asked the same both ways; ours, of references, functions and streams, are not.
 */
import { type CallerContract, isStep } from "@farref/core";
import { watchedForm } from "./asynchronous.ts";
import { letLeave } from "./leavings.ts";
import { accepted, type Checked, type Schema } from "./schema.ts";
import { currentSightings } from "./sightings.ts";

export interface Place {
  arriving(value: unknown): Checked | Promise<Checked>;
  leaving(value: unknown): Checked | Promise<Checked>;
}

/** A place for what travels by reference, or as a stream. */
export interface ReferencePlace extends Place {
  arriving(value: unknown): Checked;
  leaving(value: unknown): Checked;
  /** Leaving as an argument, where that is not as a result. */
  given?(value: unknown): Checked;
  /** What calls on it go by at the side that makes them; `any` where nothing was agreed. Streams are not called. */
  calledBy?(): CallerContract | "any" | undefined;
}

const placeKey: unique symbol = Symbol.for("farref.place") as never;

interface ReferenceSchema<I, O> extends Schema<I, O> {
  readonly [placeKey]: ReferencePlace;
}

/** The schema of a place of ours. Inside another library's schema it does its work as well. */
export function schemaOf<I, O>(kind: ReferencePlace): Schema<I, O> {
  const place: ReferencePlace = {
    arriving(value) {
      currentSightings()?.see(value);
      return kind.arriving(value);
    },
    leaving(value) {
      // What a call will return is checked when it is there.
      const checked = isStep(value) ? accepted(value) : kind.leaving(value);
      if (!checked.issues) letLeave(checked.value);
      return checked;
    },
    given: (value) => (isStep(value) ? accepted(value) : (kind.given ?? kind.leaving)(value)),
    calledBy: () => kind.calledBy?.(),
  };
  const validate = (value: unknown) => (currentSightings() ? place.arriving(value) : place.leaving(value));
  const schema: ReferenceSchema<unknown, unknown> = {
    "~standard": { version: 1, vendor: "farref", validate },
    [placeKey]: place,
  };
  return Object.freeze(schema) as Schema<I, O>;
}

/** The place that only a schema of ours has. */
export function referencePlaceOf(schema: Schema): ReferencePlace | undefined {
  return (schema as Partial<ReferenceSchema<unknown, unknown>>)[placeKey];
}

export function placeOf(schema: Schema): Place {
  return referencePlaceOf(schema) ?? new SchemaPlace(schema);
}

class SchemaPlace implements Place {
  readonly #schema: Schema;
  #validate: ((value: unknown) => Checked | PromiseLike<Checked>) | undefined;

  constructor(schema: Schema) {
    this.#schema = schema;
  }

  arriving(value: unknown): Checked | Promise<Checked> {
    // Not before the first value: the definition of a recursive schema is not whole until then.
    this.#validate ??= validation(this.#schema);
    const checked = this.#validate(value);
    return "then" in checked ? Promise.resolve(checked) : checked;
  }

  leaving(value: unknown): Checked | Promise<Checked> {
    return this.arriving(value);
  }
}

/** A library may have promises of its own. */
function validation(schema: Schema): (value: unknown) => Checked | PromiseLike<Checked> {
  const standard = schema["~standard"];
  return watchedForm(schema) ?? ((value) => standard.validate(value));
}

/** The place of a result that there is none of. */
export const nowhere: Place = { arriving: () => accepted(undefined), leaving: () => accepted(undefined) };
