import type { Sql } from "postgres";

const INTRODUCTION = `# The tables

For people who read genspan with SQL. Written from the comments in the database by \`npm run schema:dump\`; change those, in a new migration.

- Times are \`timestamptz\`; durations and sizes carry their unit in the name. **NULL means unknown**, never 0 or ''.
- Ids are lower-case hexadecimal text, as they stand in logs: \`WHERE trace_id = '5b8aa5a2d2c872e8321cf37308d69df2'\` works.
- Always give a range of \`start_time\` (or \`time\`) where you can: the large tables have a partition per UTC day, and only those in the range are read.
- Nanoseconds: \`genspan_unix_nano(start_time, start_nano)\` is exact.
- A login sees the rows of one project. A login made for a dashboard is bound to its project; the collector's own reader chooses with
  \`SET LOCAL genspan.project = '1'\` inside a transaction and sees nothing without it. Read tables and views by their own names, not partitions.
- Large values are compressed with lz4, or stored as they are where the server was built without it.
- The files in migrations/ make all this; schema.sql shows the result.

## Tables and views
`;

interface Described {
  readonly name: string;
  readonly comment: string | null;
  readonly columns: readonly { readonly name: string; readonly type: string; readonly comment: string | null }[];
}

/** Tables or views of the schema with their comments, by name; without partitions. */
async function readDescribed(sql: Sql, schema: string, kinds: readonly string[]): Promise<Described[]> {
  return sql<Described[]>`
    SELECT c.relname AS name, obj_description(c.oid, 'pg_class') AS comment,
      (SELECT json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
          'comment', col_description(c.oid, a.attnum)) ORDER BY a.attnum)
        FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = ${schema} AND c.relkind = ANY (${sql.array([...kinds])}::"char"[]) AND NOT c.relispartition
    ORDER BY c.relname COLLATE "C"`;
}

/** The text of schema/README.md, from the comments in the catalog of a freshly migrated database. */
export async function describeSchema(sql: Sql, schema = "public"): Promise<string> {
  const tables = await readDescribed(sql, schema, ["r", "p"]);
  const views = await readDescribed(sql, schema, ["v"]);
  return [INTRODUCTION, ...tables.map(describeTable), ...views.map(describeView)].join("\n");
}

function describeTable({ name, comment, columns }: Described): string {
  const rows = columns.map((column) => `| ${column.name} | ${shortType(column.type)} | ${column.comment ?? ""} |`);
  return `### ${name}\n${comment ?? ""}\n\n| column | type | meaning |\n|---|---|---|\n${rows.join("\n")}\n`;
}

/** Columns of views keep the name and the meaning that they have in their table. */
function describeView({ name, comment, columns }: Described): string {
  return `### ${name} (view)\n${comment ?? ""}\n\nColumns: ${columns.map((column) => column.name).join(", ")}.\n`;
}

function shortType(type: string): string {
  return type.replace("timestamp with time zone", "timestamptz").replace("double precision", "double");
}
