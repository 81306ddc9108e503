import type { Sql } from "postgres";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { LOG_COLUMNS } from "../../../collector/commands/import/generation-log.ts";
import { type ImportReport, importJson } from "../../../collector/commands/import/index.ts";
import { type ExportFormat, openExport } from "../../../collector/query/export/index.ts";
import { EXPORT_TABLES, type ExportNoun } from "../../../collector/query/export/nouns.ts";
import { requestOfSpanLines } from "../../../collector/query/export/span-lines.ts";
import { createReader, type Reader } from "../../../collector/query/reader.ts";
import { ensureReader } from "../../../schema/reader.ts";
import { createTestDatabase, describeEachServer, type TestDatabase } from "../../support/database.ts";
import { logsOf, tracesOf } from "../../support/otlp-json.ts";
import { createPipelineRig, type PipelineRig } from "../../support/pipeline-rig.ts";

interface Side {
  readonly database: TestDatabase;
  readonly rig: PipelineRig;
  readonly reader: Reader;
}

const scope = { projectId: 1 };
const TABLES = [...new Set(Object.values(EXPORT_TABLES).map((table) => table.name))];

async function* asBytes(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text, "utf8");
}

const importInto = ({ rig }: Side, text: string): Promise<ImportReport> =>
  importJson(asBytes(text), {
    sql: rig.sql,
    schema: "public",
    projectId: 1,
    requestOf: requestOfSpanLines,
    consume: (signal, body) => rig.send(JSON.parse(body.toString()) as object, signal),
  });

async function exported({ reader }: Side, noun: ExportNoun, format: ExportFormat): Promise<{ text: string; rows: number }> {
  let text = "";
  let rows = 0;
  for await (const chunk of await openExport(reader, { scope, noun, format })) {
    text += chunk.text;
    rows += chunk.rows;
  }
  return { text, rows };
}

/** All of a table as JSON; what only the moment of arrival decides is left out on request. */
const contentOf = (sql: Sql, table: string, ...without: readonly string[]): Promise<string[]> =>
  sql<{ row: string }[]>`SELECT (to_jsonb(t) - ${without as string[]}::text[])::text AS row FROM ${sql(table)} t ORDER BY 1`.then((rows) =>
    rows.map(({ row }) => row),
  );

const HOSTILE = "=cmd|' /C calc'!A0\n\"é\" \u{1f980} \u0001 \\ , ; </script>";
const chat = { "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.provider.name": "openai" };
const messages = JSON.stringify([{ role: "user", parts: [{ type: "text", content: HOSTILE }] }]);
const SPANS = tracesOf(
  {
    id: "root",
    kind: 2,
    attributes: { whole: 5, fraction: 5.5, yes: true, list: ["a", 1, [2]], map: { "a.b": { c: 1 } }, "user.id": "u-1" },
  },
  {
    id: "call",
    parent: "root",
    kind: 3,
    attributes: {
      ...chat,
      "gen_ai.input.messages": messages,
      "gen_ai.usage.input_tokens": 12,
      "genspan.entity.type": "definitie",
      "genspan.entity.id": "7",
    },
    events: [{ name: "event", attributes: { at: 1 } }],
  },
  { id: "failed", parent: "root", error: HOSTILE, attributes: { ...chat, "gen_ai.output.messages": "[broken" } },
);

