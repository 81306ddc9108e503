import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { ApiError, callApi } from "../../../../sdk/rest/api-client.ts";

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
  vi.unstubAllEnvs();
});

interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

async function answering(status: number, body: string, headers: Record<string, string> = {}): Promise<{ url: string; seen: Seen[] }> {
  const seen: Seen[] = [];
  server = createServer(async (request, response) => {
    const chunks = await request.toArray();
    seen.push({ method: request.method, url: request.url, headers: request.headers, body: Buffer.concat(chunks).toString() });
    response.writeHead(status, headers).end(body);
  });
  await new Promise<void>((resolve) => server!.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

const errorOf = async (call: Promise<unknown>): Promise<ApiError> => {
  const error = await call.then(() => undefined).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ApiError);
  return error as ApiError;
};

describe("the client of the API", () => {
  it("sends the key, the query and the body, and gives the JSON of the answer", async () => {
    const { url, seen } = await answering(200, '{"id":1}');
    const answer = await callApi(
      { method: "POST", path: "/v1/x", query: { a: "ü&", b: undefined }, body: { n: 1 } },
      { apiUrl: `${url}/`, apiKey: "k" },
    );
    expect(answer).toEqual({ id: 1 });
    expect(seen[0]).toMatchObject({ method: "POST", url: "/v1/x?a=%C3%BC%26", body: '{"n":1}' });
    expect(seen[0]?.headers).toMatchObject({ "x-service-key": "k", "content-type": "application/json" });
  });

  it("keeps the prefix of a proxy, and sends no key and no body where there are none", async () => {
    const { url, seen } = await answering(200, "{}");
    vi.stubEnv("GENSPAN_API_KEY", "");
    await callApi({ method: "GET", path: "/api/x" }, { apiUrl: `${url}/genspan` });
    expect(seen[0]?.url).toBe("/genspan/api/x");
    expect(seen[0]?.headers).not.toHaveProperty("x-service-key");
    expect(seen[0]?.headers).not.toHaveProperty("content-type");
  });

  it("takes address and key from the environment, the service's own key last", async () => {
    const { url, seen } = await answering(200, "{}");
    vi.stubEnv("GENSPAN_API_URL", url);
    vi.stubEnv("QS_API_KEY", "of the service");
    await callApi({ method: "GET", path: "/a" });
    vi.stubEnv("GENSPAN_API_KEY", "of genspan");
    await callApi({ method: "GET", path: "/b" });
    expect(seen.map(({ headers }) => headers["x-service-key"])).toEqual(["of the service", "of genspan"]);
  });

  it("gives null for what does not exist and for an empty answer", async () => {
    const missing = await answering(404, '{"error":{"code":"not_found","message":"no"}}');
    expect(await callApi({ method: "GET", path: "/" }, { apiUrl: missing.url })).toBeNull();
    server!.close();
    const empty = await answering(204, "");
    expect(await callApi({ method: "DELETE", path: "/" }, { apiUrl: empty.url })).toBeNull();
  });

  it("rejects with the status, the collector's own reason and when to come again", async () => {
    const { url } = await answering(503, '{"error":{"code":"unavailable","message":"the database is away"}}', { "retry-after": "2" });
    const error = await errorOf(callApi({ method: "GET", path: "/" }, { apiUrl: url }));
    expect(error).toMatchObject({ status: 503, retryAfterSeconds: 2, message: "the collector answered 503: the database is away" });
  });

  it("rejects without a reason where the answer is not of the collector's form", async () => {
    const { url } = await answering(502, "<html>bad gateway</html>", { "retry-after": "soon" });
    const error = await errorOf(callApi({ method: "GET", path: "/" }, { apiUrl: url }));
    expect(error).toMatchObject({ status: 502, retryAfterSeconds: undefined, message: "the collector answered 502" });
  });

  it("says so when a good answer is no JSON", async () => {
    const { url } = await answering(200, "<html>");
    expect((await errorOf(callApi({ method: "GET", path: "/" }, { apiUrl: url }))).message).toContain("GENSPAN_API_URL");
  });

  it("says which address does not answer, and which is none", async () => {
    const away = await errorOf(callApi({ method: "GET", path: "/" }, { apiUrl: "http://127.0.0.1:1" }));
    expect(away).toMatchObject({ status: 0, message: "the collector's API at http://127.0.0.1:1 does not answer" });
    expect((await errorOf(callApi({ method: "GET", path: "/" }, { apiUrl: "nowhere" }))).message).toContain("no URL");
  });

  it("does not wait for an answer longer than it is told to", async () => {
    server = createServer(() => {});
    await new Promise<void>((resolve) => server!.listen(0, "127.0.0.1", resolve));
    const apiUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect((await errorOf(callApi({ method: "GET", path: "/" }, { apiUrl, timeoutMillis: 20 }))).status).toBe(0);
  });
});
