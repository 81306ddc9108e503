import type { Sql, TransactionSql } from "postgres";
import { entityOf, namingOf, type Subject, spanOf } from "./subject.ts";

/** What is erased: a span, or with an empty `span_id` a whole trace. */
export interface Target {
  readonly trace_id: string;
  readonly span_id: string;
}

export interface Finding {
  readonly sql: Sql;
  readonly schema: string;
  readonly projectId: number;
}

interface Named extends Target {
  /** Whether the trace also names others of the subject's kind. */
  readonly shared: boolean;
}

/**
 * Spans that speak of the subject. A trace goes as a whole where no call in it is another user's (for an entity: where every call made it): what one
 * user asked is told by many spans, and few of them say whose it is. Of other traces the spans that name the subject go, with everything below them.
 */
export function findSpans(finding: Finding, subject: Subject): Promise<Target[]> {
  const { sql } = finding;
  return sql.begin("READ ONLY", async (tx) => {
    await tx`SELECT set_config('search_path', quote_ident(${finding.schema}), true), set_config('statement_timeout', '0', true)`;
    if (subject.kind === "trace") return [{ trace_id: subject.value, span_id: "" }];
    if (subject.kind === "generation") return tellingsOf(tx, finding.projectId, spanOf(subject));
    const named = await namedSpans(tx, finding.projectId, subject);
    const whole = [...new Set(named.filter(({ shared }) => !shared).map((each) => each.trace_id))];
    const parts = named.filter(({ shared }) => shared);
    return [...whole.map((trace_id) => ({ trace_id, span_id: "" })), ...(await withDescendants(tx, finding.projectId, parts))];
  }) as Promise<Target[]>;
}

/** The span of a call, and the others that tell of the same one: each holds its content, and the counted row what it lacked of theirs. */
function tellingsOf(tx: TransactionSql, projectId: number, { traceId, spanId }: ReturnType<typeof spanOf>): Promise<Target[]> {
  const twins = tx`SELECT span_id, survivor_span_id FROM generation_twins
    WHERE project_id = ${projectId} AND trace_id = ${traceId} AND survivor_span_id IS NOT NULL`;
  return tx<Target[]>`
    WITH twins AS (${twins}), counted AS (
      SELECT coalesce((SELECT survivor_span_id FROM twins WHERE span_id = ${spanId} LIMIT 1), ${spanId}) AS span_id
    )
    SELECT ${traceId} AS trace_id, span_id FROM counted
    UNION SELECT ${traceId}, twins.span_id FROM twins JOIN counted ON survivor_span_id = counted.span_id
    UNION SELECT ${traceId}, ${spanId}`;
}

/** Every span that names the subject itself, by a column of its generation, image or item, or by an attribute of its own, of its events or of its links. */
async function namedSpans(tx: TransactionSql, projectId: number, subject: Subject): Promise<Named[]> {
  const column = { user: "user_id", conversation: "conversation_id" }[subject.kind as string];
  const { type, id } = entityOf(subject);
  const isSubject = column === undefined ? tx`entity_type = ${type} AND entity_id = ${id}` : tx`${tx(column)} = ${subject.value}`;
  const isOther =
    column === undefined ? tx`(entity_type, entity_id) IS DISTINCT FROM (${type}, ${id})` : tx`${tx(column)} <> ${subject.value}`;
  const things = column === undefined ? [tx`image_traces`, tx`generation_items`] : [];
  const calls = [tx`generation_logs`, tx`generation_twins`].map(
    (table) => tx`SELECT trace_id, span_id FROM ${table} WHERE project_id = ${projectId} AND ${isSubject}`,
  );
  const made = things.map(
    (table) => tx`SELECT trace_id, span_id FROM ${table} WHERE project_id = ${projectId} AND trace_id IS NOT NULL AND ${isSubject}`,
  );
  const all = [...calls, ...made, ...byAttribute(tx, projectId, subject)];
  const union = all.reduce((text, each) => tx`${text} UNION ${each}`);
  return tx<Named[]>`
    WITH named AS (${union})
    SELECT trace_id, coalesce(span_id, '') AS span_id, span_id IS NOT NULL AND EXISTS (
      SELECT FROM generation_logs WHERE project_id = ${projectId} AND generation_logs.trace_id = named.trace_id AND ${isOther}
    ) AS shared FROM named WHERE trace_id IS NOT NULL`;
}

function byAttribute(tx: TransactionSql, projectId: number, subject: Subject) {
  const naming = namingOf(subject);
  if (naming === undefined) return [byEntityAttributes(tx, projectId, subject)];
  const named = tx`jsonb_each_text(object) AS a (k, v) WHERE v = ${naming.value} AND k ~* ${naming.attributes}`;
  const names = (attributes: ReturnType<typeof tx>) => tx`EXISTS (SELECT FROM (SELECT ${attributes}) AS o (object), ${named})`;
  const resources = tx`SELECT id FROM resources WHERE project_id = ${projectId} AND ${names(tx`resources.attributes`)}`;
  const inProject = tx`project_id = ${projectId} AND trace_id IS NOT NULL`;
  const itself = tx`${names(tx`t.attributes`)} OR resource_id IN (${resources})`;
  const inParts = tx`EXISTS (SELECT FROM unnest(ARRAY[t.events, t.links]) AS p (part),
    jsonb_path_query(part, '$[*].attributes ? (@.type() == "object")') AS o (object), ${named})`;
  return [
    tx`SELECT trace_id, span_id FROM spans t WHERE ${inProject} AND (${itself} OR ${inParts})`,
    tx`SELECT trace_id, span_id FROM log_records t WHERE ${inProject} AND (${itself})`,
  ];
}

function byEntityAttributes(tx: TransactionSql, projectId: number, subject: Subject) {
  const { type, id } = entityOf(subject);
  return tx`SELECT trace_id, span_id FROM spans WHERE project_id = ${projectId}
    AND attributes ->> 'genspan.entity.type' = ${type} AND attributes ->> 'genspan.entity.id' = ${id}`;
}

/** Spans and everything below them, in their traces. */
async function withDescendants(tx: TransactionSql, projectId: number, spans: readonly Target[]): Promise<Target[]> {
  if (spans.length === 0) return [];
  const traces = spans.map((span) => span.trace_id);
  const ids = spans.map((span) => span.span_id);
  return tx<Target[]>`
    WITH RECURSIVE below AS (
      SELECT trace_id COLLATE "C", span_id COLLATE "C" FROM unnest(${traces}::text[], ${ids}::text[]) AS given (trace_id, span_id)
      UNION
      SELECT s.trace_id, s.span_id FROM spans s JOIN below b ON s.project_id = ${projectId} AND s.trace_id = b.trace_id AND s.parent_span_id = b.span_id
    ) SELECT trace_id, span_id FROM below`;
}
