/**
 * Who is inside which turn: known within this process by the context that code runs in, and beyond it by passes. A call
 * made from within a turn takes a fresh pass along, good until the call settles; the far side takes it along with the
 * calls it makes meanwhile, and so it finds its way back, through however many processes. Passes are random and known to
 * nobody but those who were called, so that none can be guessed: whoever has one was given it by the turn itself.
 */
import type { CallPasses, IssuedPasses } from "@farref/core";
import type { Context } from "./context.ts";
import type { Turn } from "./turn.ts";

/** Where code stands. */
export interface Place {
  /** The turns it is part of, the innermost last. */
  readonly turns: readonly Turn[];
  /** Passes that the call brought it is part of. */
  readonly passes: readonly string[];
}

const nowhere: Place = { turns: [], passes: [] };

export class Turns implements CallPasses {
  readonly #context: Context<Place>;

  constructor(context: Context<Place>) {
    this.#context = context;
  }

  /** Where we are. Turns that are over are left out: what they have begun and not waited for is on its own. */
  get here(): Place {
    const place = this.#context.get();
    if (!place) return nowhere;
    return place.turns.every(isRunning) ? place : { turns: place.turns.filter(isRunning), passes: place.passes };
  }

  run<R>(place: Place, task: () => R): R {
    return this.#context.run(place, task);
  }

  /** Runs a task later as if it were run here. */
  snapshot(): (task: () => unknown) => unknown {
    return this.#context.snapshot();
  }

  issue(): IssuedPasses | undefined {
    const { turns, passes } = this.here;
    if (turns.length === 0) return passes.length === 0 ? undefined : { passes, withdraw: () => {} };
    const pass = createPass();
    for (const turn of turns) turn.issue(pass, turns);
    const withdraw = () => {
      for (const turn of turns) turn.withdraw(pass);
    };
    return { passes: [...passes, pass], withdraw };
  }

  /** The context of a socket or a timer is that of whoever made it, which is none of the call's business. */
  mustSeparate(passes: readonly string[]): boolean {
    return passes.length > 0 || this.#context.get() !== undefined;
  }

  within<T>(passes: readonly string[], method: () => T): T {
    return this.#context.run(passes.length > 0 ? { turns: [], passes } : undefined, method);
  }
}

function isRunning(turn: Turn): boolean {
  return turn.isRunning;
}

function createPass(): string {
  return btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16))));
}
