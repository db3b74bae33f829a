/** Opens the page in a headless Chromium, and gives both sides what the contract does not allow. */
import { inBrowser, open, shows } from "@farref/example-kit/browser";
import type { Page } from "playwright";

export function check(address: string): Promise<void> {
  return inBrowser(async (browser) => {
    const page = await open(browser, address);
    await sign(page, " Ada ", "Hello!");
    await tells(page, "#log", "Ada: Hello!");

    await sign(page, "", "Hello!");
    await tells(page, "#notice", "not sent: name: Too small");

    await page.check("#unchecked");
    await sign(page, "", "Hello!");
    await tells(page, "#notice", "invalid-argument, not-executed:");

    const careless = await open(browser, `${address}?careless`);
    await tells(careless, "#notice", "invalid-result, executed:");
  });
}

async function sign(page: Page, name: string, text: string): Promise<void> {
  await page.fill("#name", name);
  await page.fill("#text", text);
  await page.press("#text", "Enter");
}

async function tells(page: Page, selector: string, text: string): Promise<void> {
  await shows(page, selector, text);
  console.log(`page: ${(await page.textContent(selector))?.replace(/ of \[remote[^\]]*\]/, "")}`);
}
