import { readableText } from "../../quality/message-text.ts";
import type { Finding, Judge } from "../../quality/rules.ts";
import { readPage } from "../filter/page.ts";
import type { Filter } from "../filter/parse.ts";
import type { Ask, Reader } from "../reader.ts";
import { sql } from "../sql.ts";
import { ITEM_COLUMNS, type ItemSummary } from "./list.ts";

export interface ItemFinding extends Finding {
  readonly generation_id: string;
}

/** An item with what is wrong with it. */
export interface ItemIssues extends ItemSummary {
  readonly findings: readonly ItemFinding[];
}

export interface IssuesPage {
  readonly data: readonly ItemIssues[];
  /** Cursor of the items that were not looked at yet; null at the end. */
  readonly next: string | null;
  /** Items that this page looked at. */
  readonly looked_at: number;
}

export interface IssuesQuestion {
  /** Its limit is how many items one page looks at. */
  readonly filter: Filter;
  readonly judge: Judge;
}

/** Generations of one item that are looked at. */
const MAX_GENERATIONS = 200;

/**
 * Items with something wrong: an issue that was noted, a failure, or one that the rules see in answers and reasoning now. An item that the filter names by its
 * quality is listed in any case.
 */
export const findIssues = (reader: Reader, projectId: number, { filter, judge }: IssuesQuestion): Promise<IssuesPage> =>
  reader.read({ projectId }, async (ask) => {
    const page = await readPage<ItemSummary>(ask, { projectId, filter, columns: ITEM_COLUMNS });
    const found = await findingsOf(ask, { projectId, judge, itemIds: page.data.map(({ item_id }) => item_id) });
    const named = filter.terms.some(({ key, negated }) => key === "quality" && !negated);
    const data = page.data
      .map((item) => ({ ...item, findings: found.get(item.item_id) ?? [] }))
      .filter((item) => named || item.findings.length > 0 || item.status === "failed" || hasIssues(item.quality_issues));
    return { data, next: page.next, looked_at: page.data.length };
  });

const hasIssues = (issues: unknown): boolean => Array.isArray(issues) && issues.length > 0;

interface Texts {
  readonly id: string;
  readonly item_id: string;
  readonly generation_status: string;
  readonly response_full_text: string | null;
  readonly response_format: string | null;
  readonly reasoning_content: string | null;
  readonly response_finish_reason: string | null;
  readonly content_state: string | null;
}

interface Judging {
  readonly projectId: number;
  readonly judge: Judge;
  readonly itemIds: readonly string[];
}

async function findingsOf(ask: Ask, { projectId, judge, itemIds }: Judging): Promise<Map<string, ItemFinding[]>> {
  const rows = await ask<Texts>(sql`
    SELECT t.* FROM unnest(${itemIds}::text[]) AS wanted (item_id), LATERAL (
      SELECT id, item_id, generation_status, response_full_text, response_format, reasoning_content, response_finish_reason, content_state
      FROM generation_logs g WHERE g.project_id = ${projectId} AND g.item_id = wanted.item_id ORDER BY start_time, trace_id, span_id LIMIT ${MAX_GENERATIONS}
    ) AS t`);
  const found = new Map<string, ItemFinding[]>();
  for (const row of rows) {
    const findings = judge(judgedOf(row)).map((finding) => ({ ...finding, generation_id: row.id }));
    if (findings.length > 0) found.set(row.item_id, [...(found.get(row.item_id) ?? []), ...findings]);
  }
  return found;
}

/** What the rules look at. A call that failed or still runs has no answer to judge. */
export function judgedOf(row: Omit<Texts, "id" | "item_id">) {
  return {
    output: readableText(row.response_full_text, row.response_format),
    reasoning: row.reasoning_content ?? "",
    finishReason: row.response_finish_reason,
    hasContent: row.generation_status === "success" && row.content_state === "captured",
  };
}
