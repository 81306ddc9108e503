import type { Sql, TransactionSql } from "postgres";

const HEADER = `-- The schema as the migrations leave it, written from the catalog of a freshly migrated database: \`npm run schema:dump\`.
-- It is here to be read and compared; databases are made by the migrations. Comments on tables and columns stand in README.md.
-- COMPRESSION lz4 is STORAGE EXTERNAL on a server without lz4. Daily partitions are made while genspan runs, by jobs/partitions.ts.
`;

/**
 * The schema as SQL text: the same for the same migrations on every supported server, and executable on one with lz4.
 * Reads only the catalog. Left out: comments, and partitions other than DEFAULT.
 */
export async function dumpSchema(sql: Sql, schema = "public"): Promise<string> {
  return sql.begin("read only", async (tx) => {
    // With the schema on the search path PostgreSQL writes names without it.
    await tx`SELECT set_config('search_path', quote_ident(${schema}), true)`;
    const functions = await readFunctions(tx, schema);
    const definitions = (ofColumns: boolean): string[] =>
      functions.filter((each) => each.ofColumns === ofColumns).map(({ definition }) => definition);
    const parts = [HEADER, ...definitions(true), ...(await readTables(tx, schema)), ...definitions(false)];
    for (const section of [readAccess, readViews]) parts.push(...(await section(tx, schema)));
    return parts.join("\n");
  }) as Promise<string>;
}

interface TableRow {
  name: string;
  columns: string[];
  constraints: string[];
  partitionKey: string | null;
  defaultPartition: string | null;
  indexes: string[];
}

async function readTables(tx: TransactionSql, schema: string): Promise<string[]> {
  const tables = await tx<TableRow[]>`
    SELECT c.relname AS name,
      ARRAY(
        SELECT concat_ws(' ', quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
          CASE WHEN a.attcollation <> t.typcollation THEN 'COLLATE ' || quote_ident(l.collname) END,
          CASE WHEN a.attcompression = 'l' OR (a.attstorage = 'e' AND t.typstorage <> 'e') THEN 'COMPRESSION lz4' END,
          CASE WHEN a.attgenerated = 's' THEN format('GENERATED ALWAYS AS (%s) STORED', pg_get_expr(d.adbin, d.adrelid))
               WHEN a.atthasdef THEN 'DEFAULT ' || pg_get_expr(d.adbin, d.adrelid) END,
          CASE WHEN a.attnotnull THEN 'NOT NULL' END)
        FROM pg_attribute a
        JOIN pg_type t ON t.oid = a.atttypid
        LEFT JOIN pg_collation l ON l.oid = a.attcollation
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        ORDER BY a.attnum
      ) AS columns,
      ARRAY(
        SELECT format('CONSTRAINT %I %s', k.conname, pg_get_constraintdef(k.oid)) FROM pg_constraint k
        WHERE k.conrelid = c.oid AND k.contype IN ('p', 'u', 'c') ORDER BY k.contype DESC, k.conname
      ) AS constraints,
      pg_get_partkeydef(c.oid) AS "partitionKey",
      (SELECT i.inhrelid::regclass::text FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhrelid
        WHERE i.inhparent = c.oid AND pg_get_expr(p.relpartbound, p.oid) = 'DEFAULT') AS "defaultPartition",
      ARRAY(
        SELECT pg_get_indexdef(x.indexrelid) FROM pg_index x JOIN pg_class ix ON ix.oid = x.indexrelid
        WHERE x.indrelid = c.oid AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = x.indexrelid)
        ORDER BY ix.relname
      ) AS indexes
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = ${schema} AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY c.relname COLLATE "C"`;
  return tables.map(writeTable);
}

