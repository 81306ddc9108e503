import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createApiApp } from "../../../collector/api/app.ts";
import type { Services } from "../../../collector/api/services.ts";
import { createMetrics } from "../../../collector/base/metrics.ts";
import { listen } from "../../../collector/receivers/http-server.ts";
import { span, spanId, tracesRequest } from "../../support/wire-builder.ts";
import { openRaw, post, statusesIn } from "./raw-connection.ts";
import { createSocketRig, type SocketRig, WRONG_KEY } from "./rig.ts";

const BODY = tracesRequest([span()]);
const LIMIT = 11 * 1024 * 1024;

let rig: SocketRig;
beforeAll(async () => {
  rig = await createSocketRig({ maxRequestBodyBytes: LIMIT });
});
afterAll(() => rig.close(100));
beforeEach(() => {
  rig.seen.length = 0;
});

/** After whatever happened, the collector serves the next sender, and holds nothing of the last. */
async function expectServing(): Promise<void> {
  const connection = await openRaw(rig.port);
  connection.send(post({ headers: ["Connection: close"], body: BODY }));
  expect(statusesIn(await connection.closed)).toEqual([200]);
  expect(rig.heldBytes()).toBe(0);
}

describe("HTP-13 a request whose length can be read in two ways is refused, and its connection ends", () => {
  it.each<[string, string[]]>([
    ["Content-Length and Transfer-Encoding", [`Content-Length: ${BODY.length}`, "Transfer-Encoding: chunked"]],
    ["two Content-Length", ["Content-Length: 0", `Content-Length: ${BODY.length}`]],
    ["a Content-Length that is no number", ["Content-Length: abc"]],
    ["a negative Content-Length", ["Content-Length: -1"]],
    ["a Content-Length with a sign", [`Content-Length: +${BODY.length}`]],
    ["a header folded over two lines", [`Content-Length: ${BODY.length}`, "X-Folded: a", " b"]],
    ["an encoding that is not chunked at the end", ["Transfer-Encoding: chunked, gzip"]],
    ["a space before the colon", [`Content-Length : ${BODY.length}`]],
  ])("HTP-13 %s", async (_, headers) => {
    const connection = await openRaw(rig.port);
    connection.send(post({ headers, body: BODY }));
    expect(statusesIn(await connection.closed)).toEqual([400]);
    expect(rig.seen).toEqual([]);
    await expectServing();
  });
});

describe("a sender that asks before it sends", () => {
  const BIG = Buffer.alloc(10 * 1024 * 1024);
  const asking = (...headers: string[]): Buffer => post({ headers: ["Expect: 100-continue", `Content-Length: ${BIG.length}`, ...headers] });

  it("HTP-14 with a wrong key gets 401 at once, is not asked for its body, and its connection ends", async () => {
    const connection = await openRaw(rig.port);
    connection.send(asking(`X-Service-Key: ${WRONG_KEY}`));
    const text = await connection.closed;
    expect(statusesIn(text)).toEqual([401]);
    expect(text).not.toContain("100 Continue");
    expect(text).toMatch(/^connection: close\r$/im);
    await expectServing();
  });

  it("HTP-14 with a body above the limit gets 413 at once", async () => {
    const connection = await openRaw(rig.port);
    connection.send(post({ headers: ["Expect: 100-continue", `Content-Length: ${LIMIT + 1}`] }));
    expect(statusesIn(await connection.closed)).toEqual([413]);
  });

  it("HTP-14 with the right one is asked for its body, which is read whole", async () => {
    const connection = await openRaw(rig.port);
    connection.send(asking());
    expect(statusesIn(await connection.until(/\r\n\r\n/))).toEqual([100]);
    connection.send(BIG);
    expect(statusesIn(await connection.until(/HTTP\/1\.1 200.*\r\n\r\n/s))).toEqual([100, 200]);
    expect(rig.seen[0]?.body.length).toBe(BIG.length);
    connection.destroy();
  });

  it("another expectation is refused", async () => {
    const connection = await openRaw(rig.port);
    connection.send(post({ headers: ["Expect: miracles", "Connection: close"], body: BODY }));
    expect(statusesIn(await connection.closed)).toEqual([417]);
  });
});

