import * as A from "../../sdk/attributes.ts";
import { problemTrace, type SentenceGenerationTrace } from "../../sdk/items/problem-trace.ts";
import { isObject, type Json, openJson, stringOf } from "../dialects/json.ts";
import { shortIdentifier } from "../rows/values.ts";
import { type Belonging, isItemRecord, itemIdOf } from "./belonging.ts";
import type { ChildSpan } from "./facts.ts";
import { updatesOf } from "./updates.ts";

/** What the record of an item said about it, kept as generation_items.told. Times are PostgreSQL's text. */
export interface ItemTold {
  readonly kind?: string;
  readonly title?: string;
  readonly status?: "completed" | "failed";
  readonly created_at: string;
  readonly completed_at?: string;
  readonly error_message?: string;
  readonly prompt_version?: string;
  readonly model?: string;
  readonly quality_status?: string;
  readonly quality_issues?: Json;
  readonly entity_type?: string;
  readonly entity_id?: string;
  readonly environment?: string;
  readonly run_id?: string;
  readonly trace_id?: string;
  readonly span_id?: string;
  readonly metadata?: Json;
  /** Totals that an import brought; those of stored generations stand above them. */
  readonly total_input_tokens?: Count;
  readonly total_output_tokens?: Count;
  readonly total_reasoning_tokens?: Count;
  readonly total_tokens?: Count;
}

export interface ItemRecord {
  readonly itemId: string;
  readonly told: ItemTold;
}

/** The items whose records lie in one trace, with what updates said about them later. */
export function itemRecords(traceId: string, children: readonly ChildSpan[], belonging: Belonging): ItemRecord[] {
  const below = Map.groupBy(children, ({ parentSpanId }) => parentSpanId);
  return children.filter(isItemRecord).map((span) => ({
    itemId: itemIdOf(span, traceId),
    told: {
      ...toldBy(span, traceId, belonging),
      ...Object.assign({}, ...[...updatesOf(below.get(span.spanId) ?? []).values()].map(({ columns }) => ofItem(columns))),
    },
  }));
}

function toldBy(span: ChildSpan, traceId: string, belonging: Belonging): ItemTold {
  const { attributes } = span;
  const text = (name: string): string | undefined => stringOf(attributes[name]);
  const identifier = (name: string): string | undefined => {
    const value = attributes[name];
    const found = typeof value === "number" ? String(value) : stringOf(value);
    return found === undefined ? undefined : shortIdentifier(found);
  };
  const metadata = openJson(attributes[A.GENSPAN_ITEM_METADATA]);
  return {
    status: span.failed ? "failed" : "completed",
    created_at: span.startTime,
    trace_id: traceId,
    span_id: span.spanId,
    ...defined({
      completed_at: span.endTime,
      kind: text(A.GENSPAN_ITEM_KIND),
      title: text(A.GENSPAN_ITEM_TITLE),
      error_message: span.failed ? (span.statusMessage ?? text(A.ERROR_TYPE)) : undefined,
      prompt_version: text(A.GEN_AI_PROMPT_VERSION),
      model: text(A.GEN_AI_REQUEST_MODEL),
      quality_status: text(A.GENSPAN_QUALITY_STATUS),
      quality_issues: issuesOf(attributes[A.GENSPAN_QUALITY_ISSUES]),
      entity_type: identifier(A.GENSPAN_ENTITY_TYPE),
      entity_id: identifier(A.GENSPAN_ENTITY_ID),
      environment: span.environment,
      run_id: identifier(A.GENSPAN_RUN_ID) ?? belonging.runOf(span.spanId)?.id,
      metadata: metadata === null ? undefined : metadata,
    }),
  };
}

const defined = <T extends object>(values: T): { [K in keyof T]?: NonNullable<T[K]> } =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: NonNullable<T[K]> };

/** Of the columns that updates set, those that an item has. */
const ITEM_COLUMNS: ReadonlySet<string> = new Set(["quality_status", "quality_issues", "entity_type", "entity_id", "run_id"]);

const ofItem = (columns: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(columns).flatMap(([name, value]) => {
      if (!ITEM_COLUMNS.has(name)) return [];
      return [[name, name === "quality_issues" ? issuesOf(value) : value]];
    }),
  );

function issuesOf(value: Json): Json {
  const opened = openJson(value);
  if (opened === undefined || opened === null || opened === "") return undefined;
  return Array.isArray(opened) || isObject(opened) ? opened : [opened];
}

/** A number of tokens; text where a double cannot hold it. */
export type Count = number | string;

