/** Opens the page in a headless Chromium, follows the log in it and uploads a file. */
import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inBrowser, open, shows } from "@farref/example-kit/browser";
import type { Page } from "playwright";

const uploadBytes = 8 * 1024 * 1024;

export function check(address: string, folder: string): Promise<void> {
  return inBrowser(async (browser) => {
    const page = await open(browser, address);
    await checkLog(page, join(folder, "server.log"));
    await checkUpload(page, folder);
  });
}

async function checkLog(page: Page, log: string): Promise<void> {
  await shows(page, "#log", "the server has started");
  await appendFile(log, "somebody is here\n");
  await shows(page, "#log", "somebody is here");
  await page.click("#stop");
  await shows(page, "#log", "followed no longer");
  console.log("page: the log was followed, and then no longer");
}

async function checkUpload(page: Page, folder: string): Promise<void> {
  const content = Uint8Array.from({ length: uploadBytes }, (_, i) => i * 7);
  const elsewhere = await mkdtemp(join(tmpdir(), "farref-upload-"));
  await writeFile(join(elsewhere, "numbers.bin"), content);
  await page.setInputFiles("#file", join(elsewhere, "numbers.bin"));
  await shows(page, "#notice", "numbers.bin is stored");
  await rm(elsewhere, { recursive: true });
  const progress = await page.getAttribute("#progress", "value");
  const stored = await readFile(join(folder, "numbers.bin"));
  if (!stored.equals(content)) throw new Error("another file was stored");
  console.log(`page: ${stored.length} bytes are stored, the bar is at ${progress}`);
}
