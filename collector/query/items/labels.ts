import { readCursor } from "../filter/cursor.ts";
import { readPage } from "../filter/page.ts";
import type { Filter } from "../filter/parse.ts";
import type { Reader } from "../reader.ts";
import { sql } from "../sql.ts";

/** One judged item as an example for a judge: what was asked, thought and answered, and what people made of it. */
export interface LabelledItem {
  readonly id: string;
  readonly item_id: string;
  readonly kind: string | null;
  readonly title: string | null;
  readonly label: "approved" | "rejected";
  readonly issues: readonly unknown[];
  readonly score: number | null;
  readonly note: string | null;
  readonly model: string | null;
  readonly prompt_version: string | null;
  readonly generations: readonly LabelledGeneration[];
}

export interface LabelledGeneration {
  readonly id: string;
  readonly model: string | null;
  readonly system: string | null;
  readonly prompt: string | null;
  readonly reasoning: string | null;
  readonly output: string | null;
}

const PAGE_ITEMS = 100;
const MAX_GENERATIONS = 200;

/** Every approved or rejected item that a filter selects, a page at a time. */
export async function* labelledItems(reader: Reader, projectId: number, filter: Filter): AsyncGenerator<readonly LabelledItem[]> {
  let page: Filter = { ...filter, limit: PAGE_ITEMS };
  for (;;) {
    const { data, after } = await reader.read({ projectId }, async (ask) => {
      const rows = await readPage<LabelledItem>(ask, {
        projectId,
        filter: page,
        columns: sql`id, item_id, kind, title, quality_status AS label, coalesce(quality_issues, '[]') AS issues, (review ->> 'score')::float8 AS score,
          review ->> 'note' AS note, model, prompt_version, (
          SELECT coalesce(jsonb_agg(jsonb_build_object('id', g.id, 'model', g.model_name, 'system', g.system_instructions, 'prompt', g.prompt_full_text,
            'reasoning', g.reasoning_content, 'output', g.response_full_text) ORDER BY g.start_time, g.trace_id, g.span_id), '[]')
          FROM (SELECT * FROM generation_logs l WHERE l.project_id = ${projectId} AND l.item_id = page.item_id
            ORDER BY l.start_time, l.trace_id, l.span_id LIMIT ${MAX_GENERATIONS}) AS g) AS generations`,
      });
      return { data: rows.data, after: rows.next };
    });
    const judged = data.filter(({ label }) => label === "approved" || label === "rejected");
    if (judged.length > 0) yield judged;
    if (after === null) return;
    page = { ...page, after: readCursor(after, page) };
  }
}
