/** Distributed objects for TypeScript: serve an object in one process, call it from another. */

import { type Connect, createConnect } from "./connect.ts";
import { nodePlatform, nodeTurns } from "./node-platform.ts";
import { createSerialized, type Serialized } from "./serialized/serialized.ts";
import { nodeTransports } from "./start-service.ts";

export { webSocketListener } from "@farref/transports";
export type { ServiceOptions } from "./options.ts";
export * from "./shared.ts";
export { startService, type Where } from "./start-service.ts";

/**
 * Connects to a service and gives the stub of its front, or of the published object that `#name` selects. Disposing the
 * stub closes the connection. {@link Connect} tells how it fails, and what a contract changes.
 *
 * @example
 * const calculator = await connect<Calculator>("tcp://127.0.0.1:8787");
 * console.log(await calculator.add(5, 3));
 */
export const connect: Connect = createConnect(nodeTransports, nodePlatform);

/**
 * The same object, but its methods run one at a time, in the order of their calls. {@link Serialized} tells which calls
 * are let in meanwhile, and what it refuses.
 *
 * @example
 * const account = serialized(new Account());
 */
export const serialized: Serialized = createSerialized(nodePlatform, nodeTurns);
