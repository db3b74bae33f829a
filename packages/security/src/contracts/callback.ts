/** A place for a function: what it is called with is validated where it lives, what it returns where it is called. */
import { type CallerContract, guardMethod, isRemote, offerInPlaceOf, type Remote, underContract } from "@farref/core";
import type { Arguments, Results } from "./api.ts";
import { CalleeMethod } from "./callee.ts";
import { CallerSide } from "./caller.ts";
import { type MethodSpec, method } from "./method.ts";
import { schemaOf } from "./place.ts";
import { accepted, type Checked, type InputOf, type OutputOf, refused, type Schema, unexpected } from "./schema.ts";
import { currentSightings } from "./sightings.ts";

/** A function as its owner writes it. */
export type Callback<A extends readonly Schema[], R extends Schema> = (...args: Results<A>) => Returned<InputOf<R>>;

// biome-ignore lint/suspicious/noConfusingVoidType: a function that nobody expects a value from may return anything.
type Returned<I> = [I] extends [void] ? void : I | Promise<I>;

/**
 * A schema for functions, by schemas of their parameters and their result. One schema is one type: a function given for
 * it is the same function from afar each time, and is let home by the schema it left by.
 *
 * @example
 * const progress = callback([z.number()]);
 * const files = defineContract({ copy: method([z.string(), progress]) });
 */
export function callback<const A extends readonly Schema[], R extends Schema = Schema<void>>(
  params: A,
  result?: R,
): Schema<Callback<A, R>, Remote<(...args: Arguments<A>) => OutputOf<R>>> {
  const spec: MethodSpec = result ? method(params, result) : method(params);
  const type: FunctionType = {
    guard: new CalleeMethod(spec),
    caller: new CallerSide([["", spec]]),
    offered: new WeakMap(),
  };
  return schemaOf({
    arriving: (value) => arriving(value, type),
    leaving: (value) => leaving(value, type),
    calledBy: () => type.caller,
  });
}

// biome-ignore lint/complexity/noBannedTypes: any callable may be given; it is only ever called through Reflect.apply.
type AnyFunction = Function;

interface FunctionType {
  readonly guard: CalleeMethod;
  readonly caller: CallerContract;
  /** What stands for a function of ours, each time it is sent. */
  readonly offered: WeakMap<AnyFunction, AnyFunction>;
}

const originalKey: unique symbol = Symbol.for("farref.callback") as never;

/** On what stands for a function: its type and the function. */
interface Offered {
  readonly [originalKey]?: { readonly type: FunctionType; readonly original: AnyFunction };
}

function arriving(value: unknown, type: FunctionType): Checked {
  if (typeof value !== "function" || !currentSightings()?.has(value)) return unexpected("a function", value);
  if (isRemote(value)) return accepted(underContract(value, type.caller));
  const home = (value as Offered)[originalKey];
  return home?.type === type ? accepted(home.original) : refused("expected a function of another type");
}

function leaving(value: unknown, type: FunctionType): Checked {
  if (typeof value !== "function") return unexpected("a function", value);
  if (isRemote(value)) return accepted(underContract(value, type.caller));
  const isOffered = (value as Offered)[originalKey]?.type === type;
  return accepted(isOffered ? value : offer(value, type));
}

function offer(original: AnyFunction, type: FunctionType): AnyFunction {
  let offered = type.offered.get(original);
  if (!offered) {
    offered = guardMethod((...args: unknown[]) => Reflect.apply(original, undefined, args), type.guard);
    Object.defineProperty(offered, "name", { value: original.name });
    Object.defineProperty(offered, originalKey, { value: { type, original } });
    type.offered.set(original, offerInPlaceOf(offered, original));
  }
  return offered;
}
