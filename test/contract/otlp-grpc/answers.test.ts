import { afterEach, describe, expect, it } from "vitest";
import { accepted, type Outcome, partial, rejected, retryable } from "../../../collector/base/outcome.ts";
import type { OtlpGrpcOptions } from "../../../collector/receivers/otlp-grpc.ts";
import { connectGrpc, EXPORT_PATHS, type GrpcClient } from "../../support/grpc-client.ts";
import { type GrpcRig, startGrpcRig } from "../../support/grpc-rig.ts";
import { span, tracesRequest } from "../../support/wire-builder.ts";

const BODY = tracesRequest([span()]);

let rig: GrpcRig;
let client: GrpcClient;
afterEach(async () => {
  client.close();
  await rig.close(0);
});

async function start(outcome: Outcome | (() => Promise<Outcome>) = accepted(), more: Partial<OtlpGrpcOptions> = {}): Promise<void> {
  rig = await startGrpcRig(outcome, more);
  client = connectGrpc(rig.url);
}

describe("methods", () => {
  it.each(["traces", "logs", "metrics"] as const)(
    "G1 Export of %s is handed on as its signal, with project and arrival",
    async (signal) => {
      await start();
      expect(await client.send(EXPORT_PATHS[signal], BODY)).toMatchObject({ code: "OK" });
      expect(rig.seen).toMatchObject([{ signal, encoding: "protobuf", projectId: 7, body: BODY }]);
      expect(Math.abs(Date.now() - rig.seen[0]!.receivedAtMs)).toBeLessThan(5_000);
    },
  );

  it.each([
    "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export",
    "/opentelemetry.proto.collector.trace.v1.TraceService/Other",
  ])("G1 %s is UNIMPLEMENTED", async (path) => {
    await start();
    expect(await client.send(path, BODY)).toMatchObject({ code: "UNIMPLEMENTED" });
    expect(rig.seen).toEqual([]);
  });
});

describe("what was taken", () => {
  it("G5 success is an empty message", async () => {
    await start();
    expect(await client.send(EXPORT_PATHS.traces, BODY)).toMatchObject({ code: "OK", response: Buffer.alloc(0) });
  });

  it("G5 an empty request is handed on and answered", async () => {
    await start();
    expect(await client.send(EXPORT_PATHS.traces, Buffer.alloc(0))).toMatchObject({ code: "OK" });
    expect(rig.seen).toMatchObject([{ body: Buffer.alloc(0) }]);
  });

  it("G5 partial success has the count as field 1 and the message as field 2", async () => {
    await start(partial(3, "bad"));
    expect((await client.send(EXPORT_PATHS.logs, BODY)).response).toEqual(Buffer.from("0a0708031203626164", "hex"));
  });

  it("G5 a warning on full acceptance is a message without a count", async () => {
    await start(accepted("mind"));
    expect((await client.send(EXPORT_PATHS.traces, BODY)).response).toEqual(Buffer.from("0a0612046d696e64", "hex"));
  });

  it("G4 a response stays short", async () => {
    await start(partial(100_000, "x".repeat(5_000_000)));
    expect((await client.send(EXPORT_PATHS.traces, BODY)).response!.length).toBeLessThan(4_096);
  });
});

