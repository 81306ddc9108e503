import type { SpanView } from "../otlp/span-view.ts";
import type { Dialect } from "./dialect.ts";
import { attributeNamed, gatherFlattened } from "./flattened.ts";
import { type BuiltContent, builtOf, type GenerationDraft, hasConcept, supply, supplyContent, supplyTextOf } from "./generation-draft.ts";
import { at, isObject, type Json, type JsonObject, numberOf, openJson, stringOf } from "./json.ts";
import { messagesContent, toMessageList } from "./messages.ts";
import { readProviderResponse } from "./provider-answers.ts";
import { supplyRequestParameters } from "./request-parameters.ts";
import { sumOf, supplyCost } from "./sent-cost.ts";

const CALLS: ReadonlyMap<string, string> = new Map([
  ["generation", "chat"],
  ["embedding", "embeddings"],
]);

/** The Langfuse SDK: `langfuse.observation.*`, most of it JSON in strings; its counts are buckets of which none includes another. */
export const langfuse: Dialect = {
  name: "langfuse",
  signs: ["langfuse."],
  sources: {
    model: ["langfuse.observation.model.name"],
    promptName: ["langfuse.observation.prompt.name", "langfuse.prompt.name"],
    promptVersion: ["langfuse.observation.prompt.version", "langfuse.prompt.version"],
    userId: ["langfuse.user.id"],
    conversationId: ["langfuse.session.id"],
  },
  classify(view, draft) {
    const type = stringOf(attributeNamed(view, "langfuse.observation.type"))?.toLowerCase();
    if (type === undefined) return undefined;
    // Its first Python SDK said "span" for generations: the model tells.
    const callsItselfSpan = type === "span" && attributeNamed(view, "langfuse.observation.model.name") !== undefined;
    return CALLS.has(type) || callsItselfSpan || (type === "span" && hasConcept(draft, "operation") && hasConcept(draft, "model"))
      ? "call"
      : "wrapper";
  },
  complete(view, draft) {
    const type = stringOf(attributeNamed(view, "langfuse.observation.type"))?.toLowerCase() ?? "";
    supply(draft, "operation", CALLS.get(type) ?? "chat", "langfuse.observation.type");
    supplyRequestParameters(
      draft,
      openJson(attributeNamed(view, "langfuse.observation.model.parameters")),
      "langfuse.observation.model.parameters",
    );
    for (const [which, name, role] of CONTENT) supplyContent(draft, which, () => contentOf(attributeNamed(view, name), role), name);
    supplyUsage(view, draft);
    supplyCostDetails(view, draft);
    supplyFirstToken(view, draft);
    supplyEnding(view, draft);
    supplyMetadata(view, draft);
  },
};

const CONTENT = [
  ["prompt", "langfuse.observation.input", "user"],
  ["response", "langfuse.observation.output", "assistant"],
] as const;

/** Messages where they are some; a provider's answer; else the text as it was sent. */
function contentOf(value: Json, role: "user" | "assistant"): BuiltContent | undefined {
  const raw = typeof value === "string" ? value : value === undefined ? undefined : JSON.stringify(value);
  if (raw === undefined || raw === "") return undefined;
  const opened = openJson(raw);
  if (typeof opened === "string") return { text: opened, format: "text" };
  const answer = role === "assistant" ? readProviderResponse(opened) : undefined;
  if (answer !== undefined) return messagesContent(answer);
  return holdsMessages(opened) ? messagesContent(toMessageList(opened, role)) : { text: raw, format: "text" };
}

const holdsMessages = (value: Json): boolean => {
  if (Array.isArray(value))
    return (
      value.length > 0 && value.every((entry: Json) => isObject(entry) && (entry["role"] !== undefined || entry["type"] !== undefined))
    );
  return isObject(value) && (Array.isArray(value["messages"]) || value["role"] !== undefined);
};

const CACHE_READ = ["input_cached_tokens", "cache_read_input_tokens", "input_cache_read", "cached_tokens"];
const CACHE_WRITE = ["cache_creation_input_tokens", "input_cache_creation", "input_cache_write"];
const REASONING = ["output_reasoning_tokens", "output_reasoning", "reasoning_tokens", "reasoning"];

