/** Method names travel once: the sender gives each a number, and later calls send the number. */
import { RpcError } from "../errors/rpc-error.ts";

/** More names than this travel as text each time: a peer can't fill our memory with names. */
const maxInternedNames = 4_096;

export class SentMethodNames {
  readonly #numbers = new Map<string, number>();

  /** The name's number, from 1; 0 when it has to travel as text; -1 when it is new and must be announced first. */
  number(name: string): number {
    return this.#numbers.get(name) ?? (this.#numbers.size < maxInternedNames ? -1 : 0);
  }

  /** The number of a name that is announced now. */
  add(name: string): number {
    const number = this.#numbers.size + 1;
    this.#numbers.set(name, number);
    return number;
  }
}

export class ReceivedMethodNames {
  readonly #names: string[] = [];

  /** @throws RpcError `protocol` when the peer announces more than it may. */
  add(name: string): void {
    if (this.#names.length >= maxInternedNames) {
      throw new RpcError("protocol", `more than ${maxInternedNames} method names announced`, "unknown");
    }
    this.#names.push(name);
  }

  /** @throws RpcError `protocol` for a number that was never announced. */
  get(number: number): string {
    const name = this.#names[number - 1];
    if (name === undefined) throw new RpcError("protocol", `method number ${number} was not announced`, "not-executed");
    return name;
  }
}
