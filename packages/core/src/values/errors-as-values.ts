/**
 * Errors that are data, both ways: `Error` and its built-in subclasses. Any other subclass arrives as an `Error` with its
 * name. Stacks stay at home: a decoded error's is one line.
 */
import type { Extension } from "./extension.ts";
import { errorType } from "./extension-types.ts";
import { beginExtension, endExtension } from "./headers.ts";
import { malformed } from "./malformation.ts";
import { localPrototype, ownValue } from "./own-properties.ts";
import { Placeholder } from "./placeholder.ts";
import { unsupported } from "./refusal.ts";

type Fields = Record<string, unknown>;

/** The keys of what every error says of itself. */
export const sayingKeys: readonly string[] = ["message", "name", "cause", "errors"];

const kinds: readonly (ErrorConstructor | AggregateErrorConstructor)[] = [
  Error,
  TypeError,
  RangeError,
  SyntaxError,
  ReferenceError,
  EvalError,
  URIError,
  AggregateError,
];

export const errors: Extension<Error> = {
  type: errorType,
  prototypes: kinds.map((kind) => kind.prototype),
  write(encoder, error, depth) {
    encoder.charge(extraCost);
    const kind = kindOf(error);
    const begun = beginExtension(encoder.writer, errorType);
    encoder.text(kind ?? "Error");
    encoder.fields(hiddenFields(error, kind), depth);
    encoder.fields(error, depth, enumerableKeys(error, kind));
    endExtension(encoder.writer, begun);
  },
  read(decoder, _end, depth) {
    const at = decoder.position;
    const name = decoder.value(depth);
    const Kind = kinds.find((kind) => kind.name === name);
    if (!Kind) throw malformed("an error of an unknown kind", at);
    decoder.charge(extraCost);
    const error = decoder.keep(createError(Kind));
    const hidden: Fields = {};
    decoder.fields(hidden, decoder.mapHeader(depth, 1), depth);
    if (!isHidden(hidden)) throw malformed("an error with odd hidden properties", at);
    const visible: Fields = {};
    decoder.fields(visible, decoder.mapHeader(depth, 1), depth);
    if (Object.hasOwn(visible, "stack")) throw malformed("an error with a stack", at);
    adopt(error, hidden, false);
    adopt(error, visible, true);
    return withoutStack(error);
  },
};

/** An error costs as much of a message's budget as eight values: that is what making one takes. */
const extraCost = 7;

/** Without the trace of our own calls, which V8 would take down for each. */
export function createError(Kind: ErrorConstructor | AggregateErrorConstructor): Error {
  const limit: unknown = Reflect.get(Error, "stackTraceLimit");
  const isTraced = typeof limit === "number" && Reflect.set(Error, "stackTraceLimit", 0);
  try {
    return Reflect.construct(Kind, Kind === AggregateError ? [[]] : []);
  } finally {
    if (isTraced) Reflect.set(Error, "stackTraceLimit", limit);
  }
}

/** The built-in the error is exactly; none for another subclass. */
export function kindOf(error: Error): string | undefined {
  return builtInOf(Object.getPrototypeOf(error));
}

function builtInOf(prototype: object): string | undefined {
  const local = localPrototype(prototype) ?? prototype;
  return kinds.find((kind) => kind.prototype === local)?.name;
}

export function hiddenFields(error: Error, kind: string | undefined): Fields {
  const fields: Fields = {};
  for (const key of sayingKeys) {
    if (Object.hasOwn(error, key) && !Object.prototype.propertyIsEnumerable.call(error, key)) {
      fields[key] = ownValue(error, key);
    }
  }
  if (!isHidden(fields)) throw unsupported("an error's message and name have to be strings; send plain data");
  if (kind !== undefined) return fields;
  if (!Object.hasOwn(error, "message")) fields["message"] = `${error.message}`;
  return { ...fields, name: nameOf(error) };
}

/**
 * What an error is called at the other end: as it calls itself, or as its class says. Where its class says nothing and
 * only a built-in one above it does, it is the name of the class.
 */
export function nameOf(error: Error): string {
  const name: unknown = Object.hasOwn(error, "name") ? ownValue(error, "name") : error.name;
  if (typeof name === "string" && !isNamedByBuiltIn(error)) return name;
  return error.constructor.name || `${name}`;
}

function isNamedByBuiltIn(error: Error): boolean {
  let owner: object | null = error;
  while (owner && !Object.hasOwn(owner, "name")) owner = Object.getPrototypeOf(owner);
  return owner === null || builtInOf(owner) !== undefined;
}

export function enumerableKeys(error: Error, kind: string | undefined): string[] {
  return Object.keys(error).filter((key) => key !== "stack" && (kind !== undefined || key !== "name"));
}

function isHidden({ message = "", name = "", cause: _cause, errors: _errors, ...others }: Fields): boolean {
  return typeof message === "string" && typeof name === "string" && Object.keys(others).length === 0;
}

export function adopt(error: Error, fields: Fields, enumerable: boolean): void {
  for (const key of Object.keys(fields)) {
    const value = fields[key];
    if (value instanceof Placeholder) value.holder = error;
    Object.defineProperty(error, key, { value, enumerable, writable: true, configurable: true });
  }
}

function withoutStack(error: Error): Error {
  const { name, message }: { name: unknown; message: unknown } = error;
  const value = `${typeof name === "string" ? name : "Error"}: ${typeof message === "string" ? message : ""}`;
  return Object.defineProperty(error, "stack", { value, writable: true, configurable: true });
}
