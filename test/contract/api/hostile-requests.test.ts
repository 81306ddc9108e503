import { html } from "hono/html";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createApiApp } from "../../../collector/api/app.ts";
import type { Services } from "../../../collector/api/services.ts";
import { generateKey, hashKey, type Scope, type StoredKey } from "../../../collector/base/api-key.ts";
import { createAuthenticator } from "../../../collector/base/authenticate.ts";
import { createMetrics } from "../../../collector/base/metrics.ts";
import type { Reader } from "../../../collector/query/reader.ts";
import { type Listening, listen } from "../../../collector/receivers/http-server.ts";
import { recordingLog } from "../../support/recording-log.ts";
import { openRaw, statusesIn } from "../otlp-http/raw-connection.ts";

const SECRET = "this is data of the project";
const KEY = generateKey();
const PATH = "/api/generations";

describe("the web address under hostile requests", () => {
  let server: Listening;
  const { log, lines } = recordingLog();
  let reads = 0;
  let writes = 0;

  beforeAll(async () => {
    const stored = (scopes: readonly Scope[], key: string): StoredKey => ({
      id: key,
      projectId: 1,
      hash: hashKey(key),
      scopes,
      expiresAt: null,
      revokedAt: null,
      maxRequestsPerSecond: null,
    });
    const reader: Reader = {
      async read() {
        reads++;
        return { data: [{ response_start: SECRET }], next: null } as never;
      },
      end: async () => {},
    };
    const writer = {
      get sql(): never {
        writes++;
        throw new Error("nothing may be written here");
      },
      schema: "public",
    };
    const app = createApiApp({
      unready: () => undefined,
      authenticate: createAuthenticator({ loadKeys: async () => [stored(["read", "admin"], KEY)], loopbackOnly: true }),
      metrics: createMetrics(),
      startPage: async () => html`<p>${SECRET}</p>`,
      startCss: "",
      startScript: "",
      services: { reader, writer, log, version: "0" } as unknown as Services,
    });
    server = await listen({ fetch: (request) => app.fetch(request), host: "127.0.0.1", port: 0, purpose: "test" });
  });
  afterAll(() => server?.close(0));

  /** Sends a request by hand: clients would tidy paths and headers up. */
  async function ask(target: string, headers: readonly string[] = [], method = "GET"): Promise<{ status: number; text: string }> {
    const raw = await openRaw(server.port);
    raw.send(
      Buffer.from([`${method} ${target} HTTP/1.1`, "Host: localhost", "Connection: close", ...headers, "", ""].join("\r\n"), "latin1"),
    );
    const text = await raw.closed;
    return { status: statusesIn(text)[0] ?? 0, text };
  }

  it("AUT-13 gives no data without a key, however its path is written", async () => {
    const plain = await ask(PATH);
    expect(plain.status).toBe(401);
    const paths = [
      "//api/generations",
      "/%61pi/generations",
      "/api%2fgenerations",
      "/API/generations",
      "/./api/generations",
      "/x/../api/generations",
      "/api//generations",
      "/api/generations/",
      "/api/generations%00",
      "/;/api/generations",
      "http://localhost/api/generations",
      "/api/generations?key=1#x",
    ];
    for (const path of paths) {
      const { status, text } = await ask(path);
      expect([path, [400, 401, 404].includes(status)]).toEqual([path, true]);
      expect(text).not.toContain(SECRET);
    }
    expect(reads).toBe(0);
    expect((await ask(PATH, [`Authorization: Bearer ${KEY}`])).text).toContain(SECRET);
  });

  it("AUT-11 takes no key from the address, and writes none to its log", async () => {
    for (const name of ["api_key", "key", "token", "access_token", "x-service-key"]) {
      const { status, text } = await ask(`${PATH}?${name}=${KEY}`);
      expect([name, status]).toEqual([name, 401]);
      expect(text).not.toContain(KEY);
    }
    expect(JSON.stringify(lines)).not.toContain(KEY);
  });

  it("AUT-12 meets abused key headers with 4xx and goes on serving", async () => {
    const abused: readonly (readonly [string, readonly string[]])[] = [
      ["twice", [`X-Service-Key: ${KEY}`, "X-Service-Key: other"]],
      ["twice in Authorization", [`Authorization: Bearer ${KEY}`, "Authorization: Bearer other"]],
      ["line end inside", [`X-Service-Key: ${KEY}\r\n folded`]],
      ["non-ASCII", ["X-Service-Key: schlüssel\xff"]],
      ["a megabyte", [`X-Service-Key: ${"k".repeat(1024 * 1024)}`]],
      ["empty", ["X-Service-Key: "]],
      ["no scheme", [`Authorization: ${KEY}`]],
    ];
    for (const [name, headers] of abused) {
      const { status, text } = await ask(PATH, headers);
      // Of two Authorization headers Node takes the first: the key is right then.
      const expected = name === "twice in Authorization" ? [200, 400, 401] : [0, 400, 401, 431];
      expect([name, expected.includes(status)]).toEqual([name, true]);
      if (status !== 200) expect(text).not.toContain(SECRET);
    }
    expect((await ask(PATH, [`X-Service-Key: ${KEY}`])).status).toBe(200);
  });

  it("AUT-15 changes nothing for a page of another site, though the browser sends the remembered password", async () => {
    const remembered = `Authorization: Basic ${Buffer.from(`me:${KEY}`).toString("base64")}`;
    const target = "/api/traceImage?deleteAll=true";
    for (const origin of [
      ["Origin: https://evil.example"],
      ["Origin: null"],
      ["Sec-Fetch-Site: cross-site"],
      ["Sec-Fetch-Site: same-site", "Origin: http://localhost"],
    ]) {
      const { status } = await ask(target, [remembered, ...origin], "DELETE");
      expect([origin, status]).toEqual([origin, 403]);
    }
    // Neither do methods that a page may send without asking.
    for (const method of ["GET", "HEAD", "POST"])
      expect((await ask(target, [remembered, "Origin: https://evil.example"], method)).status).not.toBe(200);
    expect(writes).toBe(0);
    await ask(target, [remembered, "Sec-Fetch-Site: same-origin"], "DELETE");
    expect(writes).toBe(1);
  });

  it("AUT-16 tells health without a key and nothing more; metrics need one", async () => {
    for (const path of ["/healthz", "/livez", "/readyz"]) {
      const { status, text } = await ask(path);
      expect(status).toBe(200);
      expect(text.split("\r\n\r\n")[1]).toMatch(/^(5\r\n|3\r\n|6\r\n)?(ok|ready)\n/);
    }
    expect((await ask("/metrics")).status).toBe(401);
    expect((await ask("/metrics", [`X-Service-Key: ${KEY}`])).text).toContain("# HELP");
  });

  it("QRY-07 serves its own files by their names, and no others", async () => {
    const key = [`Authorization: Bearer ${KEY}`];
    for (const path of ["/docs/swagger-ui.css", "/docs/start.js", "/start.css"])
      expect([path, (await ask(path, key)).status]).toEqual([path, 200]);
    const paths = [
      "/..%2f..%2fetc/passwd",

      "/docs/..\\..\\package.json",
      "/docs/%2e%2e%2fpackage.json",
      "/docs/../package.json",
      "/docs/package.json",
      "/docs/swagger-ui-bundle.js.map",
      "/%00",
      "/docs/%00",
      "/../../etc/passwd",
      "/docs//etc/passwd",
    ];
    for (const path of paths) {
      const { status, text } = await ask(path, key);
      expect([path, status >= 400 && status < 500]).toEqual([path, true]);
      expect(text).not.toMatch(/root:|"dependencies"|swagger-ui-dist"/);
    }
  });

  it("shows the documentation of the API from its own files alone, without what its policy forbids", async () => {
    const { text } = await ask("/docs");
    expect([...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => address)).toEqual([
      "data:,",
      "/docs/swagger-ui.css",
      "/openapi.json",
      "/docs/swagger-ui-bundle.js",
      "/docs/start.js",
    ]);
    expect(text).toMatch(/content-security-policy: default-src 'self'/i);
    expect(text).not.toMatch(/<script>|<style|style=|https?:\/\/(?!localhost)/);
  });
});
