/** Serves a calculator, at the address given as argument. */
import { startService } from "farref";

export class Calculator {
  add(a: number, b: number) {
    return a + b;
  }

  divide(a: number, b: number) {
    if (b === 0) throw new RangeError(`${a} cannot be divided by 0`);
    return a / b;
  }
}

const [where = "tcp://127.0.0.1:8787"] = process.argv.slice(2);
const service = await startService(where, new Calculator());
console.log(`calculator at ${service.uri}`);
