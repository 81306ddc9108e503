import type { TransactionSql } from "postgres";
import { RequestError } from "../base/request-error.ts";
import { isUuid } from "../base/uuid.ts";
import { audit } from "./audit.ts";
import type { CommandContext } from "./generations/change.ts";

export const ITEM_REVIEW_STATUSES = ["pending_review", "approved", "rejected"] as const;

/** A person's judgement of an item; what is left out stays as it was told. */
export interface ItemReview {
  readonly status: (typeof ITEM_REVIEW_STATUSES)[number];
  readonly issues?: readonly string[];
  readonly score?: number;
  readonly note?: string;
  readonly reviewer: string;
}

interface FoundItem {
  readonly id: string;
  readonly review: StoredReview | null;
  readonly trace_id: string | null;
  readonly created_ms: number;
}

/** A judgement as the item keeps it. */
type StoredReview = Omit<ItemReview, "reviewer"> & { readonly by: string; readonly at: string };

const REVIEW = "item.review";
const UNDO = "item.review.undo";

/**
 * Judges an item, or with undefined takes the latest judgement back: the one before it stands again, if any. A judgement stands above what telemetry says about
 * the item's quality, now and later. Throws `not_found`, `conflict` where none is left to take back, and `bad_request` for a rejection without an issue or a note.
 */
export async function reviewItem(context: CommandContext, id: string, review: ItemReview | undefined): Promise<void> {
  const { writer, refine, projectId, actor } = context;
  const { sql, schema } = writer;
  if (review?.status === "rejected" && (review.issues ?? []).length === 0 && (review.note ?? "").trim() === "") {
    throw new RequestError("bad_request", "say why it is rejected: an issue or a note");
  }
  const item = await sql.begin(async (tx) => {
    const uuid = isUuid(id) ? id : null;
    const [found] = await tx<FoundItem[]>`
      SELECT id, trace_id, review, (extract(epoch FROM created_at) * 1000)::float8 AS created_ms FROM ${tx(schema)}.generation_items
      WHERE project_id = ${projectId} AND (id = ${uuid}::uuid OR item_id = ${id}) FOR UPDATE`;
    if (found === undefined) throw new RequestError("not_found", "there is no such item");
    const now = new Date();
    const subject = `item:${found.id}`;
    const { stored, action, details } =
      review === undefined
        ? await undoing(tx, context, { subject, current: found.review })
        : judging(review, { now, current: found.review });
    const columns = judged(tx, stored, review === undefined ? "told" : "as_is");
    await tx`UPDATE ${tx(schema)}.generation_items SET review = ${stored === null ? null : tx.json(stored as never)}, updated_at = ${now}, ${columns}
      WHERE project_id = ${projectId} AND id = ${found.id}`;
    await audit(tx, schema, { projectId, actor, action, subject, details });
    return found;
  });
  // Without the review, the columns follow again from what records and calls say.
  if (item.trace_id !== null) {
    await refine({ projectId, traceId: item.trace_id, fromMillis: item.created_ms, toMillis: item.created_ms });
  }
}

interface Judging {
  /** Null where telemetry alone says how good the item is. */
  readonly stored: StoredReview | null;
  readonly action: string;
  readonly details: object;
}

function judging(
  { reviewer, ...said }: ItemReview,
  { now, current }: { readonly now: Date; readonly current: StoredReview | null },
): Judging {
  const details = { status: said.status, issues: said.issues ?? [], reviewer, before: current };
  return { stored: { ...said, by: reviewer, at: now.toISOString() }, action: REVIEW, details };
}

async function undoing(
  tx: TransactionSql,
  { writer, projectId }: CommandContext,
  { subject, current }: { readonly subject: string; readonly current: StoredReview | null },
): Promise<Judging> {
  if (current === null) throw new RequestError("conflict", "there is no review of this item that could be taken back");
  const [last] = await tx<{ id: string; before: StoredReview | null }[]>`
    SELECT id, details -> 'before' AS before FROM ${tx(writer.schema)}.audit_log a
    WHERE project_id = ${projectId} AND subject = ${subject} AND action = ${REVIEW} AND NOT EXISTS (
      SELECT FROM ${tx(writer.schema)}.audit_log u WHERE u.project_id = a.project_id AND u.subject = a.subject AND u.action = ${UNDO}
        AND u.details ->> 'undoes' = a.id::text)
    ORDER BY "time" DESC LIMIT 1`;
  return { stored: last?.before ?? null, action: UNDO, details: last === undefined ? {} : { undoes: last.id } };
}

/**
 * The columns that a judgement changes at once, above what `ground` says where it says nothing: an item that was imported has no trace from which they could
 * follow.
 */
function judged(tx: TransactionSql, review: StoredReview | null, ground: "as_is" | "told") {
  const said = JSON.stringify(review === null ? {} : { status: review.status, issues: review.issues });
  const status = tx`coalesce(${said}::text::jsonb ->> 'status', ${ground === "told" ? tx`told ->> 'quality_status'` : tx`quality_status`})`;
  const issues = tx`coalesce(${said}::text::jsonb -> 'issues', ${ground === "told" ? tx`told -> 'quality_issues'` : tx`quality_issues`})`;
  return tx`quality_status = ${status}, quality_issues = ${issues}, generation_trace = generation_trace - 'quality_status' - 'quality_issues'
    || jsonb_strip_nulls(jsonb_build_object('quality_status', ${status}, 'quality_issues', ${issues}))`;
}
