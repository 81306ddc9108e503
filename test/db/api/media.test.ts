import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createApiApp } from "../../../collector/api/app.ts";
import { createMetrics } from "../../../collector/base/metrics.ts";
import { rejected } from "../../../collector/base/outcome.ts";
import { type ApiRig, createApiRig } from "../../support/api-rig.ts";
import { describeEachServer } from "../../support/database.ts";
import { spanIdOf, TRACE, tracesOf } from "../../support/otlp-json.ts";

const PICTURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 0xff, 0xfe, 10, 13]);
const SVG = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>');
const PAGE = Buffer.from("<script>alert(1)</script>");
const sha256 = (content: Buffer): string => createHash("sha256").update(content).digest("hex");

describeEachServer("GET /api/media/{sha256}", (server) => {
  let rig: ApiRig;
  let get: (hash: string, headers?: Record<string, string>) => Promise<Response>;
  beforeAll(async () => {
    rig = await createApiRig(server, async ({ key }) =>
      key === undefined ? rejected("unauthenticated", "a key is required") : { kind: "granted", projectId: Number(key) },
    );
    const part = (content: Buffer, mime_type: string) => ({
      type: "blob",
      modality: "image",
      mime_type,
      content: content.toString("base64"),
    });
    const parts = [part(PICTURE, "image/png"), part(SVG, "image/svg+xml"), part(PAGE, "text/html; charset=utf-8\r\nX-Evil: 1")];
    const spans = tracesOf({
      id: "draw",
      attributes: {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "m",
        "gen_ai.output.messages": JSON.stringify([{ role: "assistant", parts }]),
      },
    });
    const sent = await rig.send("/api/import", spans, { headers: { authorization: "Bearer 1" } });
    expect(sent.status).toBe(200);
    // As it is served: behind the policy for pages.
    const app = createApiApp({
      unready: () => undefined,
      metrics: createMetrics(),
      startPage: async () => "" as never,
      startCss: "",
      startScript: "",
      ...rig.services,
      services: rig.services,
    });
    get = async (hash, headers = { authorization: "Bearer 1" }) => app.request(`http://localhost/api/media/${hash}`, { headers });
  });
  afterAll(() => rig?.[Symbol.asyncDispose]());

  it("gives the bytes as they were sent, by the hash that the call's detail tells", async () => {
    const { body } = await rig.get<{ outputs: readonly { blob_hash: string }[] }>(`/api/generations/${TRACE}-${spanIdOf("draw")}`, {
      authorization: "Bearer 1",
    });
    const [hash = ""] = body.outputs.map((each) => each.blob_hash);
    expect(hash).toBe(sha256(PICTURE));
    const response = await get(hash);
    expect([response.status, response.headers.get("content-type")]).toEqual([200, "image/png"]);
    expect(Buffer.from(await response.arrayBuffer()).equals(PICTURE)).toBe(true);
    expect(response.headers.get("content-length")).toBe(String(PICTURE.length));
    expect((await get(hash.toUpperCase())).status).toBe(200);
  });

  it("lets nothing in it run: an SVG is shown without its scripts, and what is no picture, sound or film is a download", async () => {
    for (const [content, type, disposition] of [
      [SVG, "image/svg+xml", null],
      [PAGE, "application/octet-stream", `attachment; filename="${sha256(PAGE)}"`],
    ] as const) {
      const { headers, status } = await get(sha256(content));
      expect([status, headers.get("content-type"), headers.get("content-disposition")]).toEqual([200, type, disposition]);
      expect(headers.get("content-security-policy")).toBe("default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox");
      expect([headers.get("x-content-type-options"), headers.get("x-evil")]).toEqual(["nosniff", null]);
    }
  });

  it("is kept by browsers and asked for again: 304 while it is there, 404 once it was erased", async () => {
    const etag = `"${sha256(SVG)}"`;
    const first = await get(sha256(SVG));
    expect([first.headers.get("etag"), first.headers.get("cache-control")]).toEqual([etag, "private, no-cache"]);
    for (const known of [etag, `"x", W/${etag}`, "*"]) {
      const again = await get(sha256(SVG), { authorization: "Bearer 1", "if-none-match": known });
      expect([known, again.status, (await again.arrayBuffer()).byteLength]).toEqual([known, 304, 0]);
    }
    expect((await get(sha256(SVG), { authorization: "Bearer 1", "if-none-match": '"other"' })).status).toBe(200);
    await rig.owner`DELETE FROM blobs WHERE hash = ${createHash("sha256").update(SVG).digest()}`;
    expect((await get(sha256(SVG), { authorization: "Bearer 1", "if-none-match": etag })).status).toBe(404);
  });

  it("belongs to its project: another one's key finds nothing, also when it knows the hash", async () => {
    const theirs = { authorization: "Bearer 2", "if-none-match": `"${sha256(PICTURE)}"` };
    expect((await get(sha256(PICTURE), theirs)).status).toBe(404);
    expect((await get(sha256(PICTURE), {})).status).toBe(401);
  });

  it.each(["nothing", "f".repeat(63), "f".repeat(65), "%00", `${"f".repeat(63)}g`])("refuses %s, which is no hash", async (hash) => {
    expect((await get(hash)).status).toBe(400);
  });
});
