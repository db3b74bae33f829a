/** The same account twice: once as it is, once with its methods run one at a time. */
import { setImmediate as stored } from "node:timers/promises";
import { serialized, startService } from "farref";

// #region account
export class Account {
  #balance = 0;

  balance() {
    return this.#balance;
  }

  /** Awaits between reading and writing, as anything that asks a database does. */
  async deposit(amount: number) {
    const balance = this.#balance;
    await stored();
    this.#balance = balance + amount;
  }

  /** Asks first: whoever is asked may look at the balance meanwhile. */
  async withdraw(amount: number, approve: (amount: number) => Promise<boolean>) {
    if (!(await approve(amount))) return false;
    await this.deposit(-amount);
    return true;
  }
}
// #endregion

// #region serve
const service = await startService("tcp://127.0.0.1:0", new Account());
service.publish("serialized", serialized(new Account()));
// #endregion
console.log(`accounts at ${service.uri}`);
