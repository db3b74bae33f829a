/** Errors as replies: what farref refused, and what a method threw, both directions side by side. */
import { printable } from "../errors/printable.ts";
import { RemoteError } from "../errors/remote-error.ts";
import { isRpcErrorCode, type Outcome, RpcError } from "../errors/rpc-error.ts";
import type { Codec, Exporter, ValueLimits } from "../values/codec.ts";
import { kindOf, nameOf } from "../values/errors-as-values.ts";
import { UnknownValue } from "../values/unknown-values.ts";
import { ByteWriter } from "../wire/byte-writer.ts";

/** Refusals are farref's own words; they need no room for more. */
const maxDetailLength = 1_024;

/** Three short strings. A peer whose own limits have no room even for them is told all the same: that may not fail. */
export const refusalLimits: ValueLimits = { maxDepth: 2, maxNodes: 8 };

export function refusalParts(error: RpcError): readonly unknown[] {
  return [error.code, error.detail.slice(0, maxDetailLength), error.outcome];
}

/** @param told names the call that failed, for the message */
export function refusalFrom(parts: readonly unknown[], told: string): RpcError {
  const [code, detail, outcome] = parts;
  return new RpcError(
    typeof code === "string" && isRpcErrorCode(code) ? code : "internal",
    `${told}: ${typeof detail === "string" ? printable(detail, maxDetailLength) : "refused"}`,
    isOutcome(outcome) ? outcome : "unknown",
  );
}

function isOutcome(value: unknown): value is Outcome {
  return value === "not-sent" || value === "not-executed" || value === "unknown" || value === "executed";
}

/** What a method threw, as a list of values: name, message, code, data, cause in a list of its own where there is one. */
export interface Thrown {
  /** Of a registered class the error itself, or what came of one whose class is not registered here: the rest is empty. */
  readonly name: string | object;
  readonly message: string;
  readonly code: string | number | undefined;
  readonly data: unknown;
  readonly cause: readonly unknown[];
  /** Only where the program wants stacks to be sent. */
  readonly stack: string | undefined;
}

function listOf({ name, message, code, data, cause, stack }: Thrown): readonly unknown[] {
  return [name, message, code, data, cause, stack];
}

type CanTravel = (part: Partial<Thrown>) => boolean;

const isText: CanTravel = ({ data }) => typeof data === "string";

/** Whether stacks leave the process. */
export type Stacks = "sent" | "kept";

/**
 * Appends what a method threw. What of its data can't travel is left out, property by property, as an error must not be
 * lost for its details. `undo` is called for what a failed attempt has counted.
 *
 * @throws RpcError when there is no room even for the message
 */
export function encodeThrown(
  writer: ByteWriter,
  whole: Thrown,
  codec: Codec,
  exporter: Exporter,
  limits: ValueLimits,
  undo: () => void,
): void {
  const encode = (to: ByteWriter, thrown: Thrown) => codec.encodeList(to, listOf(thrown), exporter, limits, "error");
  const canTravel = (part: Partial<Thrown>) => {
    try {
      encode(new ByteWriter(new Uint8Array(256)), { ...nothingThrown, ...part });
      return true;
    } catch {
      return false;
    } finally {
      undo();
    }
  };
  try {
    encode(writer, whole);
  } catch {
    undo();
    const { name, data, cause } = whole;
    const least = { ...whole, name: travelling(name, isText), data: undefined, cause: [] };
    const kept = {
      ...least,
      name: travelling(name, canTravel),
      data: keepTravelling(data, canTravel),
      cause: canTravel({ cause }) ? cause : [],
    };
    encode(writer, canTravel(kept) ? kept : least);
  }
}

const nothingThrown: Thrown = { name: "", message: "", code: undefined, data: undefined, cause: [], stack: undefined };

/** Of an error's properties, or a thrown object's, those that can be sent; another value as a whole or not at all. */
function keepTravelling(data: unknown, canTravel: CanTravel): unknown {
  if (canTravel({ data })) return data;
  if (typeof data !== "object" || data === null || Object.getPrototypeOf(data) !== Object.prototype) return undefined;
  const kept = travelling(data, canTravel);
  return Object.keys(kept).length > 0 ? kept : undefined;
}

/** An object of the same class, with those properties that can be sent; a text is itself. */
function travelling<T extends string | object>(object: T, canTravel: CanTravel): T {
  if (typeof object === "string") return object;
  const own = Object.entries(ownProperties(object));
  const kept = own.filter(([, property]) => "value" in property && canTravel({ data: property.value }));
  return Object.create(Object.getPrototypeOf(object), Object.fromEntries(kept));
}

