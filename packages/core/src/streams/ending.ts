/** The end of a stream that its consumer asked for: known when the producer has ended, or has had its time for that. */
import { done, type Failure, type Settler, type Step } from "./steps.ts";

export interface EndingHost {
  /** A promise whose rejection is reported when nobody waits for it. */
  promise<T>(begin: (settler: Settler<T>) => void): Promise<T>;
  /** Runs `task` when the producer has had its time to end. */
  afterGrace(task: () => void): { cancel(): void };
}

export class Ending {
  readonly promise: Promise<Step>;
  readonly #grace: { cancel(): void };
  #settler!: Settler<Step>;
  #isOver = false;

  constructor(host: EndingHost) {
    this.promise = host.promise((settler) => {
      this.#settler = settler;
    });
    this.#grace = host.afterGrace(() => this.ended(undefined));
  }

  /** Nobody waits for it any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  ended(result: unknown): void {
    this.#settle();
    this.#settler.resolve(done(result));
  }

  /** What a producer threw before it was told to end is not what became of that. */
  failed({ error, isOfEnding }: Failure): void {
    if (!isOfEnding) {
      this.ended(undefined);
      return;
    }
    this.#settle();
    this.#settler.reject(error);
  }

  #settle(): void {
    this.#isOver = true;
    this.#grace.cancel();
  }
}
