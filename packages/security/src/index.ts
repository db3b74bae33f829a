/** Who may connect to a farref service, and what they may call. Programs import from `farref`. */
export { type Acl, type AclOrder, acl } from "./acl.ts";
export { bearer, verifyBearer } from "./bearer.ts";
export { clientCertificate } from "./client-certificate.ts";
export { expose } from "./expose.ts";
export { rateLimit } from "./rate-limit.ts";
export { sharedSecret } from "./shared-secret.ts";
