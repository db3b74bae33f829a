/** Which objects of a message were met before, and under which number: what makes shared identity and cycles survive. */

/** Up to here a scan is faster than a Map. */
const scanned = 24;

export class Identities {
  #count = 0;
  readonly #first: (object | undefined)[] = [];
  #all: Map<object, number> | undefined;

  /** The number the object was met under before, or -1: then it has the next number from now on. */
  meet(object: object): number {
    if (this.#all) return this.#look(this.#all, object);
    const first = this.#first;
    const count = this.#count;
    for (let i = 0; i < count; i++) if (first[i] === object) return i;
    if (count === scanned) return this.#look(this.#spread(), object);
    first[count] = object;
    this.#count = count + 1;
    return -1;
  }

  /** Takes back the last number given: the object travels in another way. */
  unmeet(object: object): void {
    this.#count--;
    if (this.#all) this.#all.delete(object);
    else this.#first[this.#count] = undefined;
  }

  /** Forgets everything, so that nothing is kept alive between messages. */
  clear(): void {
    const kept = Math.min(this.#count, scanned);
    for (let i = 0; i < kept; i++) this.#first[i] = undefined;
    this.#count = 0;
    this.#all = undefined;
  }

  #look(all: Map<object, number>, object: object): number {
    const number = all.get(object);
    if (number !== undefined) return number;
    all.set(object, this.#count++);
    return -1;
  }

  #spread(): Map<object, number> {
    const all = new Map<object, number>();
    for (const [number, object] of this.#first.entries()) if (object) all.set(object, number);
    this.#all = all;
    return all;
  }
}
