/** The contenders that the table treats apart. */

/** What others are measured against. */
export const floorName = "floor";

/** What has goals. */
export const farrefName = "farref";

/** The same with a callback in each call. */
export const calledBackName = "farref, called back";

/** The same behind an ACL, a shared secret and a contract. */
export const guardedName = "farref, guarded";
