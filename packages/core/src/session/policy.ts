/** Whether a call may run: functions asked after its arguments are decoded and before its method. */
import { refusal } from "../errors/refusal.ts";
import type { RpcError } from "../errors/rpc-error.ts";
import type { Principal, Session } from "../types/session.ts";

/** A call about to run. */
export interface AuthorizeCall {
  readonly method: string;
  readonly target: object;
  readonly args: readonly unknown[];
  readonly principal: Principal | undefined;
  readonly scope?: string | undefined;
  readonly session: Session;
}

/**
 * Decides whether a call may run. `false` is `denied`; it may throw an RpcError of its own.
 *
 * @example
 * const readers: Authorize = ({ method, principal }) => method.startsWith("get") || principal?.role === "admin";
 */
export type Authorize = (call: AuthorizeCall) => boolean | Promise<boolean>;

/** Asks each in turn, synchronously as long as they answer so. @throws RpcError `denied` */
export function authorizeAll(policies: readonly Authorize[], call: AuthorizeCall): undefined | Promise<void> {
  for (const [index, policy] of policies.entries()) {
    const answer = policy(call);
    if (typeof answer !== "boolean") return authorizeRest(answer, policies.slice(index + 1), call);
    if (!answer) throw denied(call);
  }
  return undefined;
}

async function authorizeRest(first: Promise<boolean>, rest: readonly Authorize[], call: AuthorizeCall): Promise<void> {
  if ((await first) !== true) throw denied(call);
  for (const policy of rest) {
    if ((await policy(call)) !== true) throw denied(call);
  }
}

function denied({ method }: AuthorizeCall): RpcError {
  return refusal("denied", `${method || "call"} is not permitted`, "not-executed");
}
