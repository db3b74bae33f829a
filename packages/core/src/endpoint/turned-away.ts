/**
 * Tells the program of peers that never became a session: those that were turned away before anybody knew who they are, and
 * those whose handshake failed. A flood of them is not to become a flood of log lines: of each kind ten are told in a
 * second, and the next one after that says how many were left out.
 */
import type { Clock } from "../clock/clock.ts";
import { RpcError, type RpcErrorCode } from "../errors/rpc-error.ts";

const toldPerWindow = 10;
const windowMs = 1_000;

interface Window {
  readonly endsAt: number;
  told: number;
  leftOut: number;
}

export class TurnedAway {
  readonly #clock: Clock;
  readonly #tell: (error: Error) => void;
  /** By the code of the error: there are few. */
  readonly #windows = new Map<RpcErrorCode | undefined, Window>();

  constructor(clock: Clock, tell: (error: Error) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  tell(error: Error): void {
    const window = this.#window(error instanceof RpcError ? error.code : undefined);
    if (window.told++ < toldPerWindow) this.#tell(error);
    else window.leftOut++;
  }

  #window(code: RpcErrorCode | undefined): Window {
    const now = this.#clock.now();
    const open = this.#windows.get(code);
    if (open && now < open.endsAt) return open;
    if (open && open.leftOut > 0) this.#tell(leftOut(open.leftOut, code));
    const window = { endsAt: now + windowMs, told: 0, leftOut: 0 };
    this.#windows.set(code, window);
    return window;
  }
}

function leftOut(count: number, code: RpcErrorCode | undefined): RpcError {
  return new RpcError(code ?? "internal", `${count} more peers were turned away in this way`, "not-sent");
}
