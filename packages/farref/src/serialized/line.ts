/** The line before one object: whoever comes from within the turn that runs is let in, all others wait. */
import { type Method, postpone } from "@farref/core";
import { type Turn, TurnQueue } from "./turn.ts";
import type { Place, Turns } from "./turns.ts";

/** Where somebody takes turns: behind all others, or within a turn that runs. */
interface Entry {
  readonly queue: TurnQueue;
  /** Where the method will stand, its own turn apart. */
  readonly place: Place;
}

export class Line {
  readonly #turns: Turns;
  readonly #queue = new TurnQueue();

  constructor(turns: Turns) {
    this.#turns = turns;
  }

  /**
   * Runs `task`, which is all that `method` does: at once when nobody is before it, and then returns and throws what it
   * does; else later, and returns a promise. A far call that is given up while it waits never begins.
   */
  enter(method: Method, task: () => unknown): unknown {
    const { here } = this.#turns;
    const { queue, place } = this.#entry(here);
    const run = (turn: Turn) => this.#turns.run(inside(place, turn), task);
    if (queue.isFree) return queue.run(this, run);
    // From within a turn, a call that runs has begun already.
    return this.#wait(queue, here.turns.length === 0 ? method : undefined, run);
  }

  #wait(queue: TurnQueue, method: Method | undefined, run: (turn: Turn) => unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const begin = postpone(method, (refusal) => {
        leave();
        reject(refusal);
      });
      const asNow = this.#turns.snapshot();
      const leave = queue.wait(() => {
        try {
          asNow(() => begin(() => queue.runFor({ resolve, reject }, this, run)));
        } catch (refusal) {
          reject(refusal);
        }
      });
    });
  }

  #entry(here: Place): Entry {
    const turn = here.turns.findLast(({ line }) => line === this);
    if (turn) return { queue: turn.within, place: here };
    return this.#entryByPass(here) ?? { queue: this.#queue, place: here };
  }

  /** A pass stands for turns; the innermost of them that holds this line is the one it lets into. */
  #entryByPass(here: Place): Entry | undefined {
    if (here.passes.length === 0) return undefined;
    for (const holder of this.#queue.running.toReversed()) {
      for (const pass of here.passes) {
        const turns = holder.admits(pass)?.filter((turn) => turn.isRunning);
        if (turns) return { queue: holder.within, place: withPassUsed(here, pass, turns) };
      }
    }
    return undefined;
  }
}

/** Of the turns that a pass stands for the call is part now: their own passes say it from here on. */
function withPassUsed(here: Place, used: string, turns: readonly Turn[]): Place {
  return { turns: [...turns, ...here.turns], passes: here.passes.filter((pass) => pass !== used) };
}

function inside({ turns, passes }: Place, turn: Turn): Place {
  return { turns: [...turns, turn], passes };
}