/** One generation of an item, as the aggregation needs it: a row of generation_logs without its texts. */
export interface ItemGeneration {
  readonly id: string;
  readonly index: number | undefined;
  readonly model: string | undefined;
  readonly response_model: string | undefined;
  readonly prompt_version: string | undefined;
  readonly prompt_name: string | undefined;
  readonly response_id: string | undefined;
  readonly input_tokens: Count | undefined;
  readonly output_tokens: Count | undefined;
  readonly reasoning_tokens: Count | undefined;
  readonly total_tokens: Count | undefined;
  readonly duration_ms: number | undefined;
  readonly status: string;
  readonly finish_reason: string | undefined;
  readonly error_message: string | undefined;
  readonly quality_status: string | undefined;
  readonly quality_issues: Json;
}

/** What the generations of an item say together; sums over all of them, `generations` at most the first thousand. */
export interface ItemGenerations {
  readonly count: number;
  readonly inputTokens: Count | undefined;
  readonly outputTokens: Count | undefined;
  readonly reasoningTokens: Count | undefined;
  readonly totalTokens: Count | undefined;
  readonly statuses: readonly string[];
  readonly first: { readonly created_at: string; readonly trace_id: string } & Partial<
    Record<"entity_type" | "entity_id" | "environment" | "run_id", string>
  >;
  readonly generations: readonly ItemGeneration[];
}

/** A person's judgement of an item; it outlives whatever telemetry says later. */
export interface ItemReview {
  readonly status: string;
  readonly issues?: Json;
}

/** One row of generation_items, by column. */
export interface ItemRow {
  readonly created_at: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/** Of several judgements of its parts, the one that a whole is judged by. */
const WORST_FIRST = ["rejected", "pending_review", "approved"] as const;

/**
 * The row of an item: what its own record told, totals over the generations that name it, and a review over both. An item that no record told of is made
 * of its generations alone. Undefined where there is neither.
 */
export function itemRow(
  told: ItemTold | undefined,
  made: ItemGenerations | undefined,
  review: ItemReview | undefined,
): ItemRow | undefined {
  const created_at = told?.created_at ?? made?.first.created_at;
  if (created_at === undefined) return undefined;
  const generations = made?.generations ?? [];
  const parts = distinct(made?.statuses ?? []);
  const judged = WORST_FIRST.find((status) => parts.includes(status) && (status !== "approved" || parts.length === 1));
  const quality_status = review?.status ?? told?.quality_status ?? judged;
  const quality_issues = review?.issues ?? told?.quality_issues ?? issuesOfParts(generations);
  const trace = problemTrace({ prompt_version: told?.prompt_version ?? null }, generations.map(sentence));
  const shared = {
    model: told?.model ?? trace.model ?? undefined,
    prompt_version: trace.prompt_version ?? undefined,
    total_input_tokens: made?.inputTokens ?? told?.total_input_tokens,
    total_output_tokens: made?.outputTokens ?? told?.total_output_tokens,
    total_reasoning_tokens: made?.reasoningTokens ?? told?.total_reasoning_tokens,
    total_tokens: made?.totalTokens ?? told?.total_tokens,
    quality_status,
    quality_issues,
  };
  return {
    created_at,
    values: {
      kind: told?.kind,
      title: told?.title,
      ...shared,
      status: told?.status,
      error_message: told?.error_message,
      completed_at: told?.completed_at,
      generations_count: made?.count ?? 0,
      generation_trace: {
        ...withNulls(shared),
        quality_issues: quality_issues ?? [],
        metadata: told?.metadata ?? null,
        sentences: trace.sentences.map(withoutTexts),
      },
      entity_type: told?.entity_type ?? made?.first.entity_type,
      entity_id: told?.entity_id ?? made?.first.entity_id,
      environment: told?.environment ?? made?.first.environment,
      run_id: told?.run_id ?? made?.first.run_id,
      trace_id: told?.trace_id ?? made?.first.trace_id,
      span_id: told?.span_id,
    },
  };
}

const withNulls = <T extends object>(values: T): { [K in keyof T]: T[K] | null } =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [key, value ?? null])) as { [K in keyof T]: T[K] | null };

/** As the application's own aggregation knows it. */
function sentence(generation: ItemGeneration, place: number): SentenceGenerationTrace {
  const { id, index, quality_status: _status, quality_issues: _issues, ...rest } = generation;
  const texts = { prompt_text: null, content: null, reasoning_content: null };
  return { index: index ?? place, generation_id: id, ...texts, ...withNulls(rest) } as SentenceGenerationTrace;
}

/** Texts stay with their generation, which `generation_id` names: large text is stored once. */
function withoutTexts({
  prompt_text: _prompt,
  content: _content,
  reasoning_content: _reasoning,
  ...rest
}: SentenceGenerationTrace): object {
  return rest;
}

const distinct = <T>(values: readonly T[]): T[] => [...new Set(values)];

function issuesOfParts(generations: readonly ItemGeneration[]): Json {
  const issues = generations.flatMap(({ quality_issues }) => (Array.isArray(quality_issues) ? (quality_issues as Json[]) : []));
  return issues.length === 0 ? undefined : [...new Map(issues.map((issue) => [JSON.stringify(issue), issue])).values()];
}
