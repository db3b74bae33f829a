/** farref in a browser: all but listening and Node's transports. */
import { plainPlatform } from "@farref/core";
import { memoryTransport, webSocketTransport } from "@farref/transports";
import { type Connect, createConnect } from "./connect.ts";

export type { FrontOf, Service } from "@farref/core";
export * from "./shared.ts";

export const connect: Connect = createConnect([webSocketTransport, memoryTransport], plainPlatform);
