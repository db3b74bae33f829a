/** What classes and functions call themselves, for people to read. No code of the program runs for it. */

export const maxTypeNameLength = 64;

/** The name of an object's class; "" where it has none. */
export function className(object: object): string {
  const prototype: object | null = Object.getPrototypeOf(object);
  const maker: unknown = prototype && Object.getOwnPropertyDescriptor(prototype, "constructor")?.value;
  return typeof maker === "function" ? ownName(maker) : "";
}

export function ownName(maker: object): string {
  const name: unknown = Object.getOwnPropertyDescriptor(maker, "name")?.value;
  return typeof name === "string" ? name.slice(0, maxTypeNameLength) : "";
}
