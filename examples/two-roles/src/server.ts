/** Serves articles to those whose token it knows, as far as their role goes. */
import { createHash } from "node:crypto";
import { type Implementation, implement, type Principal, startService, verifyBearer } from "farref";
import { articles } from "./articles.js";

class Articles implements Implementation<typeof articles> {
  readonly #texts = new Map([["Far references", "An object in one process, called from another."]]);

  titles() {
    return [...this.#texts.keys()];
  }

  read(title: string) {
    const text = this.#texts.get(title);
    if (text === undefined) throw new RangeError(`no article ${JSON.stringify(title)}`);
    return text;
  }

  write(title: string, text: string) {
    this.#texts.set(title, text);
  }

  reindex() {}
}

// #region who
/** Only hashes of the tokens are known here: whoever reads them can't sign in. */
const [readersToken = "", editorsToken = ""] = process.argv.slice(2);
const owners = new Map<string, Principal>([
  [readersToken, { id: "ann", role: "reader" }],
  [editorsToken, { id: "bob", role: "editor" }],
]);

const authenticate = verifyBearer((token) => {
  const hash = createHash("sha256").update(token).digest("hex");
  return owners.get(hash) ?? null;
});
// #endregion

// #region may
const scopesOf = new Map<unknown, readonly string[]>([
  ["reader", ["read"]],
  ["editor", ["read", "edit"]],
]);

/** A method without a scope is nobody's. */
function mayCall(principal: Principal | undefined, scope: string | undefined): boolean {
  return scope !== undefined && scopesOf.get(principal?.["role"])?.includes(scope) === true;
}
// #endregion

// #region serve
const service = await startService("tcp://127.0.0.1:0", implement(articles, new Articles()), {
  authenticate,
  authorize: ({ principal, scope }) => mayCall(principal, scope),
  audit: ({ principal, method, permitted, threw, code }) => {
    const end = permitted ? (threw ? "threw" : "ran") : `refused (${code})`;
    console.log(`audit: ${principal?.id} ${method} ${end}`);
  },
  onError: (error) => console.log(`not let in: ${error.message}`),
});
// #endregion
console.log(`articles at ${service.uri}`);
