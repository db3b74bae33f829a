/** Who may connect to a farref service, and what they may call. Programs import from `farref`. */
export { type Acl, type AclOrder, acl } from "./acl.ts";
export { bearer, verifyBearer } from "./bearer.ts";
export { clientCertificate } from "./client-certificate.ts";
export type { Api, Implementation } from "./contracts/api.ts";
export { type Callback, callback } from "./contracts/callback.ts";
export { type Contract, callerContract, defineContract } from "./contracts/contract.ts";
export { implement } from "./contracts/implement.ts";
export { type MethodOptions, type MethodSpec, method } from "./contracts/method.ts";
export { type Referable, reference } from "./contracts/reference.ts";
export type { Schema } from "./contracts/schema.ts";
export { stream } from "./contracts/stream.ts";
export { expose } from "./expose.ts";
export { rateLimit } from "./rate-limit.ts";
export { sharedSecret } from "./shared-secret.ts";
