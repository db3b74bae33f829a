/** Serves what is large and what is small, in a process of its own. */
import { startService } from "farref";
import { answer, failure } from "../messages.ts";
import { large, limits, type Shop, small } from "./shop.ts";

const shop: Shop = {
  take: ({ length }) => length,
  give: () => large,
  small: () => small,
};

process.once("disconnect", () => process.exit());
try {
  answer({ kind: "ready", address: (await startService("tcp://127.0.0.1:0", shop, { limits })).uri });
} catch (error) {
  answer(failure(error));
}