/** Whatever was thrown, it is told: a Proxy may refuse to be looked at. */
export function takeApart(thrown: unknown, stacks: Stacks, codec: Codec): Thrown {
  try {
    const all = parts(thrown, stacks);
    return codec.keepsClass(thrown) ? { ...nothingThrown, name: thrown, stack: all.stack } : all;
  } catch {
    return { ...nothingThrown, message: "something was thrown that can't be read" };
  }
}

function parts(thrown: unknown, stacks: Stacks): Thrown {
  if (!(thrown instanceof Error)) {
    return { name: "", message: describeThrown(thrown), code: undefined, data: thrown, cause: [], stack: undefined };
  }
  const own = ownProperties(thrown);
  const code: unknown = own["code"]?.value;
  const isPlainCode = typeof code === "string" || typeof code === "number";
  return {
    name: text(() => nameOf(thrown), "Error"),
    message: text(() => thrown.message, ""),
    code: isPlainCode ? code : undefined,
    data: ownData(own, isPlainCode),
    cause: own["cause"] && "value" in own["cause"] ? [own["cause"].value] : [],
    stack: stacks === "sent" ? text(() => thrown.stack, "") : undefined,
  };
}

/** All but the stack: it is written when it is first looked at, which costs much and may run the error's own code. */
function ownProperties(error: object): Record<string, PropertyDescriptor> {
  const own: Record<string, PropertyDescriptor> = Object.create(null);
  for (const key of Object.getOwnPropertyNames(error)) {
    const descriptor = key === "stack" ? undefined : Object.getOwnPropertyDescriptor(error, key);
    if (descriptor) own[key] = descriptor;
  }
  return own;
}

/** What a relayed method threw goes on as it came. */
export function passedOn(error: RemoteError): Thrown {
  const came = (error as { readonly [cameAs]?: object })[cameAs];
  if (came) return { ...nothingThrown, name: came };
  const { remoteName: name, message, code, data } = error;
  const cause = Object.hasOwn(error, "cause") ? [error.cause] : [];
  return { name, message, code, data, cause, stack: undefined };
}

/** A relayed call that failed on its way: what never left us did not run for the caller either. */
export function passedOnRefusal({ code, detail, outcome, cause }: RpcError): RpcError {
  return new RpcError(code, detail, outcome === "not-sent" ? "not-executed" : outcome, { cause });
}

function describeThrown(thrown: unknown): string {
  return typeof thrown === "string" ? thrown : `a value of type ${thrown === null ? "null" : typeof thrown} was thrown`;
}

const notData: ReadonlySet<string> = new Set(["name", "message", "cause"]);

function ownData(own: Record<string, PropertyDescriptor>, isCodeTold: boolean): unknown {
  const data: Record<string, unknown> = {};
  for (const [key, { enumerable, value }] of Object.entries(own)) {
    const isTold = notData.has(key) || (key === "code" && isCodeTold);
    // The errors of an AggregateError are not enumerable, and all that it says.
    if (isTold || value === undefined || !(enumerable || key === "errors")) continue;
    Object.defineProperty(data, key, { value, enumerable: true, configurable: true, writable: true });
  }
  return Object.keys(data).length > 0 ? data : undefined;
}

/** Error classes may compute their name or message, and fail at it. */
function text(read: () => unknown, otherwise: string): string {
  try {
    const value = read();
    return typeof value === "string" ? value : otherwise;
  } catch {
    return otherwise;
  }
}

/** Under this key an error remembers that it has a class, which is not registered here. */
const cameAs: unique symbol = Symbol("farref.cameAs");

/** An error of a registered class as it is, anything else as a RemoteError. */
export function thrownFrom(parts: readonly unknown[]): Error {
  const [name, message, code, data, cause, stack] = parts;
  const error = name instanceof UnknownValue ? name.data : name;
  if (error instanceof Error) return wholeFrom(error, name, stack);
  return new RemoteError({
    remoteName: typeof name === "string" ? name : "",
    message: typeof message === "string" ? message : "",
    code: typeof code === "string" || typeof code === "number" ? code : undefined,
    data,
    cause: Array.isArray(cause) && cause.length > 0 ? { value: cause[0] } : undefined,
    stack: typeof stack === "string" ? stack : undefined,
  });
}

/** @param came the error, or a value of an unknown class that was packed as it: that is what will be passed on */
function wholeFrom(error: Error, came: unknown, stack: unknown): Error {
  if (!kindOf(error))
    return typeof stack === "string" ? Object.defineProperty(error, "stack", { value: stack }) : error;
  const remote = thrownFrom(listOf(parts(error, "kept")).with(-1, stack));
  return Object.defineProperty(remote, cameAs, { value: came });
}
