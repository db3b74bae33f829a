/** A shop in a process of its own, a customer who has its classes, and one who hasn't. */
import { startServer } from "@farref/example-kit";
import { connect, type RemoteError, UnknownValue } from "farref";
import { Money, money, OutOfStock, outOfStock } from "./money.js";
import type { Shop } from "./server.js";

await using server = await startServer(new URL("./server.js", import.meta.url));

// #region customer
await using shop = await connect<Shop>(server.uri, { types: [money, outOfStock] });
const price = (await shop.prices()).get("tea") ?? new Money(0, "EUR");
console.log(`one is ${price}, three are ${price.times(3)}`); // a method of Money's, run here
console.log(await shop.buy("tea", 3, price.times(3)));

try {
  await shop.buy("tea", 9, price.times(9));
} catch (error) {
  if (!(error instanceof OutOfStock)) throw error;
  console.log(`${error.message}, so ${await shop.buy("tea", error.left, price.times(error.left))}`);
}
// #endregion

// #region stranger
await using stranger = await connect<Shop>(server.uri); // no types
const unknown: unknown = (await stranger.prices()).get("tea");
if (unknown instanceof UnknownValue) console.log("stranger:", unknown.name, unknown.data);
await stranger.buy("tea", 9, unknown as Money).catch((error: RemoteError) => {
  console.log(`stranger: ${error.remoteName}, ${error.message}`, error.data);
});
// #endregion

// #region forged
const forged = new UnknownValue("money", { cents: 0.5, currency: "EUR" });
await stranger.buy("tea", 1, forged as unknown as Money).catch((error) => console.log(`forged: ${error.code}`));
// #endregion
