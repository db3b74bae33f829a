/** How a call fails that depends on one that failed: with the same error, and without having run. */
import { RemoteError } from "../errors/remote-error.ts";
import { RpcError } from "../errors/rpc-error.ts";

/** The same error for a call that depends on the failed one. Classes of the program's own are passed on as they are. */
export function notExecuted(error: Error): Error {
  if ((error as Partial<RpcError>).outcome === "not-executed") return error;
  if (error instanceof RpcError) {
    return new RpcError(
      error.code,
      error.detail,
      "not-executed",
      "cause" in error ? { cause: error.cause } : undefined,
    );
  }
  if (!(error instanceof RemoteError)) return error;
  const { remoteName, message, code, data } = error;
  const cause = Object.hasOwn(error, "cause") ? { value: error.cause } : undefined;
  return new RemoteError({ remoteName, message, code, data, cause, outcome: "not-executed" });
}

/** Thrown where a value is being encoded and the step of a pipeline in it has failed: the call fails as the step did. */
export class StepFailure {
  readonly error: Error;

  constructor(error: Error) {
    this.error = error;
  }
}
