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
  readonly trace_id: string | null;
  readonly created_ms: number;
}

/**
 * Judges an item, or with undefined takes the judgement back. It stands above what telemetry says about the item's quality, now and later. Throws `not_found`,
 * and `bad_request` for a rejection without an issue or a note.
 */
export async function reviewItem(context: CommandContext, id: string, review: ItemReview | undefined): Promise<void> {
  const { writer, refine, projectId, actor } = context;
  const { sql, schema } = writer;
  if (review?.status === "rejected" && (review.issues ?? []).length === 0 && (review.note ?? "") === "") {
    throw new RequestError("bad_request", "say why it is rejected: an issue or a note");
  }
  const item = await sql.begin(async (tx) => {
    const uuid = isUuid(id) ? id : null;
    const [found] = await tx<FoundItem[]>`
      SELECT id, trace_id, (extract(epoch FROM created_at) * 1000)::float8 AS created_ms FROM ${tx(schema)}.generation_items
      WHERE project_id = ${projectId} AND (id = ${uuid}::uuid OR item_id = ${id}) FOR UPDATE`;
    if (found === undefined) throw new RequestError("not_found", "there is no such item");
    const now = new Date();
    const { reviewer, ...said } = review ?? { reviewer: actor };
    const stored = review === undefined ? null : tx.json({ ...said, by: reviewer, at: now.toISOString() } as never);
    const judged = review === undefined ? tx`, ${asTold(tx)}` : tx`, ${judgement(tx, review)}`;
    await tx`UPDATE ${tx(schema)}.generation_items SET review = ${stored}, updated_at = ${now} ${judged} WHERE project_id = ${projectId} AND id = ${found.id}`;
    const details = review === undefined ? {} : { status: review.status, issues: review.issues ?? [], reviewer };
    await audit(tx, schema, {
      projectId,
      actor,
      action: review === undefined ? "item.review.undo" : "item.review",
      subject: `item:${found.id}`,
      details,
    });
    return found;
  });
  // Without the review, the columns follow again from what records and calls say.
  if (item.trace_id !== null) {
    await refine({ projectId, traceId: item.trace_id, fromMillis: item.created_ms, toMillis: item.created_ms });
  }
}

/** What the item's own record said; judgements of its calls come in by the look at its trace. */
const asTold = (tx: TransactionSql) => tx`quality_status = told ->> 'quality_status', quality_issues = told -> 'quality_issues'`;

/** The columns that a judgement changes at once: an item that was imported has no trace from which they could follow. */
function judgement(tx: TransactionSql, { status, issues }: ItemReview) {
  const changed = JSON.stringify({ quality_status: status, ...(issues === undefined ? {} : { quality_issues: issues }) });
  return tx`quality_status = ${status}, quality_issues = coalesce(${changed}::text::jsonb -> 'quality_issues', quality_issues),
    generation_trace = generation_trace || ${changed}::text::jsonb`;
}
