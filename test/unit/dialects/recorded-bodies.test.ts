import { existsSync, readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { createLog } from "../../../collector/base/log.ts";
import { createMetrics } from "../../../collector/base/metrics.ts";
import { accepted } from "../../../collector/base/outcome.ts";
import { countItems } from "../../../collector/otlp/count-items.ts";
import { createByteBudget } from "../../../collector/receivers/byte-budget.ts";
import { createOtlpHttpReceiver } from "../../../collector/receivers/otlp-http.ts";
import { contentFromEvents } from "../../../collector/refinement/log-content.ts";
import { encodeBody, rowsFromTraces, rowsOf } from "../../support/encoding.ts";
import { type Recording, recordingsOf } from "../../support/recordings.ts";
import { openedTexts, told } from "../../support/told.ts";
import type { Expected, Row } from "./recorded/client-cases.ts";
import { RECORDED } from "./recorded/index.ts";

const FOLDERS = new URL("../../fixtures/clients/", import.meta.url);
/** Where the recordings were taken from, on machines that have them. */
const ORIGINALS = new URL("../../../../shared/fixtures/clients/", import.meta.url);

const foldersIn = (url: URL): string[] =>
  readdirSync(url, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? entry.name : []));

describe("every folder of recorded clients", () => {
  it("has its cases", () => {
    expect(RECORDED.map(({ client }) => client).toSorted()).toEqual(foldersIn(FOLDERS).toSorted());
  });

  it("is the whole of what was recorded", ({ skip }) => {
    if (!existsSync(ORIGINALS)) skip("the original recordings are not beside this repository");
    const names = (url: URL): string[] => readdirSync(url).filter((file) => file.endsWith(".meta.json"));
    const clients = foldersIn(ORIGINALS).filter((folder) => folder !== "how-recorded");
    for (const client of clients) expect(names(new URL(`${client}/`, FOLDERS)), client).toEqual(names(new URL(`${client}/`, ORIGINALS)));
    expect(clients.length).toBe(RECORDED.length);
  });
});

const receiver = createOtlpHttpReceiver({
  consume: async () => accepted(),
  authenticate: async () => ({ kind: "granted", projectId: 1 }),
  paths: { traces: "/v1/traces", logs: "/v1/logs", metrics: "/v1/metrics" },
  maxRequestBodyBytes: 64 * 1024 * 1024,
  budget: createByteBudget(64 * 1024 * 1024),
  cors: undefined,
  metrics: createMetrics(),
  log: createLog("silent"),
});

async function answerTo({ path, contentType, body }: Recording): Promise<number> {
  const response = await receiver.request(path, {
    method: "POST",
    headers: { "content-type": contentType },
    body: new Uint8Array(body),
  });
  return response.status;
}

/** Rows of one dialect after the other: two instrumentations of one call end in an order of their own. */
const byDialect = (rows: readonly Row[]): Row[] => rows.toSorted((a, b) => (String(a["dialect"]) < String(b["dialect"]) ? -1 : 1));

function expectTraces(body: Buffer, expected: Extract<Expected, { signal: "traces" }>): void {
  const { spans, generations, request } = rowsFromTraces(body);
  expect(request.refusedItems).toEqual([]);
  expect(byDialect(generations.map(told))).toEqual(expected.calls);
  if (expected.spans !== undefined) expect(spans.map((span) => span["name"])).toEqual(expected.spans);
}

/** What log events tell of each span, as columns, in the order in which the spans are first spoken of. */
function toldByLogs(body: Buffer): Row[] {
  const bySpan = Map.groupBy(rowsOf(encodeBody(body, "logs"), "log_records"), (row) => String(row["span_id"]));
  return [...bySpan].map(([spanId, events]) => {
    const groups = contentFromEvents(
      events.map((row) => ({
        id: String(row["id"]),
        spanId,
        name: String(row["event_name"]),
        body: row["body"],
        attributes: row["attributes"] as Row,
        redacted: false,
      })),
    );
    return openedTexts(Object.assign({}, ...Object.values(groups)) as Row);
  });
}

function expectLogs(body: Buffer, expected: Extract<Expected, { signal: "logs" }>): void {
  if ("told" in expected) {
    expect(toldByLogs(body)).toEqual(expected.told);
    return;
  }
  expect(rowsOf(encodeBody(body, "logs"), "log_records")).toMatchObject(expected.records);
}

describe.each(RECORDED)("every body of $client", ({ client, bodies }) => {
  const recordings = recordingsOf(client);

  it("has its case", () => {
    expect(recordings.map(({ name }) => name).toSorted()).toEqual(Object.keys(bodies).toSorted());
  });

  it.each(recordings.map((each) => [each.name, each] as const))(
    "%s says what was asked and answered, and nothing else",
    async (name, each) => {
      const expected = bodies[name]!;
      if (expected.signal === "traces") expectTraces(each.body, expected);
      else if (expected.signal === "logs") expectLogs(each.body, expected);
      else if (expected.signal === "metrics") expect(countItems(each.body, "metrics")).toBe(expected.points);
      if (!each.path.startsWith("/opentelemetry.proto.")) expect(await answerTo(each)).toBe(expected.signal === "none" ? 404 : 200);
    },
  );
});

describe("a call whose content travels in log records", () => {
  const joined = recordingsOf("otel-openai").filter(({ name, path }) => name.endsWith(".2") && path === "/v1/logs");

  it.each(joined.map(({ name, body }) => [name, body] as const))("%s names the spans of its case", (name, body) => {
    const traces = recordingsOf("otel-openai").find((each) => each.name === name.slice(0, -2))!;
    const ids = (rows: readonly Row[]) => new Set(rows.map((row) => `${row["trace_id"]} ${row["span_id"]}`));
    expect(ids(rowsOf(encodeBody(body, "logs"), "log_records"))).toEqual(ids(rowsFromTraces(traces.body).generations));
  });
});
