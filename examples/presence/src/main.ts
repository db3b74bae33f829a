/** Four guests come, and each goes in a way of their own. The list is right after each. */
import { type OwnProcess, startServer } from "@farref/example-kit";
import { connect } from "farref";
import type { Presence } from "./server.js";

await using server = await startServer(new URL("./server.js", import.meta.url));
await using presence = await connect<Presence>(server.uri);

const awaited = new Map<string, () => void>();
await presence.listen((news: string) => {
  console.log(news);
  awaited.get(news)?.();
});

/** What is said when it has happened. */
function heard(news: string): Promise<void> {
  return new Promise((resolve) => void awaited.set(news, resolve));
}

function guest(name: string, way: string): Promise<OwnProcess> {
  return startServer(new URL("./guest.js", import.meta.url), server.uri, name, way);
}

const annHasLeft = heard("ann has left");
await using _ann = await guest("ann", "leaves");
await annHasLeft;

const benHasHungUp = heard("ben has hung up");
await using _ben = await guest("ben", "hangs up");
await benHasHungUp;

const cidIsGone = heard("cid is gone without a word");
await using cid = await guest("cid", "stays");
await using _dan = await guest("dan", "stays");
console.log((await presence.greetAll()).join(", "));
await cid.kill();
await cidIsGone;

const danIsOut = heard("dan was shown out");
await presence.showOut("dan");
await danIsOut;

console.log(`there are ${(await presence.greetAll()).length} guests left`);
