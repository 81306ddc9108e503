import { describe, expect, it } from "vitest";
import { hasContentBody, isContentName } from "../../../collector/dialects/content-names.ts";
import { transcodeJson } from "../../../collector/otlp/decode-json.ts";
import { createContentRemover } from "../../../collector/processors/content-removal.ts";
import { atOnce } from "../../../collector/processors/steps.ts";
import { compareJsonWithOracle, compareWithOracle, Mismatch } from "../../support/otlp-oracle-compare.ts";
import { recordingsOf } from "../../support/recordings.ts";
import { SEED } from "../../support/seed.ts";
import {
  any,
  keyValue,
  lengthField,
  SPAN_ID,
  type SpanParts,
  START_NS,
  span,
  TRACE_ID,
  tracesRequest,
} from "../../support/wire-builder.ts";
import { CLIENTS, type FuzzReport, fuzz, sharesOf } from "./fuzz.ts";

const LONG = process.env["GENSPAN_TEST_LONG"] === "1";
/** Of protobuf; half as many of JSON. */
const MUTATIONS = Number(process.env["FUZZ_MUTATIONS"] ?? (LONG ? 1_000_000 : 5_000));
const TIMEOUT_MS = 120_000 + MUTATIONS * 20;

function print(what: string, report: FuzzReport): void {
  const { compared, refused, survived } = sharesOf(report);
  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
  console.log(
    `${what}, FUZZ_SEED=${SEED}: ${percent(compared)} compared row by row (${report.items} items, ${report.generations} of them judged as model calls), ` +
      `${percent(refused)} refused by both, ${percent(survived)} survived; ${report.seconds.toFixed(0)} s, slowest ${report.slowestMillis.toFixed(0)} ms`,
  );
  for (const [verdict, count] of [...report.verdicts].toSorted(([, a], [, b]) => b - a))
    console.log(`  ${String(count).padStart(8)} ${verdict}`);
}

describe("mutated requests give the rows that protobufjs reads, or are refused by both", () => {
  it(`SIZ-16 ${MUTATIONS} of protobuf (FUZZ_SEED=${SEED})`, { timeout: TIMEOUT_MS }, () => {
    const report = fuzz({ encoding: "protobuf", seed: SEED, mutations: MUTATIONS });
    print(`${MUTATIONS} mutations of protobuf`, report);
    const shares = sharesOf(report);
    expect(shares.compared).toBeGreaterThan(0.6);
    expect(shares.survived).toBeLessThan(0.01);
    expect(report.generations).toBeGreaterThan(MUTATIONS / 20);
  });

  it(`SIZ-16 ${MUTATIONS / 2} of JSON (FUZZ_SEED=${SEED})`, { timeout: TIMEOUT_MS }, () => {
    const report = fuzz({ encoding: "json", seed: SEED, mutations: MUTATIONS / 2 });
    print(`${MUTATIONS / 2} mutations of JSON`, report);
    const shares = sharesOf(report);
    expect(shares.compared).toBeGreaterThan(0.6);
    expect(shares.survived).toBeLessThan(0.05);
    expect(report.generations).toBeGreaterThan(MUTATIONS / 40);
  });
});

describe("the judge", () => {
  const bodies = CLIENTS.flatMap((client) => recordingsOf(client)).filter(({ path }) => /(traces|logs)$/.test(path));

  it("finds every recorded body stored as protobufjs reads it", () => {
    const verdicts = bodies.map(({ path, body }) => compareWithOracle(body, { signal: path.endsWith("logs") ? "logs" : "traces" }).verdict);
    expect(verdicts.length).toBeGreaterThan(100);
    expect(new Set(verdicts)).toEqual(new Set(["whole"]));
  });

  it.each<[string, SpanParts]>([
    ["a name", { name: "other" }],
    ["an end", { end: START_NS + 5_000_001n }],
    ["a digit of a large integer", { attributes: [keyValue("n", any.int(2n ** 53n + 2n))] }],
    ["an integer for a double", { attributes: [keyValue("n", any.int(5))] }],
    ["an attribute too many", { attributes: [keyValue("n", any.int(2n ** 53n + 1n)), keyValue("m", any.empty())] }],
    ["a parent", { more: [lengthField(4, SPAN_ID)] }],
    ["a link", { more: [lengthField(13, lengthField(1, TRACE_ID))] }],
    ["a flag", { more: [Buffer.from("850101000000", "hex")] }],
    ["what was sent for flags", { more: [lengthField(19_000, "\u0010many")] }],
    [
      "a member that does not fit",
      { attributes: [keyValue("n", Buffer.concat([any.int(2n ** 53n + 1n), lengthField(19_000, "\u0003")]))] },
    ],
  ])("sees that %s differs", (_, parts) => {
    const stored = tracesRequest([span({ attributes: [keyValue("n", any.int(2n ** 53n + 1n))] })]);
    const oracleBody = tracesRequest([span(parts)]);
    expect(() => compareWithOracle(stored, { signal: "traces", oracleBody })).toThrow(Mismatch);
  });

  it("writes the notes of JSON in other forms by itself", () => {
    const body = {
      traceId: TRACE_ID.toString("base64"),
      spanId: SPAN_ID.toString("hex"),
      parentSpanId: "zz",
      name: "\ud800",
      startTimeUnixNano: "soon",
      flags: -1,
      attributes: [{ key: "k", value: { boolValue: "true" } }],
      links: [{ traceId: "1" }],
    };
    const json = Buffer.from(JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [body] }] }] }));
    expect(compareJsonWithOracle(json, "traces")).toMatchObject({ items: 1, verdict: "ENC-04 text that is not UTF-8" });
  });

  it.each([
    ["the body", { body: { kvlistValue: { values: [{ key: "content", value: { stringValue: "Hi" } }] } } }],
    ["an attribute", { attributes: [{ key: "gen_ai.input.messages", value: { stringValue: "what was said" } }] }],
  ])("knows of log records that content was taken out of %s", (_, parts) => {
    const json = { resourceLogs: [{ scopeLogs: [{ logRecords: [{ eventName: "gen_ai.user.message", ...parts }] }] }] };
    const sent = transcodeJson(Buffer.from(JSON.stringify(json)), "logs");
    const stored = Buffer.from(sent);
    expect(atOnce(createContentRemover({ isContentName, hasContentBody }, [])(stored, "logs"))).toBe(1);
    expect(compareWithOracle(stored, { signal: "logs" })).toMatchObject({ items: 1 });
  });

  it("sees that another resource or scope differs", () => {
    const stored = tracesRequest([span()]);
    const oracleBody = tracesRequest([span()], lengthField(1, keyValue("service.name", any.string("other"))));
    expect(() => compareWithOracle(stored, { signal: "traces", oracleBody })).toThrow(Mismatch);
  });
});
