/** farref in a browser: all but listening and Node's transports. */
import { webSocketTransport } from "@farref/transports";
import { browserPlatform, browserTurns } from "./browser-platform.ts";
import { type Connect, createConnect } from "./connect.ts";
import { createSerialized, type Serialized } from "./serialized/serialized.ts";

export * from "./shared.ts";

/**
 * Connects to a service and gives the stub of its front, or of the published object that `#name` selects. Disposing the
 * stub closes the connection. {@link Connect} tells how it fails, and what a contract changes.
 *
 * @example
 * const calculator = await connect<Calculator>("wss://calculator.example/rpc");
 * console.log(await calculator.add(5, 3));
 */
export const connect: Connect = createConnect([webSocketTransport], browserPlatform);
/**
 * The same object, but its methods run one at a time, in the order of their calls. {@link Serialized} tells which calls
 * are let in meanwhile, and what it refuses.
 *
 * @example
 * const account = serialized(new Account());
 */
// Bundlers leave out what is marked so where nobody imports it.
export const serialized: Serialized = /* @__PURE__ */ createSerialized(browserPlatform, browserTurns);
