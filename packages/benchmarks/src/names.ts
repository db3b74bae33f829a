/** The two contenders that the table treats apart. */

/** What others are measured against. */
export const floorName = "floor";

/** What has goals. */
export const farrefName = "farref";
