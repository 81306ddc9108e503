import { entityKey, type FilterKey, maximumKey, minimumKey, type Noun, projectKey, propertyKey, textKey } from "../filter/noun.ts";
import { or, sql } from "../sql.ts";

/** Text compared with something else than a column. */
const textValue = textKey("kind", "").value;

const issueKey: FilterKey = {
  value: textValue,
  description: "an issue that was noted",
  where: (values) => or(values.map((value) => sql`jsonb_exists(quality_issues, ${String(value)}::text)`)),
};

const itemKey: FilterKey = {
  value: textValue,
  description: "the item itself, by its id",
  where: (values) => sql`item_id = ANY(${values.map(String)}::text[])`,
};

const HAS = {
  reasoning: sql`total_reasoning_tokens > 0`,
  issues: sql`jsonb_typeof(quality_issues) = 'array' AND quality_issues <> '[]'`,
  generations: sql`generations_count > 0`,
  review: sql`review IS NOT NULL`,
};

/** Things that several model calls made together: one row each of generation_items. */
export const ITEMS: Noun = {
  name: "items",
  from: sql`generation_items`,
  time: sql`created_at`,
  identity: [sql`id::text`],
  keys: {
    kind: textKey("kind", "what it is: problem, lesson …"),
    status: textKey("status", "completed or failed"),
    env: textKey("environment", "deployment environment"),
    project: projectKey,
    model: textKey("model", "model that made most of it"),
    version: textKey("prompt_version", "version of the prompt"),
    run: textKey("run_id", "batch run"),
    item: itemKey,
    entity: entityKey("entity_type", "entity_id"),
    quality: textKey("quality_status", "state of its review, such as pending_review"),
    issue: issueKey,
    has: propertyKey(HAS, "what the item has"),
    min_tokens: minimumKey("total_tokens", "at least this many tokens in all", "whole"),
    max_tokens: maximumKey("total_tokens", "at most this many tokens in all", "whole"),
    min_reasoning: minimumKey("total_reasoning_tokens", "at least this many reasoning tokens", "whole"),
    max_reasoning: maximumKey("total_reasoning_tokens", "at most this many reasoning tokens", "whole"),
  },
  sorts: {
    tokens: { expression: sql`total_tokens`, type: "bigint" },
    reasoning: { expression: sql`total_reasoning_tokens`, type: "bigint" },
    generations: { expression: sql`generations_count`, type: "bigint" },
  },
  words: [sql`title`, sql`error_message`],
};
