/** A listener around a server of Node's: what TCP, Unix sockets and WebSocket servers of our own have in common. */
import type { ListenOptions as Binding, Server } from "node:net";
import { type Listener, type ListenerEvents, RpcError } from "@farref/core";
import { reportError } from "../listener-events.ts";
import { cannotListen, listenerClosed, listenerStarted } from "../system-failures.ts";

export interface ServerPlan {
  /** The address as it was asked for. */
  readonly uri: string;
  readonly isPrivate: boolean;
  readonly server: Server;
  /** Makes the server listen. */
  bind(server: Server): Promise<Bound>;
  /** Attaches what turns the server's connections into channels. */
  serve(server: Server, on: ListenerEvents): void;
  /** Ends what is connected but no channel yet. */
  dropPending?(): void;
}

export interface Bound {
  /** The address really listened on. */
  readonly uri: string;
  /** Removes what binding left in the file system. Called while the server still listens. */
  release?(): void;
}

type State =
  | { readonly kind: "idle" | "closed" }
  | { readonly kind: "starting"; readonly started: Promise<unknown> }
  | { readonly kind: "listening"; readonly bound: Bound };

export class ServerListener implements Listener {
  readonly isPrivate: boolean;
  readonly #plan: ServerPlan;
  #state: State = { kind: "idle" };

  constructor(plan: ServerPlan) {
    this.#plan = plan;
    this.isPrivate = plan.isPrivate;
  }

  get uri(): string {
    return this.#state.kind === "listening" ? this.#state.bound.uri : "";
  }

  start(on: ListenerEvents): Promise<void> {
    if (this.#state.kind === "closed") return Promise.reject(listenerClosed(this.#plan.uri));
    if (this.#state.kind !== "idle") return Promise.reject(listenerStarted(this.#plan.uri));
    const started = this.#start(on);
    this.#state = { kind: "starting", started };
    return started;
  }

  async close(): Promise<void> {
    const state = this.#state;
    this.#state = { kind: "closed" };
    if (state.kind === "starting") await state.started.catch(() => {});
    if (state.kind === "listening") this.#stop(state.bound);
  }

  ref(): void {
    this.#plan.server.ref();
  }

  unref(): void {
    this.#plan.server.unref();
  }

  async #start(on: ListenerEvents): Promise<void> {
    const { server, uri } = this.#plan;
    server.on("error", (error) => this.#state.kind === "listening" && reportError(on, error));
    this.#plan.serve(server, on);
    const bound = await this.#bind();
    if (this.#state.kind === "closed") {
      this.#stop(bound);
      throw listenerClosed(uri);
    }
    this.#state = { kind: "listening", bound };
  }

  async #bind(): Promise<Bound> {
    try {
      return await this.#plan.bind(this.#plan.server);
    } catch (cause) {
      this.#state = { kind: "closed" };
      throw cannotListen(this.#plan.uri, cause);
    }
  }

  /** Not awaited: Node calls back when the last connection has ended, and connections are not our concern. */
  #stop(bound: Bound): void {
    bound.release?.();
    this.#plan.server.close();
    this.#plan.dropPending?.();
  }
}

/** Listens, or throws what the operating system says. */
export function listen(server: Server, binding: Binding): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      server.off("listening", succeed);
      reject(error);
    };
    const succeed = () => {
      server.off("error", fail);
      resolve();
    };
    server.once("error", fail).once("listening", succeed);
    server.listen(binding);
  });
}

/** The port that was given where 0 was asked for. */
export function portOf(server: Server): number {
  const address = server.address();
  if (typeof address === "object" && address !== null) return address.port;
  throw new RpcError("internal", "the server listens on no port", "not-sent");
}
