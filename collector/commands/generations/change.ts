import { randomBytes } from "node:crypto";
import type { TransactionSql } from "postgres";
import { RequestError } from "../../base/request-error.ts";
import { audit } from "../audit.ts";
import { OWN_RESOURCE_ID } from "../origins/origin.ts";
import type { Writer } from "../writer.ts";

/** Brings the rows of a trace in line with what is stored about it (collector/refinement). */
export type Refine = (trace: RefinedTrace) => Promise<void>;

export interface RefinedTrace {
  readonly projectId: number;
  readonly traceId: string;
  readonly fromMillis: number;
  readonly toMillis: number;
}

export interface CommandContext {
  readonly writer: Writer;
  readonly refine: Refine;
  readonly projectId: number;
  readonly actor: string;
}

export interface CallIds {
  readonly traceId: string;
  readonly spanId: string;
}

/** What a change may look at: the call as it is, and those columns that changes are about. */
export interface CallState {
  /** PostgreSQL's text, exact to the microsecond. */
  readonly startTime: string;
  readonly quality_status: string | null;
  readonly quality_issues: unknown;
  readonly quality_score: number | null;
  readonly entity_type: string | null;
  readonly entity_id: string | null;
}

/** What a change wants: attributes of an update record (null makes unknown again), and its entry in the audit log. */
export interface Change {
  readonly attributes: Readonly<Record<string, string | number | readonly string[] | null>>;
  readonly action: string;
  readonly details: object;
  /** More to do in the same transaction; `auditId` is the entry's. */
  readonly also?: (tx: TransactionSql, auditId: string) => Promise<void>;
}

/** Names by which a span says what it is (sdk/attributes.ts): an update record, below the span that it speaks of. */
const RECORD = "genspan.record";
/** Records of these commands belong to a service of this name. */
const SERVICE = "genspan";
/** Records further from their call than this are not looked at when its row is made. */
const WITHIN = "23 hours";

/**
 * Changes one call as an application would by a late update: an update record below its span, written together with the audit entry. So the change
 * outlives whatever else is still to come for the call, its own end included, and rows stay a function of stored spans.
 */
export async function changeCall(
  context: CommandContext,
  ids: CallIds,
  decide: (call: CallState, tx: TransactionSql) => Promise<Change> | Change,
): Promise<{ readonly auditId: string }> {
  const { writer, projectId, actor } = context;
  const done = await writer.sql.begin(async (tx) => {
    const call = await lockCall(tx, writer.schema, { projectId, ...ids });
    const { attributes, action, details, also } = await decide(call, tx);
    const atMillis = await writeUpdate(tx, { schema: writer.schema, projectId, ids, call, attributes });
    const auditId = await audit(tx, writer.schema, { projectId, actor, action, subject: subjectOf(ids), details });
    await also?.(tx, auditId);
    return { auditId, atMillis, startMillis: Date.parse(isoOf(call.startTime)) };
  });
  await context.refine({ projectId, traceId: ids.traceId, fromMillis: done.startMillis, toMillis: done.atMillis });
  return { auditId: done.auditId };
}

export const subjectOf = ({ traceId, spanId }: CallIds): string => `generation:${traceId}-${spanId}`;

const isoOf = (text: string): string => text.replace(" ", "T").replace(/([+-]\d\d)$/, "$1:00");

interface LockedIds extends CallIds {
  readonly projectId: number;
}

/** One change of a call at a time: each sees what the one before it left. */
async function lockCall(tx: TransactionSql, schema: string, { projectId, traceId, spanId }: LockedIds): Promise<CallState> {
  const [call] = await tx<CallState[]>`
    SELECT start_time::text AS "startTime", quality_status, quality_issues, quality_score, entity_type, entity_id
    FROM ${tx(schema)}.generation_logs WHERE project_id = ${projectId} AND trace_id = ${traceId} AND span_id = ${spanId}
    ORDER BY start_time DESC LIMIT 1 FOR UPDATE`;
  if (call === undefined) throw new RequestError("not_found", "there is no such model call in this project");
  return call;
}

interface Update {
  readonly schema: string;
  readonly projectId: number;
  readonly ids: CallIds;
  readonly call: CallState;
  readonly attributes: Change["attributes"];
}

/** Later than every other record of the call, since the latest wins. Returns its time in milliseconds since 1970. */
async function writeUpdate(tx: TransactionSql, { schema, projectId, ids, call, attributes }: Update): Promise<number> {
  const { traceId, spanId } = ids;
  await tx`INSERT INTO ${tx(schema)}.resources (project_id, id, attributes) VALUES (${projectId}, ${OWN_RESOURCE_ID}, ${JSON.stringify({ "service.name": SERVICE })}::text::jsonb)
    ON CONFLICT DO NOTHING`;
  const [written] = await tx<[{ millis: number }]>`
    INSERT INTO ${tx(schema)}.spans (project_id, trace_id, span_id, start_time, start_nano, end_time, end_nano, duration_ns, parent_span_id, name, kind,
      service_name, status_code, attributes, resource_id, received_at)
    SELECT ${projectId}, ${traceId}, ${randomBytes(8).toString("hex")}, at, 0, at, 0, 0, ${spanId}, 'genspan.update', 1,
      ${SERVICE}, 0, ${JSON.stringify({ [RECORD]: "update", ...attributes })}::text::jsonb, ${OWN_RESOURCE_ID}::uuid, clock_timestamp()
    FROM (
      SELECT greatest(least(clock_timestamp(), ${call.startTime}::text::timestamptz + ${WITHIN}::interval), max(start_time) + interval '1 microsecond') AS at
      FROM ${tx(schema)}.spans WHERE project_id = ${projectId} AND trace_id = ${traceId} AND parent_span_id = ${spanId} AND attributes ->> ${RECORD} = 'update'
    ) AS latest
    RETURNING (extract(epoch FROM start_time) * 1000)::float8 AS millis`;
  return written.millis;
}
