/** A method under a contract, at the side that runs it: what it gets was validated, and so is what leaves. */
import { type MethodGuard, RpcError } from "@farref/core";
import { describeFailures, type Failure } from "./issues.ts";
import { leaveBy } from "./leavings.ts";
import type { MethodSpec } from "./method.ts";
import { nowhere, type Place, placeOf } from "./place.ts";
import type { Checked } from "./schema.ts";
import { arriveAt, Sightings } from "./sightings.ts";

export class CalleeMethod implements MethodGuard {
  readonly scope: string | undefined;
  readonly timeoutMs: number | undefined;
  readonly #params: readonly Place[];
  readonly #result: Place;

  constructor({ params, result, options }: MethodSpec) {
    this.scope = options.scope;
    this.timeoutMs = options.timeoutMs;
    this.#params = params.map(placeOf);
    this.#result = result ? placeOf(result) : nowhere;
  }

  /** Synchronous schemas are asked synchronously; from the first asynchronous one on, one after the other. */
  prepare(args: unknown[], references: readonly unknown[]): unknown[] | Promise<unknown[]> {
    if (args.length > this.#params.length) throw tooMany(args.length, this.#params.length);
    const sightings = references.length > 0 ? new Sightings(references, "argument") : undefined;
    const preparation = new Preparation(this.#params.length, sightings);
    for (let i = 0; i < this.#params.length; i++) {
      const checked = arriveAt(this.#params[i] as Place, args[i], sightings);
      if (checked instanceof Promise) return this.#prepareRest(args, i, checked, preparation);
      preparation.take(i, checked);
    }
    return preparation.ready();
  }

  async #prepareRest(
    args: unknown[],
    from: number,
    first: Promise<Checked>,
    preparation: Preparation,
  ): Promise<unknown[]> {
    preparation.take(from, await first);
    for (let i = from + 1; i < this.#params.length; i++) {
      preparation.take(i, await arriveAt(this.#params[i] as Place, args[i], preparation.sightings));
    }
    return preparation.ready();
  }

  complete(result: unknown): unknown {
    return leaveBy(this.#result, result, "result");
  }
}

/** The arguments of one call, as far as they are validated. */
class Preparation {
  readonly sightings: Sightings | undefined;
  readonly #values: unknown[];
  #failures: Failure[] | undefined;

  constructor(count: number, sightings: Sightings | undefined) {
    this.#values = new Array(count);
    this.sightings = sightings;
  }

  take(index: number, checked: Checked): void {
    if (checked.issues) {
      this.#failures ??= [];
      this.#failures.push({ root: `args[${index}]`, issues: checked.issues });
    } else {
      this.#values[index] = checked.value;
    }
  }

  /** @throws RpcError `invalid-argument` */
  ready(): unknown[] {
    if (this.#failures) throw invalidArgument(describeFailures(this.#failures));
    if (this.sightings && !this.sightings.isComplete) {
      throw invalidArgument("args: an object or a function by reference where the contract has data");
    }
    return this.#values;
  }
}

function tooMany(given: number, taken: number): RpcError {
  return invalidArgument(`args: ${given} arguments where the contract has ${taken}`);
}

function invalidArgument(detail: string): RpcError {
  return new RpcError("invalid-argument", detail, "not-executed");
}
