/** Copies files, slowly, and says how far it is. */
import { setTimeout as sleep } from "node:timers/promises";
import { RemoteError, startService } from "farref";

// #region job
type OnProgress = (done: number, total: number) => void;

export class Copier {
  /** A listener that fails must not stop the job: what it threw arrives here. */
  async copy(files: number, onProgress: OnProgress) {
    let failures = 0;
    for (let done = 1; done <= files; done++) {
      await sleep(10);
      try {
        await onProgress(done, files);
      } catch (error) {
        if (!(error instanceof RemoteError)) throw error;
        failures++;
        console.log(`server: the listener threw ${error.remoteName}: ${error.message}`);
      }
    }
    return { copied: files, failures };
  }

  /** Here it does stop the job: the error goes on to whoever called. */
  async copyStrictly(files: number, onProgress: OnProgress) {
    for (let done = 1; done <= files; done++) await onProgress(done, files);
  }
}
// #endregion

const service = await startService("tcp://127.0.0.1:0", new Copier());
console.log(`copier at ${service.uri}`);
