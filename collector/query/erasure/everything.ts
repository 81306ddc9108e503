import { ORIGIN_TABLES, POINTING_TABLES, SPAN_TABLES } from "../../model/span-tables.ts";
import type { Ask, Reader, ReadScope } from "../reader.ts";
import { type Fragment, name, sql } from "../sql.ts";

/** A span, or with an empty `span_id` a whole trace. */
export interface SpanTarget {
  readonly trace_id: string;
  readonly span_id: string;
}

export interface Told {
  readonly spans: readonly SpanTarget[];
  /** Besides spans: rows by the entity that they belong to. */
  readonly entity: { readonly type: string; readonly id: string } | undefined;
  /** Besides spans: log records that name a user or conversation by the value of such an attribute, and belong to no trace. */
  readonly naming: { readonly value: string; readonly attributes: string } | undefined;
}

const ENTITY_TABLES = ["image_traces", "generation_items"] as const;
const BATCH = 50;
const READ_TIMEOUT_MS = 60_000;

/**
 * Everything stored about the spans and the entity, with the resources and scopes that they came from and refused data that holds them, a line of JSON per row:
 * `{"table": "spans", "row": {…}}`. Binary content is named by its hash.
 */
export async function* readEverything(reader: Reader, projectId: number, { spans, entity, naming }: Told): AsyncGenerator<string> {
  const scope: ReadScope = { projectId, timeoutMillis: READ_TIMEOUT_MS };
  const read = <T>(work: (ask: Ask) => Promise<T>): Promise<T> => reader.read(scope, work);
  const lines = (table: string, where: Fragment): Promise<string> =>
    read(async (ask) => {
      const rows = await ask<{ line: string }>(sql`SELECT (to_jsonb(t) - 'project_id')::text AS line FROM ${name(table)} t WHERE ${where}`);
      return rows.map(({ line }) => lineOf(table, line)).join("");
    });
  const originLines = originsOnce(read);
  const refusedLines = refusedOnce(read);
  for (let from = 0; from < spans.length; from += BATCH) {
    const batch = spans.slice(from, from + BATCH);
    const given = sql`unnest(${batch.map((each) => each.trace_id)}::text[], ${batch.map((each) => each.span_id)}::text[]) AS e (wanted_trace, wanted_span)`;
    const isWanted = sql`EXISTS (SELECT FROM ${given} WHERE t.trace_id = wanted_trace AND (wanted_span = '' OR t.span_id = wanted_span))`;
    const traces = sql`t.trace_id = ANY(${batch.map((each) => each.trace_id)}::text[])`;
    const wanted = sql`${traces} AND ${isWanted}`;
    for (const table of SPAN_TABLES) yield await lines(table, wanted);
    for (const table of POINTING_TABLES) yield await originLines(table, wanted);
    yield await refusedLines(sql`EXISTS (SELECT FROM ${given} WHERE position(decode(wanted_trace, 'hex') IN t.raw) > 0)`);
  }
  if (naming !== undefined) {
    const names = sql`EXISTS (SELECT FROM jsonb_each_text(t.attributes) AS a (k, v) WHERE v = ${naming.value} AND k ~* ${naming.attributes})`;
    const wanted = sql`trace_id IS NULL AND (${names} OR resource_id IN (SELECT id FROM resources t WHERE ${names}))`;
    yield await lines("log_records", wanted);
    yield await originLines("log_records", wanted);
    yield await refusedLines(sql`position(convert_to(${naming.value}, 'UTF8') IN t.raw) > 0`);
  }
  if (entity === undefined) return;
  for (const table of ENTITY_TABLES)
    yield await lines(table, sql`trace_id IS NULL AND entity_type = ${entity.type} AND entity_id = ${entity.id}`);
}

/** Data that was refused and holds the subject in its bytes, each the first time that it comes. */
function refusedOnce(read: <T>(work: (ask: Ask) => Promise<T>) => Promise<T>): (where: Fragment) => Promise<string> {
  const told: string[] = [];
  return (where) =>
    read(async (ask) => {
      const rows = await ask<{ id: string; line: string }>(sql`
        SELECT id::text AS id, (to_jsonb(t) - 'project_id')::text AS line FROM ingest_rejected t WHERE NOT id::text = ANY(${[...told]}::text[]) AND ${where}`);
      told.push(...rows.map(({ id }) => id));
      return rows.map(({ line }) => lineOf("ingest_rejected", line)).join("");
    });
}

const lineOf = (table: string, row: string): string => `{"table":"${table}","row":${row}}\n`;

/** The resources and scopes of rows of a table, each the first time that it comes. */
function originsOnce(read: <T>(work: (ask: Ask) => Promise<T>) => Promise<T>): (table: string, where: Fragment) => Promise<string> {
  const told = new Set<string>();
  return (pointing, where) =>
    read(async (ask) => {
      let text = "";
      for (const { table, pointer } of ORIGIN_TABLES) {
        const rows = await ask<{ id: string; line: string }>(sql`
          SELECT o.id::text AS id, (to_jsonb(o) - 'project_id')::text AS line FROM ${name(table)} o
          WHERE o.id IN (SELECT t.${name(pointer)} FROM ${name(pointing)} t WHERE ${where})`);
        for (const { id, line } of rows) {
          if (told.has(id)) continue;
          told.add(id);
          text += lineOf(table, line);
        }
      }
      return text;
    });
}
