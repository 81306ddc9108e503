import type { TransactionSql } from "postgres";
import { RequestError } from "../../base/request-error.ts";
import { type CallIds, type CallState, type Change, type CommandContext, changeCall, subjectOf } from "./change.ts";

export const REVIEW_STATUSES = ["pending_review", "approved", "rejected"] as const;
export type ReviewStatus = (typeof REVIEW_STATUSES)[number];

/** A person's judgement of one call. */
export interface Review {
  readonly status: ReviewStatus;
  /** What is wrong, in short tags. */
  readonly issues?: readonly string[];
  readonly note?: string;
  readonly score?: number;
  readonly reviewer: string;
}

const REVIEW = "generation.review";
const UNDO = "generation.review.undo";

/** What a review changes, before or after it. */
interface Judgement {
  readonly quality_status: string | null;
  readonly quality_issues: readonly string[] | null;
  readonly quality_score: number | null;
}

/**
 * How the call is judged now. Its row is brought in line after the transaction of a review, so of two reviews at once the second one would still find it as
 * it was before the first: the latest record below the call's span knows.
 */
async function judgementOf(tx: TransactionSql, { context, ids, call }: Judged): Promise<Judgement> {
  const { writer, projectId } = context;
  const [latest] = await tx<{ told: Readonly<Record<string, unknown>> }[]>`
    SELECT attributes AS told FROM ${tx(writer.schema)}.spans
    WHERE project_id = ${projectId} AND trace_id = ${ids.traceId} AND parent_span_id = ${ids.spanId} AND attributes ->> 'genspan.record' = 'update'
      AND jsonb_exists(attributes, ${STATUS}) AND start_time < ${call.startTime}::text::timestamptz + interval '1 day' ORDER BY start_time DESC LIMIT 1`;
  const { told = {} } = latest ?? {};
  const known = <T>(attribute: string, stored: T): T => (Object.hasOwn(told, attribute) ? (told[attribute] as T) : stored);
  const issues = known(ISSUES, call.quality_issues);
  return {
    quality_status: known(STATUS, call.quality_status),
    quality_issues: Array.isArray(issues) ? issues.map(String) : null,
    quality_score: known(SCORE, call.quality_score),
  };
}

interface Judged {
  readonly context: CommandContext;
  readonly ids: CallIds;
  readonly call: CallState;
}

const STATUS = "genspan.quality.status";
const ISSUES = "genspan.quality.issues";
const SCORE = "genspan.quality.score";

const attributesOf = (judgement: Judgement, by: string): Change["attributes"] => ({
  [STATUS]: judgement.quality_status,
  [ISSUES]: judgement.quality_issues,
  [SCORE]: judgement.quality_score,
  "genspan.quality.by": by,
});

/** Judges a call, or sends it back to be judged. A rejection says why. The judgement is also a score, so that several stay side by side. */
export async function reviewCall(context: CommandContext, ids: CallIds, review: Review): Promise<void> {
  if (review.status === "rejected" && (review.issues ?? []).length === 0 && (review.note ?? "").trim() === "")
    throw new RequestError("bad_request", "a rejection needs an issue or a note: say what is wrong");
  await changeCall(context, ids, async (call, tx) => {
    const before = await judgementOf(tx, { context, ids, call });
    const after: Judgement = {
      quality_status: review.status,
      quality_issues: review.issues ?? before.quality_issues,
      quality_score: review.score ?? before.quality_score,
    };
    return {
      attributes: attributesOf(after, review.reviewer),
      action: REVIEW,
      details: { before, after, reviewer: review.reviewer, ...(review.note === undefined ? {} : { note: review.note }) },
      also: async (writing, auditId) => {
        if (review.status !== "pending_review") await writeScore(writing, { context, ids, review, id: auditId });
        await releaseClaim(writing, context, ids);
      },
    };
  });
}

/** Takes the latest review back that was not taken back yet: the call is again as it was before. */
export async function undoReview(context: CommandContext, ids: CallIds): Promise<void> {
  const { writer, projectId, actor } = context;
  await changeCall(context, ids, async (_call, tx) => {
    const [last] = await tx<{ id: string; before: Judgement }[]>`
      SELECT id, details -> 'before' AS before FROM ${tx(writer.schema)}.audit_log a
      WHERE project_id = ${projectId} AND subject = ${subjectOf(ids)} AND action = ${REVIEW} AND NOT EXISTS (
        SELECT FROM ${tx(writer.schema)}.audit_log u WHERE u.project_id = a.project_id AND u.subject = a.subject AND u.action = ${UNDO}
          AND u.details ->> 'undoes' = a.id::text)
      ORDER BY "time" DESC LIMIT 1`;
    if (last === undefined) throw new RequestError("conflict", "there is no review of this call that could be taken back");
    return {
      attributes: attributesOf(last.before, actor),
      action: UNDO,
      details: { undoes: last.id, after: last.before },
      also: async (undoing) => {
        await undoing`DELETE FROM ${undoing(writer.schema)}.generation_scores
          WHERE project_id = ${projectId} AND trace_id = ${ids.traceId} AND span_id = ${ids.spanId} AND id = ${last.id}`;
      },
    };
  });
}

interface Scoring {
  readonly context: CommandContext;
  readonly ids: CallIds;
  readonly review: Review;
  /** The audit entry's, so that undoing finds it. */
  readonly id: string;
}

async function writeScore(tx: TransactionSql, { context, ids, review, id }: Scoring): Promise<void> {
  await tx`INSERT INTO ${tx(context.writer.schema)}.generation_scores
      (project_id, trace_id, span_id, "time", id, name, value, label, explanation, source, scored_by, received_at)
    VALUES (${context.projectId}, ${ids.traceId}, ${ids.spanId}, clock_timestamp(), ${id}, 'review', ${review.score ?? null}, ${review.status},
      ${review.note ?? review.issues?.join(", ") ?? null}, 'review', ${review.reviewer}, clock_timestamp())`;
}

const CLAIM = "10 minutes";

/** Claims a call for ten minutes. False where somebody else has it. */
export async function claimCall({ writer, projectId }: CommandContext, { traceId, spanId }: CallIds, reviewer: string): Promise<boolean> {
  const { sql, schema } = writer;
  const claimed = await sql`
    INSERT INTO ${sql(schema)}.review_claims AS c (project_id, trace_id, span_id, claimed_by, expires_at)
    VALUES (${projectId}, ${traceId}, ${spanId}, ${reviewer}, clock_timestamp() + ${CLAIM}::interval)
    ON CONFLICT (project_id, trace_id, span_id) DO UPDATE SET claimed_by = excluded.claimed_by, expires_at = excluded.expires_at
    WHERE c.claimed_by = excluded.claimed_by OR c.expires_at <= clock_timestamp()
    RETURNING 1`;
  return claimed.length === 1;
}

async function releaseClaim(tx: TransactionSql, { writer, projectId }: CommandContext, { traceId, spanId }: CallIds): Promise<void> {
  await tx`DELETE FROM ${tx(writer.schema)}.review_claims WHERE project_id = ${projectId} AND trace_id = ${traceId} AND span_id = ${spanId}`;
}
