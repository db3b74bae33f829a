/** Channels for farref in Node. The browser's entry is index.browser.ts. */
export { memoryTransport } from "./memory/memory-transport.ts";
export { tcpTransport } from "./tcp-transport.ts";
export { tlsTransport } from "./tls-transport.ts";
export { unixTransport } from "./unix-transport.ts";
export { webSocketListener } from "./websocket/shared-listener.ts";
export { webSocketTransport } from "./websocket/websocket-transport.ts";