describe("HTP-15 headers beyond all bounds", () => {
  const many = (count: number): string[] => Array.from({ length: count }, (_, i) => `x${i}: 1`);

  it.each<[string, Parameters<typeof post>[0], number]>([
    ["a header of 64 KB", { headers: [`X-Large: ${"x".repeat(64 * 1024)}`] }, 431],
    ["2,000 headers", { headers: many(2_000) }, 431],
    ["201 headers", { headers: many(201) }, 431],
    ["a URL of 20 KB", { path: `/v1/traces?${"x".repeat(20 * 1024)}` }, 414],
  ])("HTP-15 %s is refused, and the process goes on", async (_, parts, status) => {
    const connection = await openRaw(rig.port);
    connection.send(post({ ...parts, body: BODY }));
    expect(statusesIn(await connection.until(/\r\n\r\n/))).toEqual([status]);
    connection.destroy();
    expect(rig.seen).toEqual([]);
    await expectServing();
  });

  it("as many headers as may be are all read", async () => {
    const connection = await openRaw(rig.port);
    connection.send(post({ headers: [...many(195), `X-Service-Key: ${WRONG_KEY}`, "Connection: close"], body: BODY }));
    expect(statusesIn(await connection.closed)).toEqual([401]);
  });
});

describe("HTP-17 plain old clients", () => {
  it("HTP-17 HTTP/1.0 is answered, without chunks, and its connection ends", async () => {
    const connection = await openRaw(rig.port);
    connection.send(post({ version: "1.0", body: BODY }));
    const text = await connection.closed;
    expect(statusesIn(text)).toEqual([200]);
    expect(text).not.toMatch(/transfer-encoding/i);
    expect(rig.seen).toHaveLength(1);
  });

  it("HTP-17 twenty requests in one write are answered in their order", async () => {
    const bodies = Array.from({ length: 20 }, (_, i) => tracesRequest([span({ spanId: spanId(i) })]));
    const connection = await openRaw(rig.port);
    connection.send(Buffer.concat(bodies.map((body, i) => post({ body, ...(i % 5 === 3 ? { path: "/nowhere" } : {}) }))));
    const wanted = bodies.map((_, i) => (i % 5 === 3 ? 404 : 200));
    await connection.until((text) => statusesIn(text).length === 20);
    expect(statusesIn(connection.received())).toEqual(wanted);
    expect(rig.seen.map(({ body }) => body.toString("hex"))).toEqual(
      bodies.filter((_, i) => i % 5 !== 3).map((body) => body.toString("hex")),
    );
    connection.destroy();
  });

  it("HTP-17 HEAD /healthz is 200 without a body", async () => {
    const api = createApiApp({
      unready: () => undefined,
      authenticate: async () => ({ kind: "granted", projectId: 1 }),
      metrics: createMetrics(),
      startPage: async () => "" as never,
      startCss: "",
      startScript: "",
      services: {} as Services,
    });
    const web = await listen({ fetch: api.fetch, host: "127.0.0.1", port: 0, purpose: "test" });
    const connection = await openRaw(web.port);
    connection.send("HEAD /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    const text = await connection.closed;
    expect(statusesIn(text)).toEqual([200]);
    expect(text).toMatch(/\r\n\r\n$/);
    await web.close(100);
  });
});

describe("bodies in odd ways", () => {
  const chunked = (...chunks: readonly Buffer[]): Buffer =>
    Buffer.concat(chunks.flatMap((chunk) => [Buffer.from(`${chunk.length.toString(16)};ext="x"\r\n`), chunk, Buffer.from("\r\n")]));

  it("HTP-17 chunks with extensions and trailers are one body", async () => {
    const connection = await openRaw(rig.port);
    const parts = chunked(BODY.subarray(0, 7), BODY.subarray(7));
    connection.send(
      post({ headers: ["Transfer-Encoding: chunked", "Trailer: X-Check", "Connection: close"] }),
      parts,
      "0\r\nX-Check: 1\r\n\r\n",
    );
    expect(statusesIn(await connection.closed)).toEqual([200]);
    expect(rig.seen[0]?.body).toEqual(BODY);
  });

  it("HTP-13 a chunk of no length is refused, and nothing is handed on", async () => {
    const connection = await openRaw(rig.port);
    connection.send(post({ headers: ["Transfer-Encoding: chunked"] }), chunked(BODY), "xyz\r\n");
    await connection.closed;
    expect(rig.seen).toEqual([]);
    await expectServing();
  });

  it("SIZ-03 chunks beyond the limit are refused while they come", async () => {
    const connection = await openRaw(rig.port);
    connection.send(post({ headers: ["Transfer-Encoding: chunked"] }));
    const chunk = chunked(Buffer.alloc(1024 * 1024));
    for (let i = 0; i < 12; i++) connection.send(chunk);
    expect(statusesIn(await connection.until(/\r\n\r\n/))).toEqual([413]);
    connection.destroy();
    await expectServing();
  });

  it("a sender that has said everything and ends its side still gets its answer", async () => {
    const connection = await openRaw(rig.port);
    connection.send(post({ body: BODY }));
    connection.finish();
    expect(statusesIn(await connection.closed)).toEqual([200]);
    expect(rig.seen).toHaveLength(1);
  });

  it.each(["finish", "destroy"] as const)("HTP-13 less than Content-Length, then the end (%s): nothing is handed on", async (end) => {
    const connection = await openRaw(rig.port);
    connection.send(post({ headers: [`Content-Length: ${BODY.length + 1}`], body: BODY }));
    connection[end]();
    await connection.closed;
    await expectServing();
    expect(rig.seen).toHaveLength(1);
  });

  it("HTP-13 more than Content-Length: the rest is no request, and the connection ends", async () => {
    const connection = await openRaw(rig.port);
    connection.send(post({ headers: [`Content-Length: ${BODY.length}`], body: Buffer.concat([BODY, Buffer.from("rest\r\n\r\n")]) }));
    const statuses = statusesIn(await connection.closed);
    expect(statuses.at(-1)).toBe(400);
    expect(rig.seen.length).toBeLessThanOrEqual(1);
    for (const { body } of rig.seen) expect(body).toEqual(BODY);
    await expectServing();
  });

  it("HTP-08 a slow line may take longer to send than an answer may take: the time counts anew from its last byte", async () => {
    const impatient = await createSocketRig({ deadlineMillis: 200 });
    const connection = await openRaw(impatient.port);
    connection.send(post({ headers: [`Content-Length: ${BODY.length}`, "Connection: close"] }));
    for (let at = 0; at < BODY.length; at += Math.ceil(BODY.length / 6)) {
      connection.send(BODY.subarray(at, at + Math.ceil(BODY.length / 6)));
      await sleep(100);
    }
    expect(statusesIn(await connection.closed)).toEqual([200]);
    expect(impatient.seen[0]?.body).toEqual(BODY);
    await impatient.close(100);
  });

  it("HTP-08 work that does not end after a slow body is answered in time", async () => {
    const stuck = await createSocketRig({ deadlineMillis: 200, before: () => new Promise(() => {}) });
    const connection = await openRaw(stuck.port);
    connection.send(post({ headers: [`Content-Length: ${BODY.length}`, "Connection: close"], body: BODY.subarray(0, -1) }));
    await sleep(300);
    connection.send(BODY.subarray(-1));
    expect(statusesIn(await connection.closed)).toEqual([503]);
    await stuck.close(100);
  });

  it("HTP-17 a request that comes byte by byte is whole", async () => {
    const connection = await openRaw(rig.port);
    for (const byte of post({ headers: ["Connection: close"], body: BODY })) {
      connection.send(Buffer.from([byte]));
      await new Promise(setImmediate);
    }
    expect(statusesIn(await connection.closed)).toEqual([200]);
    expect(rig.seen[0]?.body).toEqual(BODY);
  });
});

describe("a connection goes on after an error", () => {
  it.each<[string, Parameters<typeof post>[0], number]>([
    ["an unknown path", { path: "/nowhere", body: BODY }, 404],
    ["a wrong key, its body unread", { headers: [`X-Service-Key: ${WRONG_KEY}`], body: Buffer.alloc(100_000) }, 401],
    ["broken gzip", { headers: ["Content-Encoding: gzip"], body: BODY }, 400],
    ["an encoding that is not known", { headers: ["Content-Encoding: br"], body: BODY }, 415],
  ])("HTP-12 after %s the next request on it is read from its beginning", async (_, parts, status) => {
    const connection = await openRaw(rig.port);
    connection.send(post(parts));
    await connection.until(/\r\n\r\n/);
    connection.send(post({ headers: ["Connection: close"], body: BODY }));
    expect(statusesIn(await connection.closed)).toEqual([status, 200]);
    expect(rig.seen.map(({ body }) => body)).toEqual([BODY]);
  });

  it("HTP-12 garbage instead of a request is 400, and the connection ends", async () => {
    const connection = await openRaw(rig.port);
    connection.send("\u0016\u0003\u0001\u0002\u0000 this is TLS or a port scan\r\n\r\n");
    expect(statusesIn(await connection.closed)).toEqual([400]);
    await expectServing();
  });
});

describe("stopping", () => {
  it("HTP-12 an answer that comes while stopping says that the connection ends, and it does", async () => {
    const gate = Promise.withResolvers<void>();
    const stopping = await createSocketRig({ before: () => gate.promise });
    const connection = await openRaw(stopping.port);
    connection.send(post({ body: BODY }));
    const silent = await openRaw(stopping.port);
    const idle = await openRaw(stopping.port);
    idle.send(post({ path: "/nowhere" }));
    await idle.until(/ 404 /);
    const closed = stopping.close(30_000);
    gate.resolve();
    const text = await connection.closed;
    expect(statusesIn(text)).toEqual([200]);
    expect(text).toMatch(/^connection: close\r$/im);
    await Promise.all([idle.closed, silent.closed, closed]);
    await expect(openRaw(stopping.port)).rejects.toThrow();
  });
});
