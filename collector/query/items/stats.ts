import type { ExactNumber } from "../exact.ts";
import { conditionsOf } from "../filter/conditions.ts";
import type { Filter } from "../filter/parse.ts";
import type { Reader } from "../reader.ts";
import { type Fragment, sql } from "../sql.ts";

/** What items can be grouped by. */
export const ITEM_GROUPS = {
  model: sql`model`,
  version: sql`prompt_version`,
  kind: sql`kind`,
  quality: sql`quality_status`,
  status: sql`status`,
  run: sql`run_id`,
  day: sql`to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')`,
} as const;

export type ItemGroup = keyof typeof ITEM_GROUPS;

export interface ItemFigures {
  readonly items: ExactNumber;
  readonly generations: ExactNumber | null;
  readonly failed: ExactNumber;
  readonly total_tokens: ExactNumber | null;
  readonly total_reasoning_tokens: ExactNumber | null;
  readonly avg_tokens: number | null;
  readonly avg_reasoning_tokens: number | null;
  readonly max_tokens: ExactNumber | null;
  readonly pending_review: ExactNumber;
  readonly approved: ExactNumber;
  readonly rejected: ExactNumber;
  /** Approved of those that were judged. */
  readonly approval_rate: number | null;
  readonly with_issues: ExactNumber;
}

export interface ItemStats extends ItemFigures {
  readonly by: ItemGroup;
  readonly groups: readonly (ItemFigures & { readonly name: string | null })[];
  readonly issues: readonly { readonly issue: string; readonly items: ExactNumber }[];
}

const FIGURES: Fragment = sql`count(*) AS items, sum(generations_count) AS generations, count(*) FILTER (WHERE status = 'failed') AS failed,
  sum(total_tokens) AS total_tokens, sum(total_reasoning_tokens) AS total_reasoning_tokens, avg(total_tokens)::float8 AS avg_tokens,
  avg(total_reasoning_tokens)::float8 AS avg_reasoning_tokens, max(total_tokens) AS max_tokens,
  count(*) FILTER (WHERE quality_status = 'pending_review') AS pending_review, count(*) FILTER (WHERE quality_status = 'approved') AS approved,
  count(*) FILTER (WHERE quality_status = 'rejected') AS rejected,
  (count(*) FILTER (WHERE quality_status = 'approved'))::float8 / nullif(count(*) FILTER (WHERE quality_status IN ('approved', 'rejected')), 0) AS approval_rate,
  count(*) FILTER (WHERE jsonb_typeof(quality_issues) = 'array' AND quality_issues <> '[]') AS with_issues`;

/** Tokens and judgements of many items, in all and by group; the groups with the most items first. */
export const itemStats = (reader: Reader, projectId: number, { filter, by }: { filter: Filter; by: ItemGroup }): Promise<ItemStats> =>
  reader.read({ projectId }, async (ask) => {
    const rows = sql`generation_items WHERE project_id = ${projectId} AND (${conditionsOf(filter)})`;
    const [all] = await ask<ItemFigures>(sql`SELECT ${FIGURES} FROM ${rows}`);
    const order = by === "day" ? sql`1 DESC` : sql`count(*) DESC, 1`;
    const found = await ask<ItemFigures & { name: string | null }>(
      sql`SELECT ${ITEM_GROUPS[by]} AS name, ${FIGURES} FROM ${rows} GROUP BY 1 ORDER BY ${order} LIMIT 1000`,
    );
    // The last days where there are too many.
    const groups = by === "day" ? found.toReversed() : found;
    const issues = await ask<{ issue: string; items: ExactNumber }>(sql`
      SELECT issue, count(*) AS items FROM (SELECT quality_issues FROM ${rows} AND jsonb_typeof(quality_issues) = 'array') AS noted,
        jsonb_array_elements_text(quality_issues) AS issue GROUP BY issue ORDER BY items DESC, issue LIMIT 1000`);
    return { ...all!, by, groups, issues };
  });
