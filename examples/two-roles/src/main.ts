/** A server of its own, and three who knock: a reader, an editor, and somebody who has no token. */
import { createHash, randomBytes } from "node:crypto";
import { startServer } from "@farref/example-kit";
import { bearer, connect, type RpcError } from "farref";
import { articles } from "./articles.js";

const [readersToken, editorsToken] = [newToken(), newToken()];
await using server = await startServer(new URL("./server.js", import.meta.url), hash(readersToken), hash(editorsToken));

// #region reader
await using reader = await connect(server.uri, { contract: articles, credentials: bearer(readersToken) });
console.log("reader reads:", await reader.read("Far references"));
await reader.write("Far references", "Nonsense.").catch(show("reader writes"));
// #endregion

// #region editor
await using editor = await connect(server.uri, { contract: articles, credentials: bearer(editorsToken) });
await editor.write("Contracts", "Checked where they are called.");
console.log("editor wrote:", await reader.titles());
await editor.reindex().catch(show("editor reindexes"));
await editor.read("Nothing").catch(show("editor reads on"));
// #endregion

// #region stranger
await connect(server.uri, { contract: articles, credentials: bearer("a guess") }).catch(show("stranger"));
// #endregion

function show(who: string): (error: RpcError) => void {
  return ({ message, outcome }) => console.log(`${who}: ${message} [${outcome}]`);
}

function newToken(): string {
  return randomBytes(32).toString("base64url");
}

function hash(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
