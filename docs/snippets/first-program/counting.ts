import { connect } from "farref";
import type { Calculator } from "./server.js";

const calculator = await connect<Calculator>("tcp://127.0.0.1:8787");

for (let n = 1; ; n++) {
  console.log(await calculator.add(n, n));
  await new Promise((resolve) => setTimeout(resolve, 500));
}
