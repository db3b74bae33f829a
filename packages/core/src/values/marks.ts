/** The marks that make an object travel as a reference. `Symbol.for`, so that two copies of farref agree on them. */

export const referenceMark: unique symbol = Symbol.for("farref.byReference") as never;
export interface ByReferenceMark {
  readonly [referenceMark]: true;
}

/**
 * Base class of objects that travel as references: the far side gets a stub that calls back here.
 *
 * @example
 * class Account extends ByReference { #balance = 0; deposit(amount: number) { this.#balance += amount; } }
 */
export abstract class ByReference {
  declare readonly [referenceMark]: true;
}
Object.defineProperty(ByReference.prototype, referenceMark, { value: true });

/**
 * Marks one object, so that it travels as a reference instead of being copied; returns the same object.
 *
 * @throws TypeError when the object is frozen: mark it before freezing.
 * @example
 * await store.subscribe(byReference({ changed(key: string) { console.log(key); } }));
 */
export function byReference<T extends object>(object: T): T & ByReferenceMark {
  if ((object as Partial<ByReferenceMark>)[referenceMark] === true) return object as T & ByReferenceMark;
  return Object.defineProperty(object, referenceMark, { value: true }) as T & ByReferenceMark;
}

/** Whether a value carries the mark; stubs do. */
export function isMarked(value: object): boolean {
  return (value as Partial<ByReferenceMark>)[referenceMark] === true;
}
