import { startService } from "farref";

export class Calculator {
  add(a: number, b: number) {
    return a + b;
  }
}

const service = await startService("tcp://127.0.0.1:8787", new Calculator());
console.log(`serving at ${service.uri}`);
