/** Opens two pages in a headless Chromium and lets them talk. */
import { inBrowser, open, shows } from "@farref/example-kit/browser";
import type { Browser, Page } from "playwright";

export function check(address: string): Promise<void> {
  return inBrowser(async (browser) => {
    const ada = await enter(browser, address, "Ada");
    await say(ada, "is anybody there?");
    const grace = await enter(browser, address, "Grace");
    await shows(grace, "#log", "Ada: is anybody there?");
    await shows(ada, "#names", "Ada, Grace");
    await say(grace, "I am");
    await shows(ada, "#log", "Grace: I am");
    await grace.close();
    await ada.getByText("In the room: Ada", { exact: true }).waitFor();
  });
}

async function enter(browser: Browser, address: string, name: string): Promise<Page> {
  const page = await open(browser, address);
  await say(page, name);
  await page.getByPlaceholder("say something").waitFor();
  return page;
}

async function say(page: Page, text: string): Promise<void> {
  await page.fill("#input", text);
  await page.press("#input", "Enter");
}
