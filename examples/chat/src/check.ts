/** Opens two pages in a headless Chromium and lets them talk. */
import { existsSync } from "node:fs";
import { type Browser, chromium, type Page } from "playwright";

export async function check(address: string): Promise<void> {
  const browser = await launch();
  try {
    const ada = await enter(browser, address, "Ada");
    await say(ada, "is anybody there?");
    const grace = await enter(browser, address, "Grace");
    await shows(grace, "#log", "Ada: is anybody there?");
    await shows(ada, "#names", "Ada, Grace");
    await say(grace, "I am");
    await shows(ada, "#log", "Grace: I am");
    await grace.close();
    await ada.getByText("In the room: Ada", { exact: true }).waitFor();
  } finally {
    await browser.close();
  }
}

function launch(): Promise<Browser> {
  const known = ["/usr/bin/chromium", "/usr/bin/google-chrome"].find((path) => existsSync(path));
  const executablePath = process.env["CHROMIUM_PATH"] ?? known;
  if (!executablePath) throw new Error("no Chromium: set CHROMIUM_PATH");
  return chromium.launch({ executablePath, chromiumSandbox: false, args: ["--disable-gpu"] });
}

async function enter(browser: Browser, address: string, name: string): Promise<Page> {
  const page = await browser.newPage();
  page.setDefaultTimeout(10_000);
  page.on("pageerror", (error) => console.error(`${name}'s page:`, error));
  await page.goto(address);
  await say(page, name);
  await page.getByPlaceholder("say something").waitFor();
  return page;
}

async function say(page: Page, text: string): Promise<void> {
  await page.fill("#input", text);
  await page.press("#input", "Enter");
}

async function shows(page: Page, selector: string, text: string): Promise<void> {
  await page.locator(selector, { hasText: text }).waitFor();
}
