/** Who may connect to a farref service. Programs import from `farref`. */
export { type Acl, type AclOrder, acl } from "./acl.ts";
