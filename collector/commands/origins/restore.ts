import type { Writer } from "../writer.ts";
import { type Origin, originKey } from "./origin.ts";
import { pointedToOf } from "./pointed-to.ts";

/** A whole row of `resources` or `scopes`. */
export interface OriginRow extends Origin {
  /** JSON text. */
  readonly attributes: string;
  readonly schemaUrl: string | null;
  readonly droppedAttributesCount: number | null;
  /** Only of scopes. */
  readonly name: string | null;
  readonly version: string | null;
}

/**
 * Puts back what was deleted while a collector was still writing spans that point to it: those of `rows` that something points to. Gives their
 * number.
 */
export async function restoreOrigins(writer: Writer, rows: readonly OriginRow[]): Promise<number> {
  const pointedTo = await pointedToOf(writer, rows);
  const missed = rows.filter((row) => pointedTo.has(originKey(row)));
  for (const row of missed) await insert(writer, row);
  return missed.length;
}

function insert({ sql, schema }: Writer, row: OriginRow): PromiseLike<unknown> {
  const { kind, projectId, id, attributes, schemaUrl, droppedAttributesCount, name, version } = row;
  const [columns, values] = kind === "scopes" ? [sql`, name, version`, sql`, ${name}, ${version}`] : [sql``, sql``];
  return sql`
    INSERT INTO ${sql(schema)}.${sql(kind)} (project_id, id, attributes, schema_url, dropped_attributes_count${columns})
    VALUES (${projectId}, ${id}, ${attributes}::text::jsonb, ${schemaUrl}, ${droppedAttributesCount}${values}) ON CONFLICT DO NOTHING`;
}
