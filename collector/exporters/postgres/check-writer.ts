import type { Log } from "../../base/log.ts";
import { SetupError } from "../../base/setup-error.ts";
import { GENERATION_LOGS, INGEST_REJECTED, LOG_RECORDS, SPANS } from "../../rows/table-spec.ts";
import { connectWriter } from "./writer-connection.ts";

export interface CheckOptions {
  readonly url: string;
  readonly schema: string;
  readonly connections: number;
  readonly timeoutMillis: number;
  readonly log: Log;
}

const TABLES = [...[SPANS, GENERATION_LOGS, LOG_RECORDS, INGEST_REJECTED].map(({ name }) => name), "resources", "scopes"];

/** Tables that the writer cannot use: absent, without a right it needs, or with row-level security, under which COPY is refused. */
const UNUSABLE_TABLES = `
  SELECT name, c.oid IS NOT NULL AS present, coalesce(row_security_active(c.oid), false) AS secured
  FROM unnest($2::text[]) AS name
  LEFT JOIN (pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = $1) ON c.relname = name
  WHERE c.oid IS NULL OR row_security_active(c.oid)
    OR NOT (has_table_privilege(c.oid, 'INSERT') AND has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'UPDATE'))
  ORDER BY name LIMIT 1`;

const SERVER_FACTS = `
  SELECT current_user AS role, current_database() AS database, has_database_privilege(current_database(), 'TEMP') AS "mayStage",
    current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
      - (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend') AS "freeSlots",
    current_setting('fsync') = 'on' AND current_setting('full_page_writes') = 'on' AS durable`;

interface ServerFacts {
  readonly role: string;
  readonly database: string;
  readonly mayStage: boolean;
  readonly freeSlots: number;
  readonly durable: boolean;
}

/** What the migrations do not check: that this login may do what writing takes. One short session of its own. */
export async function checkWriter(options: CheckOptions): Promise<void> {
  const connection = await connectWriter(options).catch((error: unknown) => {
    throw new SetupError("the writer cannot connect to the database: check DATABASE_URL and whether the server takes writes", {
      cause: error,
    });
  });
  try {
    const [facts] = await connection.query<ServerFacts>(SERVER_FACTS, []);
    const [table] = await connection.query<{ name: string; present: boolean; secured: boolean }>(UNUSABLE_TABLES, [options.schema, TABLES]);
    if (facts === undefined) return;
    if (table !== undefined) throw new SetupError(tableSentence(options.schema, table, facts.role));
    if (!facts.mayStage) {
      throw new SetupError(
        `the role "${facts.role}" may not make temporary tables: let the owner of database "${facts.database}" run GRANT TEMPORARY ON DATABASE "${facts.database}" TO "${facts.role}"`,
      );
    }
    warnOf(options, facts);
  } finally {
    await connection.close();
  }
}

function tableSentence(schema: string, table: { name: string; present: boolean; secured: boolean }, role: string): string {
  const name = `"${schema}"."${table.name}"`;
  if (!table.present) return `the table ${name} is missing: run genspan migrate`;
  if (table.secured) return `row-level security applies to the role "${role}" on ${name}: let the writer connect as the owner of the table`;
  return `the role "${role}" may not write ${name}: let its owner run GRANT SELECT, INSERT, UPDATE ON ${name} TO "${role}"`;
}

function warnOf({ log, connections }: CheckOptions, { freeSlots, durable }: ServerFacts): void {
  if (freeSlots <= connections) {
    log.warn({ freeSlots, connections }, "the server has hardly any connections left: raise max_connections or lower the writer's");
  }
  if (!durable) {
    log.warn({}, "the server runs with fsync or full_page_writes off: a power cut may lose what was acknowledged");
  }
}