function supplyUsage(view: SpanView, draft: GenerationDraft): void {
  const usage = openJson(attributeNamed(view, "langfuse.observation.usage_details"));
  if (!isObject(usage)) return;
  const origin = "langfuse.observation.usage_details";
  supply(draft, "inputTokens", pick(usage, ["input", "prompt_tokens", "input_tokens"]), origin);
  supply(draft, "outputTokens", pick(usage, ["output", "completion_tokens", "output_tokens"]), origin);
  supply(draft, "totalTokens", pick(usage, ["total", "total_tokens"]), origin);
  const detail = (part: string, ...wholes: readonly string[]): number | undefined =>
    wholes.map((whole) => numberOf(at(usage, whole, part))).find((count) => count !== undefined);
  const read = pick(usage, CACHE_READ) ?? detail("cached_tokens", "prompt_tokens_details", "input_tokens_details");
  supply(draft, "cacheReadTokens", read, origin);
  supply(draft, "cacheWriteTokens", pick(usage, CACHE_WRITE), origin);
  const reasoning = pick(usage, REASONING) ?? detail("reasoning_tokens", "completion_tokens_details", "output_tokens_details");
  supply(draft, "reasoningTokens", reasoning, origin);
  // Where another source of the span gave the count, the buckets say nothing about it.
  if (draft.origins.get("inputTokens") === origin) draft.cacheOutsideInput = usage["input"] !== undefined || isAnthropic(usage);
  if (draft.origins.get("outputTokens") === origin) draft.reasoningOutsideOutput = usage["output"] !== undefined;
}

/** Counts of Anthropic's own answers, whose input excludes what was cached; OpenAI's have that within their details. */
const isAnthropic = (usage: JsonObject): boolean =>
  usage["input_tokens"] !== undefined &&
  (usage["cache_read_input_tokens"] !== undefined || usage["cache_creation_input_tokens"] !== undefined);

const pick = (usage: JsonObject, names: readonly string[]): number | undefined =>
  names.map((name) => numberOf(usage[name])).find((count) => count !== undefined);

/** The total, else the sum of its parts. */
function supplyCostDetails(view: SpanView, draft: GenerationDraft): void {
  const cost = openJson(attributeNamed(view, "langfuse.observation.cost_details"));
  if (!isObject(cost)) return;
  const parts = Object.values(cost)
    .map(numberOf)
    .filter((part) => part !== undefined);
  const total = numberOf(cost["total"]) ?? (parts.length > 0 ? sumOf(parts) : undefined);
  supplyCost(draft, total, "langfuse.observation.cost_details");
}

/** An absolute time, sometimes quoted twice. */
function supplyFirstToken(view: SpanView, draft: GenerationDraft): void {
  const text = openJson(attributeNamed(view, "langfuse.observation.completion_start_time"));
  const firstAt = typeof text === "string" ? Date.parse(text) : Number.NaN;
  const { lo, hi } = view.startTime;
  const startMillis = ((hi >>> 0) * 4294967296 + (lo >>> 0)) / 1e6;
  if (Number.isFinite(firstAt) && firstAt >= startMillis)
    supply(draft, "timeToFirstTokenSeconds", (firstAt - startMillis) / 1000, "langfuse.observation.completion_start_time");
}

/** Its errors leave the span's status unset. */
function supplyEnding(view: SpanView, draft: GenerationDraft): void {
  const level = stringOf(attributeNamed(view, "langfuse.observation.level"))?.toUpperCase();
  if (level !== "ERROR" && level !== "FATAL") return;
  supply(draft, "errorType", "error", "langfuse.observation.level");
  const message = stringOf(attributeNamed(view, "langfuse.observation.status_message"));
  supplyTextOf(draft, "errorMessage", message, "langfuse.observation.status_message");
}

/** Said of the whole trace, on whichever span. */
const OF_THE_TRACE = ["langfuse.trace.name", "langfuse.environment", "langfuse.release", "langfuse.version"];

/** What the application says: of its trace first, then of this call, whose word counts more. Users and sessions may stand among it. */
function supplyMetadata(view: SpanView, draft: GenerationDraft): void {
  const facts = OF_THE_TRACE.map((name) => [name.slice("langfuse.".length).replace(".", "_"), attributeNamed(view, name)] as const);
  const tags = openJson(attributeNamed(view, "langfuse.trace.tags"));
  const { langfuse_user_id, langfuse_session_id, langfuse_tags, ...own } = {
    ...metadataIn(view, "langfuse.trace.metadata"),
    ...metadataIn(view, "langfuse.observation.metadata"),
  };
  supply(draft, "userId", stringOf(langfuse_user_id), "langfuse.observation.metadata");
  supply(draft, "conversationId", stringOf(langfuse_session_id), "langfuse.observation.metadata");
  const said = Object.fromEntries(
    [...facts, ["tags", tags ?? langfuse_tags] as const, ...Object.entries(own)].filter(([, value]) => value !== undefined),
  );
  if (Object.keys(said).length > 0) builtOf(draft).metadata = { ...said, ...builtOf(draft).metadata };
}

/** One JSON text, or one attribute for each of its members; values within are JSON too. */
function metadataIn(view: SpanView, name: string): JsonObject {
  const whole = openJson(attributeNamed(view, name));
  const members = gatherFlattened(view, `${name}.`);
  const all = { ...(isObject(whole) ? whole : {}), ...(isObject(members) ? members : {}) };
  return Object.fromEntries(Object.entries(all).map(([key, value]) => [key, openJson(value)]));
}
