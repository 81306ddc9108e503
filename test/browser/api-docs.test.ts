import { html } from "hono/html";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createApiApp } from "../../collector/api/app.ts";
import type { Services } from "../../collector/api/services.ts";
import { createMetrics } from "../../collector/base/metrics.ts";
import { type Listening, listen } from "../../collector/receivers/http-server.ts";
import { describeInBrowser, launchBrowser, openPage } from "../support/browser.ts";

describeInBrowser("the documentation of the API in a browser", () => {
  let server: Listening;
  let browser: Browser;
  beforeAll(async () => {
    const app = createApiApp({
      unready: () => undefined,
      authenticate: async () => ({ kind: "granted", projectId: 1 }),
      metrics: createMetrics(),
      startPage: async () => html`<p></p>`,
      startCss: "",
      startScript: "",
      services: { version: "1.2.3" } as Services,
    });
    [server, browser] = await Promise.all([
      listen({ fetch: (request) => app.fetch(request), host: "127.0.0.1", port: 0, purpose: "test" }),
      launchBrowser(),
    ]);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close(0);
  });

  it("shows every noun from its own files, within the policy of the page and without another host", async () => {
    const { page, faults, context } = await openPage(browser, `${server.url}/docs`);
    await page.getByText("/api/generations/compare").first().waitFor({ timeout: 60_000 });
    expect(await page.locator(".opblock").count()).toBeGreaterThan(40);
    expect(await page.locator("h1, h2").first().textContent()).toContain("genspan");
    expect(faults).toEqual([]);
    await context.close();
  });

  it("lets one try a route, and is found with a slash at its end", async () => {
    const { page, faults, context } = await openPage(browser, `${server.url}/docs/#/alerts/getAlertsMetrics`);
    const route = page.locator("#operations-alerts-getAlertsMetrics");
    await route.getByRole("button", { name: "Try it out" }).click({ timeout: 60_000 });
    const answered = page.waitForResponse((response) => new URL(response.url()).pathname === "/api/alerts/metrics");
    await route.getByRole("button", { name: "Execute" }).click();
    expect((await answered).status()).toBe(200);
    expect(faults).toEqual([]);
    await context.close();
  });
});
