import postgres from "postgres";
import { afterAll, beforeAll, expect, it } from "vitest";
import { maintainPartitions } from "../../collector/jobs/partitions.ts";
import { latest } from "../../collector/query/latest.ts";
import { PARTITIONED_TABLES, readPartitions } from "../../schema/partitions.ts";
import { ensureReader } from "../../schema/reader.ts";
import { createTestDatabase, describeEachServer, type TestDatabase } from "../support/database.ts";
import { createPipelineRig, type PipelineRig } from "../support/pipeline-rig.ts";
import { any, keyValue, span, spanId, tracesRequest } from "../support/wire-builder.ts";

const DAY_MS = 86_400_000;

describeEachServer("spans from the future", (server) => {
  let database: TestDatabase;
  let rig: PipelineRig;
  beforeAll(async () => {
    database = await createTestDatabase(server);
    rig = createPipelineRig(database.url);
  });
  afterAll(async () => {
    await rig.stop();
    await database[Symbol.asyncDispose]();
  });

  it("TIM-07 are stored exactly, make no partitions, and do not spoil what is asked about the last day", async () => {
    const now = BigInt(Date.now()) * 1_000_000n;
    const starts = [now, now + BigInt(2 * DAY_MS) * 1_000_000n, 2n ** 63n - 1n, 2n ** 64n - 1n];
    const call = [keyValue("gen_ai.operation.name", any.string("chat")), keyValue("gen_ai.request.model", any.string("m"))];
    const spans = starts.map((start, i) => span({ spanId: spanId(i), start, end: start, attributes: call }));
    expect(await rig.send(tracesRequest(spans))).toEqual({ kind: "accepted" });
    await rig.refiner.settled();

    const stored = await rig.sql`SELECT genspan_unix_nano(start_time, start_nano)::text AS nano FROM spans ORDER BY span_id`;
    expect(stored.map(({ nano }) => BigInt(nano as string))).toEqual(starts);
    const [lastDay] =
      await rig.sql`SELECT count(*)::int AS calls FROM generation_logs WHERE start_time BETWEEN now() - interval '1 day' AND now() + interval '1 minute'`;
    expect(lastDay).toEqual({ calls: 1 });

    const { created } = await maintainPartitions(rig.sql, { schema: "public", now: new Date(), minRows: 1 });
    expect(created.filter((name) => /_(2262|2554|9999|1[0-9]{4})/.test(name))).toEqual([]);
    for (const table of PARTITIONED_TABLES) {
      expect((await readPartitions({ sql: rig.sql, schema: "public", table })).length).toBeLessThanOrEqual(60);
    }

    const { url } = await ensureReader({ url: database.url, schema: "public" });
    const reader = postgres(url, { max: 1, onnotice: () => {} });
    const page = await latest(reader, { schema: "public", projectId: 1, limit: 12 });
    await reader.end();
    expect(page.hour).toMatchObject({ calls: "1" });
    expect(page.calls).toHaveLength(1);
  });

  it("TIM-07 of the year 9999, for which OTLP has no number, are stored at their arrival, with a note", async () => {
    const bodySpan = (id: string, start: string) => ({
      traceId: "ab".repeat(16),
      spanId: id.repeat(16),
      name: "n",
      startTimeUnixNano: start,
    });
    const spans = [bodySpan("1", "253370764800000000000"), bodySpan("2", "1795219200000000000")];
    expect((await rig.send({ resourceSpans: [{ scopeSpans: [{ spans }] }] })).kind).toBe("accepted");
    const stored = await rig.sql`
      SELECT left(span_id, 1) AS span, start_time = received_at AS "atArrival", ingest_notes->'time' AS note
      FROM spans WHERE trace_id = ${"ab".repeat(16)} ORDER BY span_id`;
    expect([...stored]).toEqual([
      { span: "1", atArrival: true, note: { start: "0" } },
      { span: "2", atArrival: false, note: null },
    ]);
  });
});
