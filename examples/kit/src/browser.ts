/** A headless Chromium that visits the page of an example. Nothing here is about farref. */
import { existsSync } from "node:fs";
import { type Browser, chromium, type Page } from "playwright";

/** Runs `visit` with a browser, and ends the browser. */
export async function inBrowser(visit: (browser: Browser) => Promise<void>): Promise<void> {
  const browser = await launch();
  try {
    await visit(browser);
  } finally {
    await browser.close();
  }
}

/** Opens a page; its errors are printed. */
export async function open(browser: Browser, address: string): Promise<Page> {
  const page = await browser.newPage();
  page.setDefaultTimeout(10_000);
  page.on("pageerror", (error) => console.error("the page:", error));
  await page.goto(address);
  return page;
}

/** Waits until an element shows a text. */
export async function shows(page: Page, selector: string, text: string): Promise<void> {
  await page.locator(selector, { hasText: text }).waitFor();
}

function launch(): Promise<Browser> {
  const known = ["/usr/bin/chromium", "/usr/bin/google-chrome"].find((path) => existsSync(path));
  const executablePath = process.env["CHROMIUM_PATH"] ?? known;
  if (!executablePath) throw new Error("no Chromium: set CHROMIUM_PATH");
  return chromium.launch({ executablePath, chromiumSandbox: false, args: ["--disable-gpu"] });
}
