/** Starts the service that the browser tests call; vitest runs this in Node and tells the page its address. */
import type { TestProject } from "vitest/node";
import { ValueDesk } from "../packages/core/test/values/desk.ts";
import { startService } from "../packages/farref/src/index.ts";
import { BrowserService } from "./browser-service.ts";

/** The tests' pages come from the first free port from here on. */
const firstPort = 63_315;
const origins = Array.from({ length: 50 }, (_, i) => `http://localhost:${firstPort + i}`);

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const failures: Error[] = [];
  const service = await startService("ws://127.0.0.1:0", new BrowserService(origins), {
    allowedOrigins: origins,
    onError: (error) => failures.push(error),
  });
  service.publish("values", new ValueDesk());
  project.provide("browserServiceUri", service.uri);
  return async () => {
    await service.close();
    if (failures.length > 0) throw new AggregateError(failures, "the service of the browser tests had failures");
  };
}

declare module "vitest" {
  export interface ProvidedContext {
    browserServiceUri: string;
  }
}
