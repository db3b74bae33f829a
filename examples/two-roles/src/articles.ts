/** What readers and editors may do with articles, for the server and for both of them. */
import { defineContract, method } from "farref";
import * as z from "zod";

// #region contract
const title = z.string().min(1).max(100);
const text = z.string().max(10_000);

export const articles = defineContract({
  titles: method([], z.array(title), { scope: "read" }),
  read: method([title], text, { scope: "read" }),
  write: method([title, text], undefined, { scope: "edit" }),
  reindex: method([]), // no scope: not for anybody from afar
});
// #endregion
