/**
 * A far object under a contract, at the side that calls it: what the contract lacks is not called, references leave under
 * their own contracts, and what comes back is checked again. Data leaves as it is: it is validated, once, where it arrives.
 */
import { type CallerContract, type CallerMethod, type CallOptions, RpcError } from "@farref/core";
import { isTransforming } from "./definition.ts";
import { describeFailures } from "./issues.ts";
import type { MethodSpec } from "./method.ts";
import { nowhere, type Place, placeOf, type ReferencePlace, referencePlaceOf } from "./place.ts";
import type { Checked, Schema } from "./schema.ts";
import { arriveAt, Sightings } from "./sightings.ts";

export class CallerSide implements CallerContract {
  readonly #methods: ReadonlyMap<string, CallerMethod>;

  constructor(specs: readonly (readonly [name: string, spec: MethodSpec])[]) {
    this.#methods = new Map(specs.map(([name, spec]) => [name, new CheckedMethod(spec)]));
  }

  method(name: string): CallerMethod {
    const method = this.#methods.get(name);
    if (method) return method;
    throw new RpcError("not-exposed", "the contract has no such method", "not-sent");
  }
}

class CheckedMethod implements CallerMethod {
  readonly options: CallOptions | undefined;
  /** By the index of the parameter. */
  readonly #references: readonly (readonly [index: number, place: ReferencePlace])[];
  readonly isOneway: boolean;
  readonly #result: ResultCheck;

  constructor({ params, result, options }: MethodSpec) {
    const { timeoutMs, idempotent, oneway } = options;
    this.isOneway = oneway === true;
    this.options = timeoutMs === undefined && idempotent === undefined ? undefined : { timeoutMs, idempotent };
    this.#references = params.flatMap((schema, index) => {
      const place = referencePlaceOf(schema);
      return place ? [[index, place] as const] : [];
    });
    this.#result = new ResultCheck(result, "result");
  }

  get result(): CallerContract | "any" | undefined {
    return this.#result.calledBy;
  }

  outgoing(args: readonly unknown[]): readonly unknown[] {
    if (this.#references.length === 0) return args;
    const leaving = [...args];
    for (const [index, place] of this.#references) {
      const checked = (place.given ?? place.leaving)(args[index]);
      if (checked.issues) throw invalidArgument(index, checked.issues);
      leaving[index] = checked.value;
    }
    return leaving;
  }

  incoming(result: unknown, references: readonly unknown[]): unknown {
    return this.#result.check(result, references);
  }
}

/**
 * Checks what arrives as a result. It is what the callee's schema put out; the same schema might make something else of
 * it once more, so a caller gets it as it arrived. Where the schema transforms, what it put out need not be what it
 * takes: then there is nothing to check it by, and the schema is only shown the references that came.
 */
export class ResultCheck {
  readonly #root: "result" | "item";
  readonly #schema: Schema | undefined;
  readonly #place: Place;
  readonly #reference: ReferencePlace | undefined;
  #isTransforming: boolean | undefined;

  /** @param root what it is, as an error names it */
  constructor(schema: Schema | undefined, root: "result" | "item") {
    this.#root = root;
    this.#schema = schema;
    this.#place = schema ? placeOf(schema) : nowhere;
    this.#reference = schema && referencePlaceOf(schema);
  }

  /** What calls on the result go by, before it is there; `undefined` where it is data. */
  get calledBy(): CallerContract | "any" | undefined {
    return this.#reference?.calledBy?.();
  }

  /** `references` are the stubs and streams that came in it. @throws RpcError `invalid-result` */
  check(result: unknown, references: readonly unknown[]): unknown {
    if (!this.#schema) return undefined;
    const sightings = references.length > 0 ? new Sightings(references, "result") : undefined;
    this.#isTransforming ??= isTransforming(this.#schema);
    if (this.#isTransforming && !sightings) return result;
    const checked = arriveAt(this.#place, result, sightings);
    return checked instanceof Promise
      ? checked.then((settled) => this.#passed(result, settled, sightings))
      : this.#passed(result, checked, sightings);
  }

  #passed(result: unknown, checked: Checked, sightings: Sightings | undefined): unknown {
    if (checked.issues && !this.#isTransforming) {
      throw invalidResult(describeFailures([{ root: this.#root, issues: checked.issues }]));
    }
    if (sightings && !sightings.isComplete) {
      throw invalidResult(`${this.#root}: an object or a function by reference where the contract has data`);
    }
    return this.#reference && !checked.issues ? checked.value : result;
  }
}

function invalidArgument(index: number, issues: NonNullable<Checked["issues"]>): RpcError {
  return new RpcError("invalid-argument", describeFailures([{ root: `args[${index}]`, issues }]), "not-sent");
}

function invalidResult(detail: string): RpcError {
  return new RpcError("invalid-result", detail, "executed");
}
