/**
 * Memory for messages larger than a frame, used again and again: making it anew for each costs more than copying it
 * does. What nobody has borrowed the garbage collector may take whenever it runs, so that none is kept for nothing.
 */

/** Smaller ones are not worth keeping. */
const minKeptBytes = 64 * 1024;
const maxKept = 4;
/** So many times what was asked for, at most: who holds on to a block ties up no more than that. */
const maxExcess = 2;

export class Blocks {
  #free: WeakRef<Uint8Array>[] = [];

  /** At least `size` bytes, with anything in them. */
  borrow(size: number): Uint8Array {
    if (size < minKeptBytes) return new Uint8Array(size);
    for (const [i, free] of this.#free.entries()) {
      const block = free.deref();
      if (!block || block.length < size || block.length > maxExcess * size) continue;
      this.#free.splice(i, 1);
      return block;
    }
    return new Uint8Array(size);
  }

  /** Nobody looks at the block any more. */
  giveBack(block: Uint8Array): void {
    if (block.length < minKeptBytes) return;
    this.#free = this.#free.filter((free) => free.deref() !== undefined);
    if (this.#free.length >= maxKept) this.#free.shift();
    this.#free.push(new WeakRef(block));
  }
}
