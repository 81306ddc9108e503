import { RequestError } from "../../base/request-error.ts";
import { isUuid } from "../../base/uuid.ts";
import type { Ask, Reader } from "../reader.ts";
import { sql } from "../sql.ts";
import { ITEM_COLUMNS, type ItemSummary } from "./list.ts";

/** Exactly what one generation of an item was asked and answered. */
export interface SentenceTexts {
  readonly prompt_text: string | null;
  readonly content: string | null;
  readonly reasoning_content: string | null;
  readonly system_instructions: string | null;
}

/** generation_trace as it is stored, with the texts of its generations. */
export interface FullTrace {
  readonly sentences: readonly (Readonly<Record<string, unknown>> & Partial<SentenceTexts>)[];
  readonly [key: string]: unknown;
}

export interface ItemDetail extends ItemSummary {
  readonly generation_trace: FullTrace;
  readonly review: unknown;
  readonly updated_at: string;
}

interface ItemRow extends ItemSummary {
  readonly generation_trace: { readonly sentences?: readonly Readonly<Record<string, unknown>>[] } | null;
  readonly review: unknown;
  readonly updated_at: string;
}

/** Generations whose texts one answer holds; the others stand there without. */
const MAX_TEXTS = 200;

/** One item by its uuid or its application's id, with prompts, answers and reasoning of its generations. */
export const readItem = (reader: Reader, projectId: number, id: string): Promise<ItemDetail> =>
  reader.read({ projectId }, async (ask) => {
    const uuid = isUuid(id) ? id : null;
    const [item] = await ask<ItemRow>(sql`
      SELECT ${ITEM_COLUMNS}, title AS whole_title, generation_trace, review, updated_at FROM generation_items
      WHERE project_id = ${projectId} AND (id = ${uuid}::uuid OR item_id = ${id})`);
    if (item === undefined) throw new RequestError("not_found", "there is no such item");
    const sentences = item.generation_trace?.sentences ?? [];
    const texts = await readTexts(ask, projectId, item.item_id);
    const full = sentences.map((sentence) => ({ ...sentence, ...texts.get(String(sentence["generation_id"])) }));
    return { ...item, generation_trace: { ...item.generation_trace, sentences: full } };
  });

async function readTexts(ask: Ask, projectId: number, itemId: string): Promise<Map<string, SentenceTexts>> {
  const rows = await ask<SentenceTexts & { readonly id: string }>(sql`
    SELECT id, prompt_full_text AS prompt_text, response_full_text AS content, reasoning_content, system_instructions FROM generation_logs
    WHERE project_id = ${projectId} AND item_id = ${itemId} ORDER BY start_time, trace_id, span_id LIMIT ${MAX_TEXTS}`);
  return new Map(rows.map(({ id, ...texts }) => [id, texts]));
}
