import { randomBytes } from "node:crypto";
import { expect, it } from "vitest";
import { describeEachServer } from "../support/database.ts";
import { logsOf, type SpanSpec, spanIdOf, tracesOf } from "../support/otlp-json.ts";
import { usePipelineRig } from "../support/pipeline-suite.ts";

/** No index entry takes so much, and no compression makes it small. */
const long = (): string => randomBytes(6_000).toString("hex");

const IDENTIFIERS = [
  "gen_ai.request.model",
  "gen_ai.response.model",
  "gen_ai.provider.name",
  "gen_ai.response.id",
  "gen_ai.conversation.id",
  "gen_ai.prompt.name",
  "gen_ai.prompt.version",
  "user.id",
  "genspan.run.id",
  "genspan.item.id",
  "genspan.entity.type",
  "genspan.entity.id",
  "genspan.quality.status",
  "genspan.quality.by",
  "error.type",
];
const MAX_INDEXED_BYTES = 1_000;

describeEachServer("identifiers longer than an index entry may be", (server) => {
  const rig = usePipelineRig(server);

  const longAttributes = () => Object.fromEntries(IDENTIFIERS.map((name) => [name, long()]));
  const call = (id: string, more: Partial<SpanSpec> = {}): SpanSpec => ({
    id,
    ...more,
    attributes: { "gen_ai.operation.name": "chat", ...longAttributes(), ...more.attributes },
  });

  it("are cut where an index covers them, with a note, and cost neither their row nor another", async () => {
    const spans = tracesOf(
      call("call"),
      call("image", { attributes: { "gen_ai.operation.name": "image_generation" } }),
      call("imgrec", { parent: "image", attributes: { "genspan.record": "image" } }),
      call("item", { attributes: { "genspan.record": "item" } }),
      call("run", { attributes: { "genspan.record": "run" } }),
      { id: "update", parent: "call", tookMs: 0, attributes: { "genspan.record": "update", ...longAttributes() } },
      { id: "good", attributes: { "gen_ai.operation.name": "chat", "gen_ai.request.model": "m" } },
    );
    expect(await rig.send(spans)).toEqual({ kind: "accepted" });
    const scores = logsOf({ span: "good", name: "gen_ai.evaluation.result", attributes: { "gen_ai.evaluation.name": long() } });
    expect(await rig.send(scores, "logs")).toEqual({ kind: "accepted" });
    await rig.refiner.settled();

    // Bloom filters hold bits of values, not values.
    const indexed = await rig.sql<{ table: string; column: string }[]>`
      SELECT DISTINCT c.relname AS "table", a.attname AS "column" FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
        CROSS JOIN LATERAL unnest(i.indkey::int2[], i.indclass::oid[]) AS k (attnum, opclass)
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum JOIN pg_opclass o ON o.oid = k.opclass
      WHERE c.relnamespace = 'public'::regnamespace AND NOT c.relispartition AND a.atttypid = 'text'::regtype AND o.opcname NOT LIKE '%bloom_ops'`;
    expect(indexed.map(({ table, column }) => `${table}.${column}`)).toEqual(
      expect.arrayContaining(["generation_logs.run_id", "generation_scores.name", "image_traces.entity_id"]),
    );
    for (const { table, column } of indexed) {
      const [{ longest }] = await rig.sql<[{ longest: number }]>`
        SELECT coalesce(max(octet_length(${rig.sql(column)})), 0)::int AS longest FROM ${rig.sql(table)}`;
      expect([table, column, longest <= MAX_INDEXED_BYTES]).toEqual([table, column, true]);
    }
    expect(await rig.sql`SELECT count(*)::int AS n FROM generation_scores`).toEqual([{ n: 1 }]);
    expect(await rig.sql`SELECT count(*)::int AS n FROM ingest_rejected`).toEqual([{ n: 0 }]);
    expect(await rig.sql`SELECT count(*)::int AS n FROM generation_logs WHERE model_name = 'm'`).toEqual([{ n: 1 }]);
    const [noted] = await rig.sql`SELECT ingest_notes->'sanitized'->'length' AS paths FROM spans WHERE name = 'call'`;
    expect(noted).toEqual({ paths: expect.arrayContaining(["model_name", "run_id", "entity_id"]) });
    expect(await rig.sql`SELECT length(entity_id) AS length FROM image_traces`).toEqual([
      { length: MAX_INDEXED_BYTES },
      { length: MAX_INDEXED_BYTES },
    ]);
    expect(await rig.sql`SELECT octet_length(run_id) AS bytes FROM generation_logs WHERE span_id = ${spanIdOf("call")}`).toEqual([
      { bytes: MAX_INDEXED_BYTES },
    ]);
  });
});
