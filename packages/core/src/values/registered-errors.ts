/**
 * Errors of registered classes. Each is packed as an `Error` that says the same and has no class, which is what it is to
 * those who lack the class; the others give it its class back.
 */
import { adopt, createError, enumerableKeys, hiddenFields, sayingKeys } from "./errors-as-values.ts";
import { ownValue, requireNoSymbols } from "./own-properties.ts";
import { propertyStep, within } from "./refusal.ts";

/** What travels beside `sayingKeys`; without it, all that is enumerable. */
type Fields = readonly string[] | undefined;

export function packError(error: Error, fields: Fields): Error {
  const plain = createError(Error);
  requireNoSymbols(error);
  adopt(plain, hiddenFields(error, undefined), false);
  for (const key of fieldKeys(error, fields)) adopt(plain, { [key]: fieldOf(error, key) }, true);
  return plain;
}

/** Runs no constructor and no setter. The error's name is its own only where its class has another. */
export function unpackError(data: unknown, prototype: object, fields: Fields): Error {
  if (!(data instanceof Error)) throw new TypeError("it is packed as no error");
  const error = createError(Error);
  for (const [key, property] of Object.entries(Object.getOwnPropertyDescriptors(data))) {
    if (isTaken(key, fields)) Object.defineProperty(error, key, property);
  }
  if (inherited(prototype, "name") === data.name) Reflect.deleteProperty(error, "name");
  return Object.setPrototypeOf(error, prototype);
}

function isTaken(key: string, fields: Fields): boolean {
  return fields === undefined || key === "stack" || sayingKeys.includes(key) || fields.includes(key);
}

function fieldKeys(error: Error, fields: Fields): readonly string[] {
  const keys = enumerableKeys(error, undefined).filter((key) => isTaken(key, fields));
  const others = fields?.filter((key) => Object.hasOwn(error, key) && !sayingKeys.includes(key)) ?? [];
  return [...new Set([...keys, ...others])];
}

function fieldOf(error: Error, key: string): unknown {
  try {
    return ownValue(error, key);
  } catch (refusal) {
    throw within(propertyStep(key), refusal);
  }
}

/** Without running a getter: one that computes the name is as good as none. */
function inherited(prototype: object, key: string): unknown {
  for (let owner: object | null = prototype; owner; owner = Object.getPrototypeOf(owner)) {
    const property = Object.getOwnPropertyDescriptor(owner, key);
    if (property) return property.value;
  }
  return undefined;
}
