import { randomInt } from "node:crypto";
import { expect, it } from "vitest";
import { DecodeError } from "../../../collector/otlp/decode-error.ts";
import { transcodeJson } from "../../../collector/otlp/decode-json.ts";
import { toObjects, toOtlpJson } from "../../bench/otlp-types.ts";
import { rowsFromTraces } from "../../support/encoding.ts";
import { recording, recordingsOf } from "../../support/recordings.ts";
import { any, keyValue, span, spanId, tracesRequest } from "../../support/wire-builder.ts";

const LONG = process.env["GENSPAN_TEST_LONG"] === "1";
const MUTATIONS = Number(process.env["FUZZ_MUTATIONS"] ?? (LONG ? 1_000_000 : 12_000));
const SEED = Number(process.env["FUZZ_SEED"] ?? randomInt(2 ** 31));

/** A small reproducible generator (mulberry32). */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const SEEDS: readonly Buffer[] = [
  ...recordingsOf("vercel-otel")
    .filter(({ path }) => path === "/v1/traces")
    .map(({ body }) => body),
  recording("otel-openai", "chat").body,
  tracesRequest(
    Array.from({ length: 3 }, (_, i) =>
      span({
        spanId: spanId(i),
        attributes: [
          keyValue("m", any.map({ a: any.array(any.int(-1), any.bytes(Buffer.from([0, 255])), any.double(Number.NaN)) })),
          keyValue("t", any.string("ü\u0000")),
        ],
      }),
    ),
  ),
];

/** One to four changes: flipped bits, set bytes, cuts, repeats, splices with another seed. */
function mutate(random: (below: number) => number): Buffer {
  let body = Buffer.from(SEEDS[random(SEEDS.length)]!);
  for (let changes = 1 + random(4); changes > 0 && body.length > 0; changes--) {
    const at = random(body.length);
    switch (random(6)) {
      case 0:
        body[at]! ^= 1 << random(8);
        break;
      case 1:
        body[at] = [0, 0x7f, 0x80, 0xff, 0x0b, 0x0c][random(6)]!;
        break;
      case 2:
        body = body.subarray(0, at);
        break;
      case 3:
        body = Buffer.concat([body.subarray(0, at), body.subarray(at + 1 + random(16))]);
        break;
      case 4:
        body = Buffer.concat([body.subarray(0, at), body.subarray(Math.max(0, at - random(64)))]);
        break;
      default: {
        const other = SEEDS[random(SEEDS.length)]!;
        body = Buffer.concat([body.subarray(0, at), other.subarray(random(other.length))]);
      }
    }
  }
  return body;
}

/** What protobufjs says of the spans: ids and name of those that have sound ids; undefined where it refuses the body. */
function oracle(body: Buffer): string[] | undefined {
  try {
    return (toObjects(body).resourceSpans ?? [])
      .flatMap(({ scopeSpans }) => (scopeSpans ?? []).flatMap(({ spans }) => spans ?? []))
      .map(({ traceId, spanId: id, name }) => ({
        traceId: Buffer.from(traceId ?? "", "base64"),
        id: Buffer.from(id ?? "", "base64"),
        name: name ?? "",
      }))
      .filter(({ traceId, id }) => traceId.length === 16 && id.length === 8 && traceId.some(Boolean) && id.some(Boolean))
      .map(({ traceId, id, name }) => `${traceId.toString("hex")} ${id.toString("hex")} ${name.replaceAll("\u0000", "\uFFFD")}`);
  } catch {
    return undefined;
  }
}

const ours = (body: Buffer): string[] | undefined => {
  try {
    const { spans, request } = rowsFromTraces(body);
    expect(spans.length + request.refusedItems.length).toBe(request.received);
    return spans.map((row) => `${row["trace_id"]} ${row["span_id"]} ${row["name"]}`);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
};

it(`SIZ-16 ${MUTATIONS} mutated protobuf requests (FUZZ_SEED=${SEED}): none crashes, and accepted ones give the spans that protobufjs reads`, {
  timeout: LONG ? 3_600_000 : 120_000,
}, () => {
  const random = createRandom(SEED);
  let compared = 0;
  for (let i = 0; i < MUTATIONS; i++) {
    const body = mutate(random);
    const mine = ours(body);
    const theirs = oracle(body);
    if (mine === undefined || theirs === undefined) continue;
    compared++;
    // We may refuse single spans that protobufjs reads (a wire type that does not fit its field); what we store it must know.
    expect(theirs, `mutation ${i} of seed ${SEED}`).toEqual(expect.arrayContaining(mine));
  }
  expect(compared).toBeGreaterThan(MUTATIONS / 50);
});

it(`SIZ-16 ${MUTATIONS} mutated JSON requests (FUZZ_SEED=${SEED}): only DecodeError, and what is accepted can be stored`, {
  timeout: LONG ? 3_600_000 : 120_000,
}, () => {
  const random = createRandom(SEED + 1);
  const seeds = SEEDS.slice(0, 6).map((body) => toOtlpJson(body));
  let accepted = 0;
  for (let i = 0; i < MUTATIONS; i++) {
    const body = Buffer.from(seeds[random(seeds.length)]!);
    for (let changes = 1 + random(3); changes > 0; changes--)
      body[random(body.length)] = [0x22, 0x5c, 0x7b, 0x7d, 0x5b, 0x30, 0x2c, 0x00, 0xff, 0x65][random(10)]!;
    let protobuf: Buffer;
    try {
      protobuf = transcodeJson(body, "traces");
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      continue;
    }
    accepted++;
    expect(ours(protobuf), `mutation ${i} of seed ${SEED}`).toBeDefined();
  }
  expect(accepted).toBeGreaterThan(0);
});

it("JSON and protobuf of the same request give the same spans", () => {
  for (const body of SEEDS.slice(0, -1)) {
    const rows = (request: Buffer) =>
      rowsFromTraces(request).spans.map(({ trace_id, span_id, name, attributes, start_time, duration_ns }) => ({
        trace_id,
        span_id,
        name,
        attributes,
        start_time,
        duration_ns,
      }));
    expect(rows(transcodeJson(toOtlpJson(body), "traces"))).toEqual(rows(body));
  }
});
