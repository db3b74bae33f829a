/** Channels for farref in a browser. */
export { memoryTransport } from "./memory/memory-transport.ts";
export { webSocketTransport } from "./websocket/browser-transport.ts";
