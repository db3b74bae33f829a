/** Whether a call may run, or a name be looked up: functions asked after arguments are decoded and before the method. */
import { refusal } from "../errors/refusal.ts";
import type { RpcError } from "../errors/rpc-error.ts";
import type { Principal, Session } from "../types/session.ts";

/** A call about to run, or the lookup of a published name. */
export interface AuthorizeCall {
  /** `""` where a function is called; `#` and the name for a lookup: no method is called so. */
  readonly method: string;
  /** The object; of a lookup the one that is published, or an empty one where none is. */
  readonly target: object;
  /** As the peer sent them, not validated yet; none for a lookup. */
  readonly args: readonly unknown[];
  readonly principal: Principal | undefined;
  readonly scope?: string | undefined;
  readonly session: Session;
}

/**
 * Decides whether a call may run, and whether a published name may be looked up. `false` is `denied`; it may throw an
 * RpcError of its own. A name that there is none of is asked about too, so that who is denied does not learn that.
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
