import { once } from "node:events";
import { constants } from "node:http2";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, it, vi } from "vitest";
import { accepted, type Outcome, rejected } from "../../../collector/base/outcome.ts";
import { createByteBudget } from "../../../collector/receivers/byte-budget.ts";
import type { OtlpGrpcOptions } from "../../../collector/receivers/otlp-grpc.ts";
import { connectGrpc, EXPORT_PATHS } from "../../support/grpc-client.ts";
import { type GrpcRig, MAX_MESSAGE_BYTES, startGrpcRig } from "../../support/grpc-rig.ts";
import { connectRaw, framed, type RawConnection } from "../../support/raw-grpc.ts";
import { span, tracesRequest } from "../../support/wire-builder.ts";

const BODY = tracesRequest([span()]);
const NO_ERROR = constants.NGHTTP2_NO_ERROR;
const INVALID = 3;
const EXHAUSTED = 8;
const UNIMPLEMENTED = 12;
const INTERNAL = 13;
const UNAVAILABLE = 14;
const UNAUTHENTICATED = 16;

let rig: GrpcRig;
const cleanup: (() => unknown)[] = [];
afterEach(async () => {
  for (const each of cleanup.splice(0)) await each();
});

async function start(outcome: Outcome | (() => Promise<Outcome>) = accepted(), more: Partial<OtlpGrpcOptions> = {}): Promise<void> {
  rig = await startGrpcRig(outcome, more);
  cleanup.push(() => rig.close(0));
}

function raw(): RawConnection {
  const connection = connectRaw(rig.url);
  cleanup.unshift(connection.close);
  return connection;
}

async function send(message: Buffer, compression: "identity" | "deflate" | "gzip" = "identity") {
  const client = connectGrpc(rig.url, compression);
  cleanup.unshift(client.close);
  return client.send(EXPORT_PATHS.traces, message);
}

describe("compression", () => {
  it.each(["identity", "gzip", "deflate"] as const)("G2 %s is understood", async (compression) => {
    await start();
    const large = tracesRequest(Array.from({ length: 500 }, () => span({ name: "the same again" })));
    expect((await send(large, compression)).code).toBe("OK");
    expect(rig.seen.map(({ body }) => Buffer.compare(body, large))).toEqual([0]);
  });

  it("G2 a message that is not compressed may stand in a call that names gzip", async () => {
    await start();
    const { stream, status } = raw().call({ "grpc-encoding": "gzip" });
    stream.end(framed(BODY));
    expect(await status).toBe(0);
    expect(rig.seen).toMatchObject([{ body: BODY }]);
  });

  it.each([
    ["gzip that is none", "gzip", BODY, INTERNAL],
    ["truncated gzip", "gzip", gzipSync(BODY).subarray(0, -9), INTERNAL],
    ["an unknown compression", "br", BODY, UNIMPLEMENTED],
  ])("G2 %s is refused for good and never handed on", async (_, encoding, message, code) => {
    await start();
    const { stream, status } = raw().call({ "grpc-encoding": encoding });
    stream.end(framed(message, { compressed: true }));
    expect(await status).toBe(code);
    expect([rig.seen.length, rig.budget.usedBytes]).toEqual([0, 0]);
  });
});

describe("framing", () => {
  const TWO = Buffer.concat([framed(BODY), framed(BODY)]);
  it.each([
    ["says that its message is longer than it is", framed(BODY, { declaredSize: BODY.length + 1 })],
    ["ends within its length", framed(BODY).subarray(0, 3)],
    ["holds two messages", TWO],
    ["holds none", Buffer.alloc(0)],
  ])("G7 a call that %s is INVALID_ARGUMENT, and nothing of it is handed on", async (_, bytes) => {
    await start();
    const { stream, status } = raw().call();
    stream.end(bytes);
    expect(await status).toBe(INVALID);
    expect(rig.seen).toEqual([]);
    await vi.waitFor(() => expect(rig.budget.usedBytes).toBe(0));
  });

  it("G1 a method that is not served is UNIMPLEMENTED", async () => {
    await start();
    const { stream, status } = raw().call({}, "/opentelemetry.proto.collector.trace.v1.TraceService/Import");
    stream.end(framed(BODY));
    expect(await status).toBe(UNIMPLEMENTED);
  });
});

describe("limits", () => {
  it("SIZ-03 G3 a message of the limit passes, one byte more is RESOURCE_EXHAUSTED without RetryInfo", async () => {
    await start();
    expect((await send(Buffer.alloc(MAX_MESSAGE_BYTES))).code).toBe("OK");
    const refused = await send(Buffer.alloc(MAX_MESSAGE_BYTES + 1));
    expect([refused.code, refused.retryAfterSeconds]).toEqual(["RESOURCE_EXHAUSTED", undefined]);
    expect(rig.seen).toHaveLength(1);
  });

  it("SIZ-03 G3 a message that only claims to be larger is refused before it comes", async () => {
    await start();
    const { stream, status } = raw().call();
    stream.write(framed(BODY, { declaredSize: 0xffff_ffff }));
    expect(await status).toBe(EXHAUSTED);
    await once(stream, "close");
    expect([stream.rstCode, rig.budget.usedBytes]).toEqual([NO_ERROR, 0]);
  });

  it("SIZ-04 G3 a message that inflates beyond the limit is RESOURCE_EXHAUSTED", async () => {
    await start();
    const refused = await send(Buffer.alloc(MAX_MESSAGE_BYTES * 50), "gzip");
    expect([refused.code, refused.retryAfterSeconds]).toEqual(["RESOURCE_EXHAUSTED", undefined]);
    expect(rig.seen).toEqual([]);
  });
});

