import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { refineTraces } from "../../collector/refinement/store.ts";
import { createTestDatabase, describeEachServer, type TestDatabase } from "../support/database.ts";
import { BASE_MS, type SpanSpec, tracesOf } from "../support/otlp-json.ts";
import { createPipelineRig, type PipelineRig } from "../support/pipeline-rig.ts";
import { SEED } from "../support/seed.ts";
import { soon } from "../support/told-apart.ts";
import { traceShape } from "../support/trace-shapes.ts";

const TRACES = process.env["GENSPAN_TEST_LONG"] === "1" ? 2_000 : 300;
const PARTS = 3;
const HOUR_MS = 3_600_000;
const TABLES = "spans generation_logs generation_twins generation_attempts image_traces generation_runs generation_items outputs".split(
  " ",
);

/** Each span of a trace with the request that it comes in; what is no call comes first, as nothing tells of it. */
const cutTrace = fc.tuple(traceShape, fc.array(fc.nat({ max: PARTS - 1 }), { minLength: 6, maxLength: 6 })).map(([spans, parts]) => ({
  traceId: randomBytes(16).toString("hex"),
  spans: spans.map((span, i) => ({ span, part: isCall(span) ? (parts[i] ?? 0) : 0 })),
}));

const isCall = ({ attributes = {} }: SpanSpec): boolean => attributes["gen_ai.request.model"] !== undefined;

describeEachServer("calls that come in parts", (server) => {
  let database: TestDatabase;
  let rigs: PipelineRig[];
  beforeAll(async () => {
    database = await createTestDatabase(server);
    rigs = [createPipelineRig(database.url), createPipelineRig(database.url)];
    for (const { refiner } of rigs) await refiner.sweep();
  });
  afterAll(async () => {
    for (const rig of rigs) await rig.stop();
    await database[Symbol.asyncDispose]();
  });

  const settle = async (): Promise<void> => {
    for (const { refiner } of rigs) await refiner.settled();
  };
  /** What is stored of each trace, by its id. */
  async function stored(): Promise<ReadonlyMap<string, string>> {
    const { sql } = rigs[0]!;
    const read = async (table: string) => {
      const rows = await sql`SELECT trace_id, (to_jsonb(t) - 'updated_at')::text AS row FROM ${sql(table)} t ORDER BY row`;
      return rows.map(({ trace_id: traceId, row }) => ({ traceId: String(traceId), row: `${table} ${row}` }));
    };
    const all = [await read("generation_logs"), await read("generation_twins"), await read("generation_attempts")].flat();
    return new Map([...Map.groupBy(all, ({ traceId }) => traceId)].map(([id, rows]) => [id, rows.map(({ row }) => row).join("\n")]));
  }

  it.each([
    ["one collector", 1, []],
    ["one collector, some of them again", 1, [1]],
    ["two collectors", 2, []],
  ])(
    `leave nothing that a look at everything would change, through %s (FUZZ_SEED=${SEED})`,
    async (_, collectors, again) => {
      const traces = fc.sample(cutTrace, { numRuns: TRACES, seed: SEED });
      const { sql } = rigs[0]!;
      await settle();
      await sql`TRUNCATE ${sql.unsafe(TABLES.join(", "))}`;
      const at = soon();
      for (const part of [...Array(PARTS).keys(), ...again]) {
        const spans = traces.flatMap(({ traceId, spans }) =>
          spans.filter((each) => each.part === part).map(({ span }) => ({ ...span, trace: traceId, at: at + (span.at ?? 0) })),
        );
        expect((await rigs[part % collectors]!.send(tracesOf(...spans))).kind).toBe("accepted");
        await settle();
      }
      for (const { refiner } of collectors > 1 ? rigs : []) await refiner.sweep();
      await settle();
      const before = await stored();
      const times = { fromMillis: BASE_MS + at, toMillis: BASE_MS + at + HOUR_MS };
      await refineTraces(
        { sql, schema: "public" },
        traces.map(({ traceId }) => ({ projectId: 1, traceId, ...times })),
      );
      const after = await stored();
      expect(traces.filter(({ traceId }) => before.get(traceId) !== after.get(traceId))).toEqual([]);
    },
    120_000,
  );
});
