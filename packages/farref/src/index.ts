/** Distributed objects for TypeScript: serve an object in one process, call it from another. */

import { type Connect, createConnect } from "./connect.ts";
import { nodePlatform, nodeTurns } from "./node-platform.ts";
import { createSerialized, type Serialized } from "./serialized/serialized.ts";
import { nodeTransports } from "./start-service.ts";

export { webSocketListener } from "@farref/transports";
export type { ServiceOptions } from "./options.ts";
export * from "./shared.ts";
export { startService, type Where } from "./start-service.ts";

export const connect: Connect = createConnect(nodeTransports, nodePlatform);
export const serialized: Serialized = createSerialized(nodePlatform, nodeTurns);
