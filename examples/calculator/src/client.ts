/** Calls the calculator, at the address given as argument. */
import { connect } from "farref";
import type { Calculator } from "./server.js";

const [where = "tcp://127.0.0.1:8787"] = process.argv.slice(2);
await using calculator = await connect<Calculator>(where);

console.log(`5 + 3 = ${await calculator.add(5, 3)}`);
