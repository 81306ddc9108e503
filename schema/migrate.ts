import type { Sql, TransactionSql } from "postgres";
import { lockSchemaChanges, quoteName, sqlState, withConnection } from "./connect.ts";
import { forServer, storeMarkedUncompressed } from "./large-values.ts";
import { createdFunctions, createdRelations, loadMigrations, type Migration } from "./migration-files.ts";
import { SchemaError } from "./schema-error.ts";
import { checkServer, ensureSchema, foreignName, refuseForeignNames, type ServerFacts, type WantedNames } from "./server-checks.ts";

/** Where the schema lives unless GENSPAN_SCHEMA says otherwise. */
export const DEFAULT_SCHEMA = "public";

/** Holds one row per applied file; its presence is what makes the other tables ours. */
const MIGRATIONS_TABLE = "genspan_migrations";
const MIGRATIONS_COLUMNS = ["version", "name", "checksum", "applied_at"];

/** How long a statement of a migration waits for a lock that a running collector holds; waiting longer would stop that collector's writes. */
const LOCK_TIMEOUT = "2s";
const LOCK_ATTEMPTS = 10;
/** How long to wait for another migrator to finish one file. */
const TURN_TIMEOUT = "120s";
/** Locks that could not be had now: one that was not given in time, or one whose holder waited for a lock of ours. */
const LOCK_CONFLICTS: ReadonlySet<string | undefined> = new Set(["55P03", "40P01"]);
const DUPLICATE_RELATION = "42P07";
const DUPLICATE_FUNCTION = "42723";
const INSUFFICIENT_PRIVILEGE = "42501";

export interface MigrateOptions {
  /** A role that may create tables in the schema and will own them. */
  readonly url: string;
  readonly schema?: string;
  /** Told of every applied file. */
  readonly log?: { info(fields: object, message: string): void };
  /** Other files than this version's own: for tests. */
  readonly migrations?: readonly Migration[];
}

export interface MigrateResult {
  /** Names of the files applied by this call. */
  readonly applied: string[];
  /** Number of the newest file in the database. */
  readonly version: number;
}

/**
 * Brings the database to this version's schema. Any number of callers may race and any of them may die: each file is one transaction
 * under an advisory lock, together with its row in `genspan_migrations`. Throws SchemaError for what a person must mend.
 */
export async function migrate(options: MigrateOptions): Promise<MigrateResult> {
  const schema = options.schema ?? DEFAULT_SCHEMA;
  const migrations = options.migrations ?? loadMigrations();
  return withConnection(options.url, async (sql) => {
    const server = await checkServer(sql);
    const applied: string[] = [];
    for (;;) {
      const step = await nextStep(sql, { schema, server, migrations });
      if (step === undefined) return { applied, version: migrations.length };
      applied.push(step.name);
      options.log?.info({ migration: step.name }, "migration applied");
    }
  });
}

interface Target {
  readonly schema: string;
  readonly server: ServerFacts;
  readonly migrations: readonly Migration[];
}

/** Applies the first missing file, if there is one. Tries again where a statement could not have its lock. */
async function nextStep(sql: Sql, target: Target): Promise<Migration | undefined> {
  for (let attempt = 1; ; attempt++) {
    try {
      // Read committed, so that what was read after the lock includes what its last holder committed.
      const step = await sql.begin("isolation level read committed", (tx) => applyNext(tx, target));
      return step as Migration | undefined;
    } catch (error) {
      if (!LOCK_CONFLICTS.has(sqlState(error))) throw explainStepError(error, target);
      if (attempt === LOCK_ATTEMPTS)
        throw new SchemaError(
          "the migration could not get its locks: another session keeps a genspan table locked; end it and start again",
        );
      await new Promise((resolve) => setTimeout(resolve, 100 * attempt));
    }
  }
}

