import { execFileSync } from "node:child_process";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { accessibilityViolations, describeInBrowser, launchBrowser, openPage, type WatchedPage } from "../support/browser.ts";
import { type Program, removeFolder, runCli, startProgram } from "../support/program.ts";
import { generation, sendSpans } from "../support/sent-spans.ts";

const HOSTILE = '<img src=x onerror="alert(1)"></bdi><script>alert(2)</script>';
const SIZES = { desktop: { width: 1280, height: 900 }, phone: { width: 390, height: 844 } } as const;
const SCHEMES = ["light", "dark"] as const;
/** The page asks every five seconds. */
/** A page that waits longest between two looks (on a machine that is slow to answer) looks within this. */
const WITHIN = { timeout: 60_000, interval: 250 };

/** What has the focus, by its name, and whether one sees it. Text, because it runs in the page. */
const focusedElement = (page: Page): Promise<{ name: string; tag: string; visible: boolean }> =>
  page.evaluate(`(() => {
    const element = document.activeElement;
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    const name = element.getAttribute("aria-label") || element.id || element.textContent.trim();
    return { name, tag: element.tagName, visible: outlineStyle !== "none" && outlineWidth !== "0px" };
  })()`);

describeInBrowser("the start page in a browser", () => {
  let program: Program;
  let browser: Browser;
  const open: WatchedPage[] = [];
  const visit = async (options: Parameters<typeof openPage>[2] = {}): Promise<WatchedPage> => {
    const watched = await openPage(browser, program.webUrl, options);
    open.push(watched);
    return watched;
  };

  beforeAll(async () => {
    [program, browser] = await Promise.all([startProgram(), launchBrowser()]);
  });
  afterAll(async () => {
    await browser?.close();
    await program?.end();
    if (program !== undefined) removeFolder(program);
  });

  it("is accessible before anything came in, and says how to send", async () => {
    const { page, faults } = await visit();
    expect(await accessibilityViolations(page)).toEqual([]);
    expect(await page.locator("#variables").textContent()).toContain(`OTEL_EXPORTER_OTLP_ENDPOINT=${program.otlpUrl}`);
    expect(await page.locator("#calls").textContent()).toContain("No model call yet");
    expect(await page.getByRole("status").first().textContent()).toMatch(/^Ready/);
    expect(faults).toEqual([]);
  });

  it("the curl it shows, pasted into a shell, becomes the first model call on the open page", async () => {
    const { page, faults } = await visit();
    const curl = (await page.locator("#curl").textContent())!;
    expect(execFileSync("sh", ["-c", curl]).toString()).toBe("{}");
    await expect.poll(() => page.locator("#calls tbody tr").first().textContent(), WITHIN).toContain("gpt-4o-mini");
    await expect.poll(() => page.locator("#spans tbody tr").count(), WITHIN).toBe(1);
    await expect.poll(() => page.locator("#hour").textContent(), WITHIN).toContain("1 model calls, 0 failed, 19 tokens");
    await expect.poll(() => page.locator("#items tbody tr").first().textContent(), WITHIN).toMatch(/traces1100/);
    expect(faults).toEqual([]);
  });

  it("shows text from outside as text", async () => {
    await sendSpans(program.otlpUrl, [generation({ name: HOSTILE, model: HOSTILE, service: HOSTILE })]);
    const { page, faults } = await visit();
    expect(await page.locator("#spans tbody tr").first().textContent()).toContain(HOSTILE);
    expect(await page.locator("#calls tbody tr").first().textContent()).toContain(HOSTILE);
    expect(faults).toEqual([]);
  });

  describe.each(SCHEMES)("in %s colours", (colorScheme) => {
    it.each(Object.entries(SIZES))("has no accessibility violation and no sideways scrolling on a %s", async (_, viewport) => {
      await sendSpans(program.otlpUrl, [
        generation({ name: `chat ${"long ".repeat(40)}`, model: "m".repeat(120) }),
        generation({ failed: true }),
      ]);
      const { page, faults } = await visit({ colorScheme, viewport });
      await page.locator("summary").click();
      expect(await accessibilityViolations(page)).toEqual([]);
      expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
      expect(faults).toEqual([]);
    });
  });

  it("can be used by keyboard alone: every control is reached, visibly, in the order of reading", async () => {
    const { page } = await visit();
    const reached: string[] = [];
    for (let i = 0; i < 30; i++) {
      await page.keyboard.press("Tab");
      const focused = await focusedElement(page);
      if (focused.tag === "BODY") break;
      expect([focused.name, focused.visible]).toEqual([focused.name, true]);
      reached.push(focused.name);
    }
    expect(reached).toEqual([
      "Skip to what arrived last",
      ...["the variables", "Copy the variables", "One model call by hand", "the query", "Copy the query"],
      ...["pause", "calls", "spans", "Items by signal", "Metrics", "Health", "Readiness"],
    ]);
  });

  it("copies a command to the clipboard", async () => {
    const { page, context } = await visit();
    await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: program.webUrl });
    await page.getByRole("button", { name: "Copy the variables" }).click();
    await expect.poll(() => page.locator("#told").textContent()).toBe("Copied");
    expect(await page.evaluate("navigator.clipboard.readText()")).toBe(await page.locator("#variables").textContent());
  });

  it("keeps the focus and the place while it brings itself up to date, and stands still when paused", async () => {
    const { page } = await visit({ viewport: SIZES.phone });
    await page.locator("#spans").focus();
    await page.locator("#spans").evaluate((element) => element.scrollTo(60, 0));
    const first = generation();
    await sendSpans(program.otlpUrl, [first]);
    await expect.poll(() => page.locator("#spans").textContent(), WITHIN).toContain(first.traceId);
    expect(await page.evaluate("[document.activeElement.id, document.activeElement.scrollLeft]")).toEqual(["spans", 60]);

    await page.getByRole("button", { name: "Pause" }).click();
    const second = generation();
    await sendSpans(program.otlpUrl, [second]);
    await page.waitForTimeout(6_000);
    expect(await page.locator("#spans").textContent()).not.toContain(second.traceId);
    await page.getByRole("button", { name: "Paused" }).click();
    await expect.poll(() => page.locator("#spans").textContent(), WITHIN).toContain(second.traceId);
  });

  it("is whole without JavaScript, and offers no button that would do nothing", async () => {
    const { page } = await visit({ javaScriptEnabled: false });
    expect(await page.locator("#spans tbody tr").count()).toBeGreaterThan(0);
    expect(await page.locator("button:visible").count()).toBe(0);
  });

  it("asks for the key once there is one, and then shows where it goes", async () => {
    const { stdout } = await runCli(["key", "create", "--name", "browser", "--scope", "read"], {
      GENSPAN_DATA_DIR: `${program.folder}/data`,
    });
    await expect.poll(async () => (await fetch(program.webUrl)).status, WITHIN).toBe(401);
    const { page } = await visit({ httpCredentials: { username: "any", password: stdout.trim() } });
    expect(await page.locator("#variables").textContent()).toContain("OTEL_EXPORTER_OTLP_HEADERS");
    expect(await page.content()).not.toContain(stdout.trim());
  });

  it("says so when the collector has gone", async () => {
    const { page: watching } = open[0]!;
    await program.end();
    await expect.poll(() => watching.locator("#status").textContent(), WITHIN).toContain("does not answer");
  });
});
