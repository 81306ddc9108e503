import { CLIENTS } from "./compare.ts";
import { SPANS_PER_REQUEST } from "./payloads.ts";
import { emptyTables, type Stage, sendLoad } from "./stage.ts";

export interface SizeResult {
  readonly otlpBytes: number;
  readonly walBytes: number;
  readonly diskBytes: number;
}

/** What one load of the mix costs in write-ahead log and on disk (tables, indexes, out-of-line values), after a checkpoint and from empty tables. */
export async function measureSize(stage: Stage, requests: number): Promise<SizeResult> {
  await emptyTables(stage);
  const { sql } = stage;
  const [begin] = await sql`SELECT pg_current_wal_insert_lsn()::text AS lsn`;
  const emptyBytes = await diskBytes(stage);
  const { wireBytes } = await sendLoad(stage, {
    kind: "mix",
    form: "protobuf",
    requests,
    clients: CLIENTS,
    spansPerRequest: SPANS_PER_REQUEST,
  });
  const [end] = await sql`SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), ${begin?.["lsn"]}::text::pg_lsn)::float8 AS bytes`;
  return { otlpBytes: wireBytes, walBytes: Number(end?.["bytes"]), diskBytes: (await diskBytes(stage)) - emptyBytes };
}

async function diskBytes({ sql }: Stage): Promise<number> {
  const [row] = await sql`
    SELECT sum(pg_total_relation_size(relid))::float8 AS bytes
    FROM unnest(ARRAY['spans', 'generation_logs', 'resources', 'scopes']) AS name, pg_partition_tree(name::regclass)
  `;
  return Number(row?.["bytes"]);
}
