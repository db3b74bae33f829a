/** farref in a browser: all but listening and Node's transports. */
import { memoryTransport, webSocketTransport } from "@farref/transports";
import { browserPlatform, browserTurns } from "./browser-platform.ts";
import { type Connect, createConnect } from "./connect.ts";
import { createSerialized, type Serialized } from "./serialized/serialized.ts";

export * from "./shared.ts";

export const connect: Connect = createConnect([webSocketTransport, memoryTransport], browserPlatform);
// Bundlers leave out what is marked so where nobody imports it.
export const serialized: Serialized = /* @__PURE__ */ createSerialized(browserPlatform, browserTurns);