describeEachServer("exports and imports", (server) => {
  let source: Side;
  let target: Side;
  const open = async (): Promise<Side> => {
    const database = await createTestDatabase(server);
    const { url } = await ensureReader({ url: database.url });
    return { database, rig: createPipelineRig(database.url), reader: createReader({ url, schema: "public", maxConnections: 2 }) };
  };
  const close = async ({ database, rig, reader }: Side): Promise<void> => {
    await reader.end();
    await rig.stop();
    await database[Symbol.asyncDispose]();
  };
  beforeAll(async () => {
    source = await open();
    target = await open();
    await source.rig.send(SPANS);
    await source.rig.send(
      logsOf({
        span: "call",
        name: "gen_ai.evaluation.result",
        attributes: { "gen_ai.evaluation.name": "tone", "gen_ai.evaluation.score.value": 0.5 },
      }),
      "logs",
    );
    await source.rig.refiner.settled();
    await fillByHand(source.rig.sql);
  });
  beforeEach(() => target.rig.empty(...TABLES, "resources", "scopes"));
  afterAll(async () => {
    await close(source);
    await close(target);
  });

  it.each(["generations", "attempts", "scores", "items", "images", "runs"] as const)(
    "bring %s back from JSON lines to the last digit, and twice is once",
    async (noun) => {
      const { text, rows } = await exported(source, noun, "jsonl");
      expect(rows).toBeGreaterThan(0);
      expect(text.trimEnd().split("\n")).toHaveLength(rows);
      const report = await importInto(target, text);
      expect(report).toMatchObject({ read: rows, stored: { [noun]: rows }, known: 0, refused: 0, faults: [] });
      const { name } = EXPORT_TABLES[noun];
      expect(await contentOf(target.rig.sql, name, "filled_from")).toEqual(await contentOf(source.rig.sql, name, "filled_from"));
      expect(await importInto(target, text)).toMatchObject({ stored: { [noun]: 0 }, known: rows });
      expect((await exported(target, noun, "jsonl")).text).toBe(text);
    },
  );

  it.each(["otlp", "jsonl"] as const)(
    "bring traces back from %s: spans, resources, and the calls that are made of them",
    async (format) => {
      const { text, rows } = await exported(source, "traces", format);
      expect(rows).toBe(3);
      // A collector that does not remember what is stored.
      const rig = createPipelineRig(target.database.url);
      onTestFinished(() => rig.stop());
      expect(await importInto({ ...target, rig }, text)).toMatchObject({ otlpRequests: 1, refused: 0 });
      await rig.refiner.settled();
      const arrival = ["received_at", "logged_at", "updated_at"];
      for (const [table, ...without] of [
        ["spans"],
        ["resources"],
        ["scopes"],
        ["generation_logs", "cost_amount", "cost_source", "cost_currency", "quality_score", "filled_from"],
      ] as [string, ...string[]][]) {
        expect(await contentOf(target.rig.sql, table, ...arrival, ...without)).toEqual(
          await contentOf(source.rig.sql, table, ...arrival, ...without),
        );
      }
      const otlp = (await exported(source, "traces", "otlp")).text;
      expect((await exported(target, "traces", "otlp")).text).toBe(otlp);
      expect(await importInto(target, text)).toMatchObject({ refused: 0 });
      expect((await exported(target, "traces", "otlp")).text).toBe(otlp);
    },
  );

  it("refuse the lines of spans that do not fit and take the others", async () => {
    const lines = (await exported(source, "traces", "jsonl")).text.trimEnd().split("\n");
    const [first = "", second = "", third = ""] = lines;
    const noTrace = first.replace(/"trace_id":"[^"]+"/, '"trace_id":"no trace id"');
    const noAttributes = second.replace(/"attributes":\{/, '"attributes":"none","also":{');
    const report = await importInto(target, [noTrace, noAttributes, third].join("\n"));
    expect(report).toMatchObject({ read: 3, refused: 2 });
    expect(report.faults.map(({ line }) => line)).toEqual([1, 2]);
    expect((await exported(target, "traces", "jsonl")).rows).toBe(1);
  });

  it("say of a span without what belongs to it how it is exported in full", async () => {
    let text = "";
    const columns = ["trace_id", "span_id", "start_time", "start_nano", "resource_id"];
    for await (const chunk of await openExport(source.reader, { scope, noun: "traces", format: "jsonl", columns })) text += chunk.text;
    const { faults } = await importInto(target, text);
    expect(faults.map(({ reason }) => reason)).toEqual(Array(3).fill(expect.stringContaining("-o jsonl and without --columns")));
    const reasons = await importInto(target, '{"resourceMetrics":[]}\n{"traceID":"a","processes":{}}\n{"x":1}');
    expect(reasons.faults.map(({ reason }) => reason)).toEqual([
      "metrics are not stored",
      expect.stringContaining("Jaeger"),
      expect.stringContaining("neither OTLP/JSON, nor a line of an export"),
    ]);
  });

  it("write every generation into one CSV record, whatever its text", async () => {
    const { text, rows } = await exported(source, "generations", "csv");
    expect(rows).toBe(2);
    // A line break inside quotes is none; the header comes before the rows.
    expect(text.replace(/"(?:[^"]|"")*"/g, "").split("\r\n")).toHaveLength(rows + 2);
    expect(text).toContain(`"'${HOSTILE.replaceAll('"', '""')}"`);
  });

  it("refuse a line that does not fit and take the others", async () => {
    const { text } = await exported(source, "runs", "jsonl");
    const [first = ""] = text.split("\n");
    const broken = first
      .replace(/"status":"[a-z]+"/, '"status":"no such status"')
      .replace(/"run_id":"[^"]+"/, '"run_id":"other"')
      .replace(/"id":"[^"]+"/, '"id":"00000000-0000-0000-0000-0000000000ff"');
    const report = await importInto(target, `${broken}\n${first}\n{"neither": 1}\n{"cut":`);
    expect(report).toMatchObject({ read: 4, stored: { runs: 1 }, refused: 3 });
    expect(report.faults.map(({ line }) => line).sort()).toEqual([1, 3, 4]);
    expect(JSON.stringify(report.faults)).not.toContain("no such status");
  });

  it.each(["1.7e308", "1e400", '"NaN"', '"-Infinity"'])(
    "refuse by its line a duration of %s, which would spoil every sum",
    async (duration) => {
      const log = (time: string, tookMs: string): string =>
        `{"prompt_full_text":"p","model_name":"sums","logged_at":"2026-11-20T10:00:00Z","response_id":"${duration.length}-${time}","generation_status":"success","duration_ms":${tookMs}}`;
      const report = await importInto(target, [log("a", duration), log("b", "5")].join("\n"));
      expect(report).toMatchObject({ read: 2, stored: { generations: 1 }, faults: [{ line: 1, reason: expect.any(String) }] });
    },
  );

  it("tell which names of a line no column takes, and store the rest", async () => {
    const [line = ""] = (await exported(source, "images", "jsonl")).text.split("\n");
    const image = {
      id: "img-1",
      image_generation_attempts: [],
      created_at: "2026-11-01T10:00:00Z",
      status: "completed",
      uploader: "u",
      seed: 1,
    };
    const report = await importInto(target, `${line.replace("{", '{"from a later version":1,"none":null,')}\n${JSON.stringify(image)}`);
    expect(report).toMatchObject({ stored: { images: 2 }, refused: 0 });
    expect(report.ignored).toEqual([
      { line: 1, names: ["from a later version"] },
      { line: 2, names: ["id", "uploader", "seed"] },
    ]);
  });

  it("keep all digits of the numbers that an application wrote", async () => {
    const log = `{"id": 9007199254740993, "definitie_id":1234567890123456789, "prompt_full_text": "p", "logged_at": "2025-11-11T14:23:45Z",
      "model_seed": -9223372036854775808, "cost_amount":0.12345678901234567891, "model_temperature": 0.7, "shares": [0.1, 12345678901234567890, 1e400]}`;
    expect(await importInto(target, log)).toMatchObject({ stored: { generations: 1 }, refused: 0 });
    const [row] = await target.rig
      .sql`SELECT entity_id, model_seed::text AS seed, cost_amount::text AS cost, model_temperature AS temperature, additional_metadata AS metadata FROM generation_logs`;
    expect(row).toEqual({
      entity_id: "1234567890123456789",
      seed: "-9223372036854775808",
      cost: "0.12345678901234567891",
      temperature: 0.7,
      metadata: { imported_id: "9007199254740993", shares: [0.1, "12345678901234567890", "1e400"] },
    });
  });

  it.each([
    ["nested more deeply than JSON is written", `"a": ${"[".repeat(100_000)}${"]".repeat(100_000)}`, "this is nested too deeply"],
    ["nested more deeply than the database reads", `"a": ${"[".repeat(9_000)}${"]".repeat(9_000)}`, "this is nested too deeply"],
    ["of no time at all", '"logged_at": "infinity"', "start_time is no time"],
    ["of whatever time it is imported", '"updated_at": "now"', "updated_at is no time"],
    ["of before all of this", '"logged_at": "0044-03-15 BC"', "start_time is no time"],
    ["of seconds", '"logged_at": 1700000000', "start_time is no time"],
  ])("refuse by its line what is %s, and take the others", async (_, members, reason) => {
    const text = `{"id": 1, "prompt_full_text": "p", ${members}}\n{"id": 2, "prompt_full_text": "p"}`;
    expect(await importInto(target, text)).toMatchObject({ stored: { generations: 1 }, refused: 1, faults: [{ line: 1, reason }] });
  });

  it("refuse by its line what is in another encoding than UTF-8, rather than to store other letters", async () => {
    async function* latin1(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('{"id": 1, "prompt_full_text": "ok"}\n{"id": 2, "prompt_full_text": "Écris"}', "latin1");
    }
    const options = {
      sql: target.rig.sql,
      schema: "public",
      projectId: 1,
      requestOf: requestOfSpanLines,
      consume: () => Promise.reject(new Error()),
    };
    expect(await importJson(latin1(), options)).toMatchObject({
      stored: { generations: 1 },
      faults: [{ line: 2, reason: "this is not UTF-8" }],
    });
  });

  it("store what says no time once, however often and whenever it is imported", async () => {
    const log = JSON.stringify({ id: 1, prompt_full_text: "p", house_name: { a: 1 } });
    const other = JSON.stringify({ id: 2, prompt_full_text: "p", logged_at: "2025-11-11 14:23:45.123" });
    const problem = JSON.stringify({ model: "m", total_tokens: 3, sentences: [{ prompt_text: "a" }, { prompt_text: "b" }] });
    const text = [log, other, problem].join("\n");
    expect(await importInto(target, text)).toMatchObject({ stored: { generations: 4, items: 1 }, known: 0, refused: 0, ignored: [] });
    expect(await importInto(target, text)).toMatchObject({ stored: { generations: 0, items: 0 }, known: 5, refused: 0 });
    const rows = await target.rig
      .sql`SELECT additional_metadata, start_time::text FROM generation_logs WHERE additional_metadata ? 'imported_id' ORDER BY start_time`;
    expect(rows).toEqual([
      { additional_metadata: { imported_id: 2 }, start_time: "2025-11-11 14:23:45.123+00" },
      { additional_metadata: { imported_id: 1, house_name: { a: 1 } }, start_time: expect.any(String) },
    ]);
  });

  it("take every column of a log that an application may fill", async () => {
    const [{ names } = { names: [] }] = await target.rig.sql<{ names: string[] }[]>`
      SELECT array_agg(attname::text) AS names FROM pg_attribute WHERE attrelid = 'generation_logs'::regclass AND attnum > 0`;
    expect([...LOG_COLUMNS].filter((name) => !names.includes(name))).toEqual([]);
    const ours = ["trace_id", "span_id", "start_time", "project_id", "id", "parent_span_id", "dialect", "prompt_format", "response_format"];
    const kept = ["content_state", "logged_at", "received_at", "filled_from", "own_values", "additional_metadata"];
    expect(names.filter((name) => !LOG_COLUMNS.has(name)).sort()).toEqual([...ours, ...kept].sort());
  });

  it("know nothing of another project", async () => {
    let rows = 0;
    for await (const chunk of await openExport(source.reader, { scope: { projectId: 2 }, noun: "generations", format: "jsonl" }))
      rows += chunk.rows;
    expect(rows).toBe(0);
  });

  it("name the columns there are when asked for another", async () => {
    const request = { scope, noun: "runs", format: "csv", columns: ["id", "no_such"] } as const;
    await expect(openExport(source.reader, request)).rejects.toThrow(/there are id, run_id/);
    const chunks: string[] = [];
    for await (const chunk of await openExport(source.reader, { ...request, columns: ["status", "items_requested"] }))
      chunks.push(chunk.text);
    expect(chunks.join("")).toBe("status,items_requested\r\nsuccess,9007199254740993\r\n");
  });

  describe("with more rows than a page", () => {
    it("give each row once, also while others come and go", async () => {
      const { sql } = target.rig;
      await sql`INSERT INTO generation_logs (project_id, trace_id, span_id, start_time, dialect, generation_status, logged_at, updated_at, received_at)
        SELECT 1, md5(g::text), left(md5(g::text), 16), timestamptz '2026-11-01 00:00:00+00' + (g / 3) * interval '1 second', 'x', 'success', now(), now(), now()
        FROM generate_series(1, 1700) g`;
      const seen = new Set<string>();
      let pages = 0;
      for await (const { text } of await openExport(target.reader, { scope, noun: "generations", format: "jsonl" })) {
        for (const line of text.trimEnd().split("\n")) seen.add((JSON.parse(line) as { trace_id: string }).trace_id);
        pages++;
        await sql`INSERT INTO generation_logs (project_id, trace_id, span_id, start_time, dialect, generation_status, logged_at, updated_at, received_at)
          VALUES (1, ${`new${pages}`}, 's', '2020-01-01', 'x', 'success', now(), now(), now())`;
      }
      expect(seen.size).toBe(1700);
      expect(pages).toBeGreaterThan(3);
    });

    it("take rows of megabytes a few at a time", async () => {
      await target.rig
        .sql`INSERT INTO generation_logs (project_id, trace_id, span_id, start_time, dialect, generation_status, logged_at, updated_at, received_at, prompt_full_text)
        SELECT 1, md5(g::text), left(md5(g::text), 16), now(), 'x', 'success', now(), now(), now(), (SELECT string_agg(md5((g * 100000 + i)::text), '') FROM generate_series(1, 65536) i)
        FROM generate_series(1, 12) g`;
      const sizes: number[] = [];
      for await (const { text } of await openExport(target.reader, { scope, noun: "generations", format: "jsonl" }))
        sizes.push(text.length);
      expect(sizes.length).toBeGreaterThan(3);
      expect(Math.max(...sizes)).toBeLessThan(16 * 1024 * 1024);
    });

    it("stop between two pages when they are told to", async () => {
      await target.rig.sql`INSERT INTO generation_runs (project_id, id, run_id, started_at, status, created_at, updated_at)
        SELECT 1, gen_random_uuid(), g::text, now(), 'success', now(), now() FROM generate_series(1, 1200) g`;
      const stop = new AbortController();
      let pages = 0;
      const reading = (async () => {
        for await (const { rows } of await openExport(target.reader, { scope, noun: "runs", format: "jsonl", signal: stop.signal })) {
          pages += rows > 0 ? 1 : 0;
          stop.abort();
        }
      })();
      await expect(reading).rejects.toThrow(/abort/i);
      expect(pages).toBe(1);
    });
  });
});

/** Rows of nouns that no telemetry above makes. */
async function fillByHand(sql: Sql): Promise<void> {
  await sql`INSERT INTO generation_runs (project_id, id, run_id, started_at, status, items_requested, avg_arbiter_score, provider_metrics, created_at, updated_at)
    VALUES (1, '123e4567-e89b-12d3-a456-426614174000', 'r-1', '2026-11-01 10:00:00.123456+00', 'success', 9007199254740993, 0.1, '{"openai": {"generated": 10.0}}', now(), now())`;
  await sql`INSERT INTO generation_items (project_id, id, item_id, title, created_at, updated_at, generation_trace, quality_issues)
    VALUES (1, '123e4567-e89b-12d3-a456-426614174001', 'i-1', ${HOSTILE}, '2026-11-01 10:00:00+00', now(), '{"total_tokens": 12345678901234567890}', '["x"]')`;
  await sql`INSERT INTO image_traces (project_id, id, models_tried, status, created_at, received_at, entity_type, entity_id, image_generation_attempts)
    VALUES (1, '123e4567-e89b-12d3-a456-426614174002', ${["a,b", 'c"d']}, 'completed', '2026-11-01 10:00:00+00', now(), 'lesson', 'l-1', '[{"model": "a,b"}]')`;
  await sql`INSERT INTO generation_attempts (project_id, trace_id, span_id, start_time, attempt_number, success, request, received_at)
    SELECT project_id, trace_id, span_id, start_time, 1, true, '{"a": 1.50}', now() FROM generation_logs`;
}
