/** Opens the page in a headless Chromium, follows the log in it and uploads a file. */

import { existsSync } from "node:fs";
import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright";

const uploadBytes = 8 * 1024 * 1024;

export async function check(address: string, folder: string): Promise<void> {
  const browser = await launch();
  try {
    const page = await open(browser, address);
    await checkLog(page, join(folder, "server.log"));
    await checkUpload(page, folder);
  } finally {
    await browser.close();
  }
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

function launch(): Promise<Browser> {
  const known = ["/usr/bin/chromium", "/usr/bin/google-chrome"].find((path) => existsSync(path));
  const executablePath = process.env["CHROMIUM_PATH"] ?? known;
  if (!executablePath) throw new Error("no Chromium: set CHROMIUM_PATH");
  return chromium.launch({ executablePath, chromiumSandbox: false, args: ["--disable-gpu"] });
}

async function open(browser: Browser, address: string): Promise<Page> {
  const page = await browser.newPage();
  page.setDefaultTimeout(10_000);
  page.on("pageerror", (error) => console.error("the page:", error));
  await page.goto(address);
  return page;
}

async function shows(page: Page, selector: string, text: string): Promise<void> {
  await page.locator(selector, { hasText: text }).waitFor();
}
