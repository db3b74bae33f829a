import { connect, release } from "farref";
import type { Calculator } from "./server.js";

const calculator = await connect<Calculator>("tcp://127.0.0.1:8787");

console.log(await calculator.add(5, 3)); // 8

release(calculator); // closes the connection, so the program ends
