/** Searches for primes, for as long as somebody wants to know. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { currentCall, startService } from "farref";

// #region search
export class Primes {
  /** The first prime from `from` on that ends in `ending`. */
  async find(from: number, ending: string) {
    const { signal } = currentCall(); // before the first await
    for (let candidate = from; ; candidate++) {
      if (candidate % 1_000 === 0) {
        await nextTurn(); // let others have their turn, and hear of an abortion
        if (signal.aborted) console.log(`server: stopped at ${candidate - from}: ${signal.reason.code}`);
        signal.throwIfAborted();
      }
      if (isPrime(candidate) && `${candidate}`.endsWith(ending)) return candidate;
    }
  }
}
// #endregion

function isPrime(number: number): boolean {
  for (let divisor = 2; divisor * divisor <= number; divisor++) if (number % divisor === 0) return false;
  return number > 1;
}

const service = await startService("tcp://127.0.0.1:0", new Primes());
console.log(`primes at ${service.uri}`);
