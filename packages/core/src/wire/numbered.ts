/**
 * Things by numbers that only go up, as calls and references have them: pages of slots, and a page goes when its last
 * slot is empty.
 *
 * Not a Map: one through which much passes replaces its store every few hundred entries, and each store refers to its
 * successor. Once one of them has grown old, the engine's quick collections keep all of them, and whatever stood in
 * them. Measured with 100 entries at a time: 70 ns an entry against 350, and half of what was dropped was kept.
 */

const slotsPerPage = 16;

class Page<T> {
  readonly slots: (T | undefined)[] = new Array<T | undefined>(slotsPerPage).fill(undefined);
  used = 0;
}

/**
 * Engines hash numbers without a secret: pages whose numbers were chosen to fall into one bucket would make a table of n
 * take n² steps, half a minute for what fits into a message. Texts they hash with one.
 */
type PageKey = number | `#${number}`;

export class Numbered<T extends object> {
  readonly #numbers: "ours" | "the peer's";
  readonly #pages = new Map<PageKey, Page<T>>();
  /** The page that was asked for last: the next number is likely to be there too. */
  #recent: Page<T> | undefined;
  #recentNumber = -1;
  /** An empty page for the next one. */
  #spare: Page<T> | undefined;
  #size = 0;

  /** `numbers` tells who chooses them. */
  constructor(numbers: "ours" | "the peer's") {
    this.#numbers = numbers;
  }

  get size(): number {
    return this.#size;
  }

  get(number: number): T | undefined {
    return this.#page(Math.floor(number / slotsPerPage))?.slots[number % slotsPerPage];
  }

  set(number: number, thing: T): void {
    const pageNumber = Math.floor(number / slotsPerPage);
    const page = this.#page(pageNumber) ?? this.#addPage(pageNumber);
    const slot = number % slotsPerPage;
    if (page.slots[slot] === undefined) {
      page.used++;
      this.#size++;
    }
    page.slots[slot] = thing;
  }

  delete(number: number): boolean {
    const pageNumber = Math.floor(number / slotsPerPage);
    const page = this.#page(pageNumber);
    const slot = number % slotsPerPage;
    if (page?.slots[slot] === undefined) return false;
    page.slots[slot] = undefined;
    this.#size--;
    if (--page.used === 0) this.#removePage(pageNumber, page);
    return true;
  }

  has(number: number): boolean {
    return this.get(number) !== undefined;
  }

  clear(): void {
    this.#pages.clear();
    this.#recent = undefined;
    this.#recentNumber = -1;
    this.#size = 0;
  }

  *values(): Generator<T> {
    for (const page of this.#pages.values()) for (const thing of page.slots) if (thing !== undefined) yield thing;
  }

  #page(number: number): Page<T> | undefined {
    if (number === this.#recentNumber) return this.#recent;
    const page = this.#pages.get(this.#key(number));
    if (page) {
      this.#recentNumber = number;
      this.#recent = page;
    }
    return page;
  }

  #addPage(number: number): Page<T> {
    const page = this.#spare ?? new Page<T>();
    this.#spare = undefined;
    this.#pages.set(this.#key(number), page);
    return page;
  }

  #removePage(number: number, page: Page<T>): void {
    this.#pages.delete(this.#key(number));
    this.#recentNumber = -1;
    this.#recent = undefined;
    this.#spare = page;
  }

  #key(number: number): PageKey {
    return this.#numbers === "ours" ? number : `#${number}`;
  }
}