describe("what was not taken", () => {
  it.each<[string, Outcome, string, number | undefined]>([
    ["overload", retryable("overload", "m"), "UNAVAILABLE", 1],
    ["the database", retryable("database", "m", 2), "UNAVAILABLE", 2],
    ["a deadline", retryable("deadline", "m"), "UNAVAILABLE", 1],
    ["stopping", retryable("stopping", "m", 60), "UNAVAILABLE", 3],
    ["an undecodable message", rejected("undecodable", "m"), "INVALID_ARGUMENT", undefined],
    ["too large", rejected("too_large", "m"), "RESOURCE_EXHAUSTED", undefined],
    ["no key", rejected("unauthenticated", "m"), "UNAUTHENTICATED", undefined],
    ["a key without the scope", rejected("forbidden", "m"), "PERMISSION_DENIED", undefined],
  ])("G6 G7 %s: the status, and RetryInfo exactly when sending again can help", async (_, outcome, code, retryAfterSeconds) => {
    await start(outcome);
    expect(await client.send(EXPORT_PATHS.traces, BODY)).toMatchObject({ code, details: "m", retryAfterSeconds });
  });

  it("G4 a status stays within the 8 KiB of trailers that every client takes, whatever its text", async () => {
    await start(rejected("undecodable", `${"é\u{1f600}".repeat(100_000)}`));
    const { code, trailerBytes } = await client.send(EXPORT_PATHS.traces, BODY);
    expect(code).toBe("INVALID_ARGUMENT");
    expect(trailerBytes).toBeLessThan(8_000);
  });

  it("G7 a text that no UTF-8 can carry does not keep the status from being sent", async () => {
    await start(retryable("database", "half a pair: \ud83d"));
    expect(await client.send(EXPORT_PATHS.traces, BODY)).toMatchObject({ code: "UNAVAILABLE", details: "half a pair: \ufffd" });
  });

  it("PRC-06 a failure inside is UNAVAILABLE for that call, and the next one is served", async () => {
    let fail = true;
    await start(async () => {
      if (fail) throw new Error("canary");
      return accepted();
    });
    const answer = await client.send(EXPORT_PATHS.traces, BODY);
    expect(answer.code).toBe("UNAVAILABLE");
    expect(answer.details).not.toContain("canary");
    fail = false;
    expect((await client.send(EXPORT_PATHS.traces, BODY)).code).toBe("OK");
  });

  it("G7 an answer comes within the deadline even if the work never ends", async () => {
    await start(() => new Promise<Outcome>(() => {}), { deadlineMillis: 100 });
    expect(await client.send(EXPORT_PATHS.traces, BODY)).toMatchObject({ code: "UNAVAILABLE", retryAfterSeconds: 1 });
  });

  it("G6 a deadline of the sender's that is shorter ends the call with DEADLINE_EXCEEDED", async () => {
    await start(() => new Promise<Outcome>(() => {}));
    expect((await client.send(EXPORT_PATHS.traces, BODY, {}, 200)).code).toBe("DEADLINE_EXCEEDED");
  });
});

describe("keys", () => {
  const asKey = (presented: string) => ({ authorization: presented });

  it.each([
    ["Bearer", asKey("Bearer k1")],
    ["Basic, as password", asKey(`Basic ${Buffer.from("pk:k1").toString("base64")}`)],
    ["X-Service-Key", { "x-service-key": "k1" }],
  ])("AUT-02 a key is found as %s, and the authority as host", async (_, metadata) => {
    const given: unknown[] = [];
    await start(accepted(), {
      authenticate: async (credentials, scope) => {
        given.push(credentials, scope);
        return { kind: "granted", projectId: 9 };
      },
    });
    expect((await client.send(EXPORT_PATHS.traces, BODY, metadata)).code).toBe("OK");
    expect(given).toEqual([{ key: "k1", host: rig.url.replace("http://", "") }, "ingest"]);
    expect(rig.seen).toMatchObject([{ projectId: 9 }]);
  });

  it.each<[string, Exclude<Awaited<ReturnType<OtlpGrpcOptions["authenticate"]>>, { kind: "granted" }>, string]>([
    ["no key", rejected("unauthenticated", "a key is required"), "UNAUTHENTICATED"],
    ["a key for something else", rejected("forbidden", "this key lacks the scope ingest"), "PERMISSION_DENIED"],
    ["keys that cannot be read", retryable("database", "the keys cannot be read at the moment"), "UNAVAILABLE"],
  ])("AUT-02 %s: nothing is handed on", async (_, permit, code) => {
    await start(accepted(), { authenticate: async () => permit });
    expect(await client.send(EXPORT_PATHS.traces, BODY)).toMatchObject({ code, details: permit.message });
    expect([rig.seen.length, rig.budget.usedBytes]).toEqual([0, 0]);
  });
});

it("requests and bytes are counted by protocol, signal and status", async () => {
  await start(partial(1, "m"));
  await client.send(EXPORT_PATHS.traces, BODY);
  await client.send("/nowhere/Export", BODY);
  await rig.close(1_000);
  const text = await rig.metrics.registry.metrics();
  expect(text).toContain('genspan_requests_total{protocol="grpc",signal="traces",status="0"} 1');
  expect(text).toContain('genspan_request_duration_seconds_count{protocol="grpc",signal="traces"} 1');
  expect(text).toContain(`genspan_request_bytes_total{protocol="grpc",form="wire"} ${BODY.length + 5}`);
  expect(text).toContain(`genspan_request_bytes_total{protocol="grpc",form="inflated"} ${BODY.length}`);
});