async function applyNext(tx: TransactionSql, target: Target): Promise<Migration | undefined> {
  const { schema, server, migrations } = target;
  await tx`SELECT set_config('lock_timeout', ${TURN_TIMEOUT}, true)`;
  await lockSchemaChanges(tx, schema);
  const done = await readApplied(tx, schema);
  checkApplied(done, migrations);
  const next = migrations[done.length];
  if (next === undefined) return undefined;

  await tx`SELECT set_config('lock_timeout', ${LOCK_TIMEOUT}, true)`;
  await ensureSchema(tx, schema, server);
  await tx`SELECT set_config('search_path', ${quoteName(schema)}, true)`;
  if (done.length === 0) await createMigrationsTable(tx, schema);
  await refuseForeignNames(tx, schema, pendingNames(migrations, done.length));
  await tx.unsafe(forServer(next.sql, server));
  await storeMarkedUncompressed(tx, schema);
  await tx`INSERT INTO ${tx(schema)}.${tx(MIGRATIONS_TABLE)} (version, name, checksum, applied_at)
    VALUES (${next.version}, ${next.name}, ${next.checksum}, now())`;
  return next;
}

/** What the files from `applied` on will make, all of them, so that a name that is taken is noticed before the first one leaves anything behind. */
function pendingNames(migrations: readonly Migration[], applied: number): WantedNames {
  const [done, pending] = [migrations.slice(0, applied), migrations.slice(applied)];
  const wanted = (namesOf: (migration: Migration) => string[]): string[] => {
    // What an earlier file made is ours, and may be made anew.
    const ours = new Set(done.flatMap((migration) => namesOf(migration)));
    return pending.flatMap((migration) => namesOf(migration)).filter((name) => !ours.has(name));
  };
  return { relations: wanted(createdRelations), functions: wanted(createdFunctions) };
}

interface AppliedRow {
  readonly version: number;
  readonly name: string;
  readonly checksum: string;
}

async function createMigrationsTable(tx: TransactionSql, schema: string): Promise<void> {
  await tx`CREATE TABLE IF NOT EXISTS ${tx(schema)}.${tx(MIGRATIONS_TABLE)} (
    version     integer PRIMARY KEY,
    name        text NOT NULL,
    checksum    text NOT NULL,
    applied_at  timestamptz NOT NULL
  )`;
}

async function readApplied(tx: TransactionSql, schema: string): Promise<AppliedRow[]> {
  const [table] = await tx<{ isOurs: boolean }[]>`
    SELECT relkind = 'r' AND ${tx.array(MIGRATIONS_COLUMNS)}::text[] <@ ARRAY(
      SELECT attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND attnum > 0 AND NOT attisdropped) AS "isOurs"
    FROM pg_class c WHERE relnamespace = to_regnamespace(quote_ident(${schema})) AND relname = ${MIGRATIONS_TABLE}`;
  if (table === undefined) return [];
  if (!table.isOurs) throw foreignName(schema, MIGRATIONS_TABLE);
  return tx<AppliedRow[]>`SELECT version, name, checksum FROM ${tx(schema)}.${tx(MIGRATIONS_TABLE)} ORDER BY version`;
}

/** Throws SchemaError where the database was made by a newer genspan or by files that differ from ours. */
function checkApplied(done: readonly AppliedRow[], migrations: readonly Migration[]): void {
  const newest = done.at(-1);
  if (newest !== undefined && newest.version > migrations.length)
    throw new SchemaError(
      `the database is at schema version ${newest.version} (${newest.name}) and this genspan knows ${migrations.length}: start the newer genspan that made it`,
    );
  for (const [index, row] of done.entries()) {
    const migration = migrations[index] as Migration;
    if (row.version !== migration.version || row.name !== migration.name || row.checksum !== migration.checksum)
      throw new SchemaError(
        `the migration ${migration.name} differs from what was applied to the database: files once applied must not change; restore it`,
      );
  }
}

function explainStepError(error: unknown, { schema, server }: Target): unknown {
  const state = sqlState(error);
  if (state === DUPLICATE_RELATION || state === DUPLICATE_FUNCTION)
    return new SchemaError(
      `something that genspan did not make stands in its way in schema "${schema}" (${(error as Error).message}): set GENSPAN_SCHEMA to another schema`,
    );
  if (state === INSUFFICIENT_PRIVILEGE)
    return new SchemaError(
      `the role "${server.role}" lacks a right for the migration (${(error as Error).message}): connect as the owner of genspan's tables`,
    );
  return error;
}
