/** Opens the page in a headless Chromium, and gives both sides what the contract does not allow. */
import { existsSync } from "node:fs";
import { type Browser, chromium, type Page } from "playwright";

export async function check(address: string): Promise<void> {
  const browser = await launch();
  try {
    const page = await open(browser, address);
    await sign(page, " Ada ", "Hello!");
    await shows(page, "#log", "Ada: Hello!");

    await sign(page, "", "Hello!");
    await shows(page, "#notice", "not sent: name: Too small");

    await page.check("#unchecked");
    await sign(page, "", "Hello!");
    await shows(page, "#notice", "invalid-argument, not-executed:");

    const careless = await open(browser, `${address}?careless`);
    await shows(careless, "#notice", "invalid-result, executed:");
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

async function open(browser: Browser, address: string): Promise<Page> {
  const page = await browser.newPage();
  page.setDefaultTimeout(10_000);
  page.on("pageerror", (error) => console.error("the page:", error));
  await page.goto(address);
  return page;
}

async function sign(page: Page, name: string, text: string): Promise<void> {
  await page.fill("#name", name);
  await page.fill("#text", text);
  await page.press("#text", "Enter");
}

async function shows(page: Page, selector: string, text: string): Promise<void> {
  await page.locator(selector, { hasText: text }).waitFor();
  console.log(`page: ${(await page.textContent(selector))?.replace(/ of \[remote[^\]]*\]/, "")}`);
}
