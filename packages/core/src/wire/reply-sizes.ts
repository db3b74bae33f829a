/** How large the answers are that have not left: the largest, and the newest, may be of any legal size. */

export class ReplySizes {
  #largest = 0;
  #largestBefore = 0;
  #newest = 0;

  add(bytes: number): void {
    this.#newest = bytes;
    this.#largestBefore = this.#largest;
    this.#largest = Math.max(this.#largest, bytes);
  }

  /** All of them have left. */
  forget(): void {
    this.#largest = 0;
    this.#largestBefore = 0;
    this.#newest = 0;
  }

  /** What is left of `bytes` without the largest. */
  withoutLargest(bytes: number): number {
    return Math.max(0, bytes - this.#largest);
  }

  /** What is left of `bytes` without the newest, and the largest before it. */
  withoutLargestAndNewest(bytes: number): number {
    return Math.max(0, bytes - this.#largestBefore - this.#newest);
  }
}