describe("memory", () => {
  const HALF = framed(Buffer.alloc(1_000), { declaredSize: 2_000 });

  it("bytes count while a message is being read, and no more when its sender goes away", async () => {
    await start();
    const { stream } = raw().call();
    stream.write(HALF);
    await vi.waitFor(() => expect(rig.budget.usedBytes).toBe(HALF.length));
    stream.destroy();
    await vi.waitFor(() => expect(rig.budget.usedBytes).toBe(0));
    const text = await rig.metrics.registry.metrics();
    expect(text).toContain('genspan_requests_total{protocol="grpc",signal="traces",status="1"} 1');
  });

  it("bytes count until the message is consumed, also when its sender has gone away", async () => {
    const work = Promise.withResolvers<Outcome>();
    await start(() => work.promise);
    const { stream } = raw().call();
    stream.end(framed(BODY));
    await vi.waitFor(() => expect(rig.seen).toHaveLength(1));
    stream.destroy();
    await vi.waitFor(async () => expect(await rig.metrics.registry.metrics()).toContain('status="1"} 1'));
    expect(rig.budget.usedBytes).toBe(framed(BODY).length);
    work.resolve(accepted());
    await vi.waitFor(() => expect(rig.budget.usedBytes).toBe(0));
  });

  it("G7 a message for which there is no room is UNAVAILABLE before it is complete; what came of it is given back", async () => {
    await start(accepted(), { budget: createByteBudget(HALF.length + 100) });
    const connection = raw();
    const first = connection.call();
    first.stream.write(HALF);
    await vi.waitFor(() => expect(rig.budget.usedBytes).toBe(HALF.length));
    const second = connection.call();
    second.stream.write(HALF);
    expect(await second.status).toBe(UNAVAILABLE);
    expect(rig.budget.usedBytes).toBe(HALF.length);
    first.stream.destroy();
    await vi.waitFor(() => expect(rig.budget.usedBytes).toBe(0));
    const third = connection.call();
    third.stream.end(framed(BODY));
    expect(await third.status).toBe(0);
  });

  it("AUT-02 a sender that may not send is refused before its message comes", async () => {
    await start(accepted(), { authenticate: async () => rejected("unauthenticated", "a key is required") });
    const { stream, status } = raw().call();
    expect(await status).toBe(UNAUTHENTICATED);
    await once(stream, "close");
    expect(stream.rstCode).toBe(NO_ERROR);
  });

  it("a message that never becomes complete is answered within the deadline", async () => {
    await start(accepted(), { deadlineMillis: 200 });
    const { stream, status } = raw().call();
    stream.write(HALF);
    expect(await status).toBe(UNAVAILABLE);
    await once(stream, "close");
    expect([stream.rstCode, rig.budget.usedBytes]).toEqual([NO_ERROR, 0]);
  });
});

describe("broken calls", () => {
  it("another content type is refused as HTTP does", async () => {
    await start();
    const { stream } = raw().call({ "content-type": "application/json" });
    const status = await new Promise((resolve) => stream.on("response", (headers) => resolve(headers[":status"])));
    expect(status).toBe(415);
  });

  it("G7 what the pipeline cannot read is INVALID_ARGUMENT", async () => {
    await start(rejected("undecodable", "m"));
    const { stream, status } = raw().call();
    stream.end(framed(Buffer.from([0x0a, 0xff])));
    expect(await status).toBe(INVALID);
  });
});

it("G8 calls of one connection run at the same time and are answered in any order", async () => {
  const works: PromiseWithResolvers<Outcome>[] = [];
  await start(() => {
    const work = Promise.withResolvers<Outcome>();
    works.push(work);
    return work.promise;
  });
  const connection = raw();
  const calls = Array.from({ length: 50 }, () => connection.call());
  const order: number[] = [];
  for (const [i, { stream, status }] of calls.entries()) {
    stream.end(framed(BODY));
    void status.then(() => order.push(i));
  }
  await vi.waitFor(() => expect(works).toHaveLength(50));
  works.at(-1)!.resolve(accepted());
  await calls.at(-1)!.status;
  expect(order).toEqual([49]);
  for (const work of works) work.resolve(accepted());
  expect(await Promise.all(calls.map(({ status }) => status))).toEqual(Array.from({ length: 50 }, () => 0));
});