function writeTable(table: TableRow): string {
  const lines = [...table.columns, ...table.constraints].map((line) => `  ${line}`);
  const partitioned = table.partitionKey === null ? "" : ` PARTITION BY ${table.partitionKey}`;
  const statements = [`CREATE TABLE ${table.name} (\n${lines.join(",\n")}\n)${partitioned};`];
  if (table.defaultPartition !== null) statements.push(`CREATE TABLE ${table.defaultPartition} PARTITION OF ${table.name} DEFAULT;`);
  // Indexes of partitioned tables are written with ONLY: their partitions have got theirs by then.
  for (const index of table.indexes) statements.push(`${unqualified(index).replace(" ON ONLY ", " ON ")};`);
  return `${statements.join("\n")}\n`;
}

interface SqlFunction {
  readonly definition: string;
  /** Columns are made by it: it must be there before its table, where others read tables. */
  readonly ofColumns: boolean;
}

async function readFunctions(tx: TransactionSql, schema: string): Promise<SqlFunction[]> {
  const functions = await tx<SqlFunction[]>`
    SELECT replace(pg_get_functiondef(p.oid), format('FUNCTION %I.', ${schema}::text), 'FUNCTION ') AS definition,
      EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_proc'::regclass AND d.refobjid = p.oid) AS "ofColumns"
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname = ${schema} ORDER BY p.proname COLLATE "C"`;
  return functions.map(({ definition, ofColumns }) => ({
    definition: `${definition.trim().replace("CREATE OR REPLACE", "CREATE")};\n`,
    ofColumns,
  }));
}

/** Row-level security, policies, grants to everyone and triggers; grants to logins are no part of the schema. */
async function readAccess(tx: TransactionSql, schema: string): Promise<string[]> {
  const statements = await tx<{ statement: string }[]>`
    WITH tables AS (
      SELECT c.* FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = ${schema} AND c.relkind IN ('r', 'p')
        AND (NOT c.relispartition OR pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT')
    )
    SELECT relname, 1 AS step, format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY;', relname) AS statement FROM tables WHERE relrowsecurity
    UNION ALL
    SELECT t.relname, 2, format('CREATE POLICY %I ON %I FOR %s USING %s;', p.polname, t.relname,
      CASE p.polcmd WHEN 'r' THEN 'SELECT' ELSE p.polcmd::text END, '(' || pg_get_expr(p.polqual, p.polrelid) || ')')
    FROM tables t JOIN pg_policy p ON p.polrelid = t.oid
    UNION ALL
    SELECT t.relname, 3, format('GRANT %s ON %I TO PUBLIC;', g.privilege_type, t.relname)
    FROM tables t CROSS JOIN aclexplode(t.relacl) g WHERE g.grantee = 0
    UNION ALL
    SELECT t.relname, 4, replace(pg_get_triggerdef(g.oid), format('%I.', ${schema}::text), '') || ';'
    FROM tables t JOIN pg_trigger g ON g.tgrelid = t.oid WHERE NOT g.tgisinternal
    ORDER BY relname, step, statement`;
  return [`${statements.map((row) => row.statement).join("\n")}\n`];
}

async function readViews(tx: TransactionSql, schema: string): Promise<string[]> {
  const views = await tx<{ name: string; options: string; definition: string; sources: string[] }[]>`
    SELECT c.relname AS name, array_to_string(c.reloptions, ', ') AS options, pg_get_viewdef(c.oid) AS definition,
      ARRAY(SELECT DISTINCT s.relname::text FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
        JOIN pg_class s ON d.refclassid = 'pg_class'::regclass AND s.oid = d.refobjid
        WHERE r.ev_class = c.oid AND s.oid <> c.oid) AS sources
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = ${schema} AND c.relkind = 'v' ORDER BY c.relname COLLATE "C"`;
  return views.map(({ name, options, definition, sources }) => {
    // Before version 16 PostgreSQL qualifies columns also where there is only one table they can be of.
    const text = sources.length === 1 ? definition.replaceAll(`${sources[0]}.`, "") : definition;
    return `CREATE VIEW ${name} WITH (${options}) AS\n${text}\n`;
  });
}

function unqualified(indexDefinition: string): string {
  return indexDefinition.replace(/( ON (?:ONLY )?)(?:"[^"]+"|\w+)\./, "$1");
}
