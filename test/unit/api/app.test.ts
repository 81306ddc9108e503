import { html } from "hono/html";
import { describe, expect, it } from "vitest";
import { type ApiOptions, createApiApp, type Visit } from "../../../collector/api/app.ts";
import type { Services } from "../../../collector/api/services.ts";
import type { Authentication } from "../../../collector/base/authenticate.ts";
import { createMetrics } from "../../../collector/base/metrics.ts";
import { rejected, retryable } from "../../../collector/base/outcome.ts";

/** No test here asks for data. */
const services = { version: "1.2.3" } as Services;

const GRANTED: Authentication = { kind: "granted", projectId: 3 };

function app(change: Partial<ApiOptions> = {}) {
  const visits: Visit[] = [];
  const api = createApiApp({
    unready: () => undefined,
    authenticate: async () => GRANTED,
    metrics: createMetrics(),
    startPage: async (visit) => {
      visits.push(visit);
      return html`<p>page</p>`;
    },
    startCss: "body{}",
    startScript: "update()",
    services,
    ...change,
  });
  return {
    visits,
    get: (path: string, headers: Record<string, string> = {}) => api.request(`http://telemetry.test:4319${path}`, { headers }),
  };
}

describe("the web address", () => {
  it("tells health without a key, and readiness with its reason", async () => {
    const denied = app({ authenticate: async () => rejected("unauthenticated", "a key is required"), unready: () => "database" });
    expect([(await denied.get("/healthz")).status, (await denied.get("/readyz")).status]).toEqual([200, 503]);
    expect(await (await denied.get("/readyz")).text()).toBe("database\n");
    expect((await app().get("/readyz")).status).toBe(200);
  });

  it.each(["/runs?status=failed&from=-24h", "/runs/nightly-7", "/generations?has=unpriced", "/images/a?x=1"])(
    "leads %s, as alerts and commands give it out, to the rows of the API",
    async (path) => {
      const response = await app().get(path);
      expect([response.status, response.headers.get("location")]).toEqual([302, `/api${path}`]);
    },
  );

  it("gives the start page to whom the key check lets in, and tells it who looks", async () => {
    const { get, visits } = app();
    const response = await get("/", { authorization: `Basic ${Buffer.from("any:k").toString("base64")}` });
    expect([response.status, await response.text()]).toEqual([200, "<p>page</p>"]);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(visits).toEqual([{ projectId: 3, hostName: "telemetry.test", hasKey: true }]);
    await get("/");
    expect(visits[1]).toMatchObject({ hasKey: false });
  });

  it.each([
    ["unauthenticated", rejected("unauthenticated", "a key is required"), 401],
    ["forbidden", rejected("forbidden", "this key lacks the scope read"), 403],
    ["unavailable", retryable("database", "the keys cannot be read at the moment"), 503],
  ])("keeps others out of page and metrics: %s", async (code, permit, status) => {
    for (const path of ["/", "/metrics"]) {
      const response = await app({ authenticate: async () => permit as Authentication }).get(path);
      expect([path, response.status, ((await response.json()) as { error: { code: string } }).error.code]).toEqual([path, status, code]);
      // A browser asks its user for the key.
      if (status === 401) expect(response.headers.get("www-authenticate")).toMatch(/^Basic .*Bearer /);
    }
  });

  it("allows pages nothing but their own files, and no framing", async () => {
    const policy = (await app().get("/")).headers.get("content-security-policy")!;
    expect(policy).toContain("default-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("unsafe");
  });

  it("serves style and script by their types", async () => {
    expect((await app().get("/start.css")).headers.get("content-type")).toBe("text/css; charset=utf-8");
    expect((await app().get("/start.js")).headers.get("content-type")).toBe("text/javascript; charset=utf-8");
  });

  it("answers what is not there with an error of the API's shape", async () => {
    const response = await app().get("/nothing");
    expect([response.status, await response.json()]).toEqual([404, { error: { code: "not_found", message: expect.any(String) } }]);
  });
});
