/** Fails the test during which a promise was rejected unheard, an exception escaped or Node had to warn. */
import { afterEach, expect } from "vitest";

const escaped: unknown[] = [];
process.on("unhandledRejection", (reason) => escaped.push(reason));
process.on("uncaughtExceptionMonitor", (error) => escaped.push(error));
process.on("warning", (warning) => escaped.push(warning));

afterEach(async () => {
  // Node tells of both when the promises of a turn are done.
  await new Promise<void>((resolve) => void setImmediate(resolve));
  expect(escaped.splice(0)).toEqual([]);
});
