/** `ws://host:port/path` and `wss://…` in a browser, which can dial and not listen. */
import type { Channel, DialOptions, Transport } from "@farref/core";
import { dialAborted, unreachable } from "../failures.ts";
import { formatHostUri, parseWebSocketUri } from "../uri.ts";
import { BrowserChannel } from "./browser-channel.ts";

export const webSocketTransport: Transport = {
  schemes: ["ws", "wss"],
  dial: async (uri, options) => dial(uri, options),
};

function dial(uri: string, { signal }: DialOptions): Promise<Channel> {
  const { scheme, path, ...address } = parseWebSocketUri(uri);
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(dialAborted(uri, signal));
    const webSocket = new WebSocket(formatHostUri(scheme, address, path || "/"));
    webSocket.binaryType = "arraybuffer";
    const settle = () => {
      webSocket.onopen = webSocket.onclose = null;
      signal?.removeEventListener("abort", abort);
    };
    const abort = () => {
      settle();
      webSocket.close();
      if (signal) reject(dialAborted(uri, signal));
    };
    webSocket.onopen = () => {
      settle();
      resolve(new BrowserChannel(webSocket, scheme));
    };
    webSocket.onclose = () => {
      settle();
      reject(unreachable(uri, unknownReason));
    };
    signal?.addEventListener("abort", abort);
  });
}

/** A page is never told why: it could spy on the network behind it. */
const unknownReason = "the browser could not open the WebSocket; its console may say why";
