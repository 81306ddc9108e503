import { z } from "@hono/zod-openapi";
import { RULE_TARGETS } from "../quality/rules.ts";
import { exactNumber, time } from "./schemas.ts";

/** Shapes of answers about items and the rules that judge them. */

const text = z.string().nullable();
const count = exactNumber.nullable();
const float = z.number().nullable();

const summary = {
  id: z.guid(),
  item_id: z.string(),
  kind: text,
  title: text,
  status: text,
  created_at: time,
  completed_at: time.nullable(),
  model: text,
  prompt_version: text,
  total_input_tokens: count,
  total_output_tokens: count,
  total_reasoning_tokens: count,
  total_tokens: count,
  generations_count: float,
  quality_status: text,
  quality_issues: z.unknown(),
  error_message: text,
  entity_type: text,
  entity_id: text,
  run_id: text,
  environment: text,
  trace_id: text,
};

export const ItemSummary = z.object(summary).openapi("ItemSummary");

export const ItemDetail = z
  .object({
    ...summary,
    generation_trace: z
      .looseObject({ sentences: z.array(z.looseObject({ generation_id: z.string() })) })
      .openapi({ description: "the stored generation_trace, with prompt_text, content and reasoning_content of each generation" }),
    review: z.looseObject({}).nullable(),
    updated_at: time,
  })
  .openapi("Item");

const figures = {
  items: exactNumber,
  generations: count,
  failed: exactNumber,
  total_tokens: count,
  total_reasoning_tokens: count,
  avg_tokens: float,
  avg_reasoning_tokens: float,
  max_tokens: count,
  pending_review: exactNumber,
  approved: exactNumber,
  rejected: exactNumber,
  approval_rate: float.openapi({ description: "approved of those that were judged" }),
  with_issues: exactNumber,
};

export const ItemStats = z
  .object({
    ...figures,
    by: z.string(),
    groups: z.array(z.object({ name: text, ...figures })),
    issues: z.array(z.object({ issue: z.string(), items: exactNumber })),
  })
  .openapi("ItemStats");

export const ItemIssues = z
  .object({
    ...summary,
    findings: z.array(z.object({ issue: z.string(), target: z.enum(RULE_TARGETS), excerpt: z.string(), generation_id: z.string() })),
  })
  .openapi("ItemIssues");

export const QualityRule = z
  .object({
    name: z.string(),
    target: z.enum(RULE_TARGETS),
    pattern: text.openapi({ description: "in RE2's syntax; null for a built-in rule" }),
    marks: z.boolean().openapi({ description: "whether a call without a judgement becomes pending_review when the rule sees something" }),
    built_in: z.boolean(),
    description: text,
  })
  .openapi("QualityRule");
