/** A listener on an HTTP server that belongs to somebody else: it takes upgrade requests and nothing more. */
import type { Server as HttpServer, IncomingMessage } from "node:http";
import { Server as HttpsServer } from "node:https";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type Listener, type ListenerEvents, type ListenOptions, RpcError } from "@farref/core";
import { isAccepted } from "../listener-events.ts";
import { listenerClosed, listenerStarted } from "../system-failures.ts";
import { formatHostUri } from "../uri.ts";
import { AcceptTimes } from "./accept-times.ts";
import { refusedUpgrade, refuseUpgrade } from "./refused-upgrade.ts";
import { TrustedProxies } from "./trusted-proxies.ts";
import { pathOf, UpgradeGate, type UpgradeService, webSocketPeer } from "./upgrade-gate.ts";

/**
 * Serves WebSockets on an existing server: with `path` only there, else on every path. The server is never told to
 * listen or to close, and its routes stay its own.
 *
 * @example
 * const server = http.createServer(app).listen(8080);
 * const service = await startService(webSocketListener(server, { path: "/farref" }), new Calculator());
 */
export function webSocketListener(
  server: HttpServer | HttpsServer,
  options: { path?: string | undefined } = {},
): Listener {
  return new SharedListener(server, checkedPath(options.path));
}

type Upgrade = (request: IncomingMessage, stream: Duplex, head: Buffer) => void;
type State = { readonly kind: "idle" | "closed" } | { readonly kind: "started"; readonly upgrade: Upgrade };

class SharedListener implements Listener {
  /** Nobody beyond this machine gets in unguarded: each upgrade is judged by the address it came in by. */
  readonly isPrivate = true;
  readonly #server: HttpServer | HttpsServer;
  readonly #path: string | undefined;
  readonly #acceptTimes: AcceptTimes;
  #options: ListenOptions = {};
  #state: State = { kind: "idle" };
  /** Where the server has listened: its owner may close it before the service that it carried. */
  #lastUri = "";

  constructor(server: HttpServer | HttpsServer, path: string | undefined) {
    this.#server = server;
    this.#path = path;
    this.#acceptTimes = new AcceptTimes(server);
  }

  get uri(): string {
    if (this.#state.kind === "closed") return "";
    this.#noteUri();
    return this.#lastUri;
  }

  configure(options: ListenOptions): void {
    this.#options = options;
  }

  async start(on: ListenerEvents): Promise<void> {
    if (this.#state.kind === "closed") throw listenerClosed(this.uri);
    if (this.#state.kind === "started") throw listenerStarted(this.uri);
    const { allowedOrigins, isGuarded, trustedProxies } = this.#options;
    const proxies = new TrustedProxies(trustedProxies);
    const gate = new UpgradeGate({ allowedOrigins, isLoopbackOnly: !isGuarded, proxies });
    const service: UpgradeService = { on, accept: (peer) => isAccepted(on, peer) };
    const upgrade: Upgrade = (request, stream, head) => {
      if (this.#path !== undefined && pathOf(request) !== this.#path) this.#leave(stream, on);
      else gate.admit({ request, stream, head, openingMs: this.#acceptTimes.openingMs(stream) }, service);
    };
    this.#state = { kind: "started", upgrade };
    this.#server.on("upgrade", upgrade).on("listening", this.#noteUri);
    this.#noteUri();
    this.#acceptTimes.watch();
  }

  async close(): Promise<void> {
    if (this.#state.kind === "started") this.#server.off("upgrade", this.#state.upgrade);
    this.#server.off("listening", this.#noteUri);
    this.#acceptTimes.stop();
    this.#state = { kind: "closed" };
  }

  readonly #noteUri = (): void => {
    const address = this.#server.address();
    if (address === null || typeof address === "string") return;
    const scheme = this.#server instanceof HttpsServer ? "wss" : "ws";
    this.#lastUri = formatHostUri(scheme, { host: address.address, port: address.port }, this.#path);
  };

  /** The server keeps the process alive, or not, as its owner wishes. */
  ref(): void {}
  unref(): void {}

  /** Another path is another listener's; where there is none, nobody else would ever answer. */
  #leave(stream: Duplex, on: ListenerEvents): void {
    if (this.#server.listenerCount("upgrade") !== 1) return;
    const peer = (stream instanceof Socket && webSocketPeer(stream)) || { transport: "ws" };
    refuseUpgrade(stream, refusedUpgrade(404, peer, `the path is not ${this.#path}`), on);
  }
}

function checkedPath(path: string | undefined): string | undefined {
  if (path === undefined || /^\/[^\s?#]*$/.test(path)) return path;
  throw new RpcError("invalid-argument", `path: expected one like "/farref", got ${JSON.stringify(path)}`, "not-sent");
}
