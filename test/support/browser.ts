import { existsSync } from "node:fs";
import axe from "axe-core";
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { describe, it } from "vitest";

const USUAL_PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** The browser of this machine: CHROMIUM_PATH, else where distributions put it; undefined where there is none. */
export const browserPath = (): string | undefined =>
  [process.env["CHROMIUM_PATH"] ?? "", ...USUAL_PLACES].find((path) => path !== "" && existsSync(path));

/** Tests in a real browser. Where there is none, one skipped test says what is missing. */
export function describeInBrowser(name: string, tests: () => void): void {
  if (browserPath() !== undefined) describe(name, tests);
  else it.skip(`${name}: no browser on this machine (install chromium, or set CHROMIUM_PATH)`, () => {});
}

export function launchBrowser(): Promise<Browser> {
  // Chromium's sandbox does not work for root, nor in most containers.
  return chromium.launch({ executablePath: browserPath()!, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
}

/** A page that remembers what must not happen: errors, refused resources, and requests to other hosts. */
export interface WatchedPage {
  readonly page: Page;
  readonly context: BrowserContext;
  readonly faults: readonly string[];
}

export async function openPage(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<WatchedPage> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("console", (message) => void (message.type() === "error" && faults.push(message.text())));
  page.on("pageerror", (error) => void faults.push(error.message));
  page.on("dialog", (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    dialog.dismiss().catch(() => {});
  });
  page.on("request", (request) => {
    const { protocol, host } = new URL(request.url());
    if (protocol !== "data:" && host !== new URL(url).host) faults.push(`request to ${request.url()}`);
  });
  await page.goto(url);
  return { page, context, faults };
}

/** What axe-core finds against WCAG 2.2 AA and its best practices, one line each. */
export async function accessibilityViolations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const found = (await page.evaluate("axe.run()")) as axe.AxeResults;
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" | ")}`);
}
