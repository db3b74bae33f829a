/** What a far method threw, as the caller sees it. */

export interface RemoteErrorInit {
  readonly remoteName: string;
  readonly message: string;
  readonly code?: string | number | undefined;
  readonly data?: unknown;
  readonly cause?: { readonly value: unknown } | undefined;
  /** The far stack, where the far side sends it. */
  readonly stack?: string | undefined;
  /** `not-executed` for a pipelined call whose earlier step threw. */
  readonly outcome?: RemoteError["outcome"] | undefined;
}

/**
 * An error thrown by the far method: its name in `remoteName`, its message, its `code` and `cause` where it had them,
 * its other own enumerable properties in `data`. A thrown non-Error is in `data` too, with `remoteName` `""`. Its
 * stack is the far one where the service has `exposeStacks`, else a local one.
 *
 * @example
 * await expect(account.withdraw(1e6)).rejects.toMatchObject({ remoteName: "InsufficientFunds", data: { missing: 10 } });
 */
export class RemoteError extends Error {
  readonly remoteName: string;
  /** `executed`; `not-executed` where it was thrown by the step of a pipeline that this call depends on. */
  readonly outcome: "executed" | "not-executed";
  declare readonly code?: string | number;
  declare readonly data?: unknown;

  constructor(init: RemoteErrorInit) {
    super(init.message, init.cause ? { cause: init.cause.value } : undefined);
    this.remoteName = init.remoteName;
    this.outcome = init.outcome ?? "executed";
    if (init.code !== undefined) this.code = init.code;
    if (init.data !== undefined) this.data = init.data;
    if (init.stack !== undefined) this.stack = init.stack;
  }
}
Object.defineProperty(RemoteError.prototype, "name", { value: "RemoteError", writable: true, configurable: true });
