import * as A from "../../sdk/attributes.ts";
import { CONCEPT, type Concept } from "../model/concept.ts";
import { isWrapperOperation } from "../model/operation.ts";
import type { SpanView } from "../otlp/span-view.ts";
import type { Dialect, SpanRole } from "./dialect.ts";
import { conceptText, type GenerationDraft, hasConcept, override } from "./generation-draft.ts";
import { buildFromEvents } from "./semconv-events.ts";
import { buildFromLegacyContent } from "./semconv-legacy.ts";

/**
 * Where the OpenTelemetry conventions (v1.26 to the newest) keep each concept, best source first.
 * Source: semantic conventions for generative AI; the reading order is that of their own migration notes.
 */
const SOURCES: { readonly [K in Concept]?: readonly string[] } = {
  operation: [A.GEN_AI_OPERATION_NAME],
  provider: [A.GEN_AI_PROVIDER_NAME, A.GEN_AI_SYSTEM],
  model: [A.GEN_AI_REQUEST_MODEL],
  responseModel: [A.GEN_AI_RESPONSE_MODEL],
  responseId: [A.GEN_AI_RESPONSE_ID],
  finishReasons: [A.GEN_AI_RESPONSE_FINISH_REASONS],
  maxTokens: [A.GEN_AI_REQUEST_MAX_TOKENS],
  temperature: [A.GEN_AI_REQUEST_TEMPERATURE],
  topP: [A.GEN_AI_REQUEST_TOP_P],
  topK: [A.GEN_AI_REQUEST_TOP_K],
  frequencyPenalty: [A.GEN_AI_REQUEST_FREQUENCY_PENALTY],
  presencePenalty: [A.GEN_AI_REQUEST_PRESENCE_PENALTY],
  seed: [A.GEN_AI_REQUEST_SEED, A.GEN_AI_OPENAI_REQUEST_SEED],
  stopSequences: [A.GEN_AI_REQUEST_STOP_SEQUENCES],
  reasoningLevel: [A.GEN_AI_REQUEST_REASONING_LEVEL],
  inputTokens: [A.GEN_AI_USAGE_INPUT_TOKENS, A.GEN_AI_USAGE_PROMPT_TOKENS],
  outputTokens: [A.GEN_AI_USAGE_OUTPUT_TOKENS, A.GEN_AI_USAGE_COMPLETION_TOKENS],
  totalTokens: [A.GEN_AI_USAGE_TOTAL_TOKENS],
  reasoningTokens: [A.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS],
  // The last of each are spellings that no version had and some senders use.
  cacheReadTokens: [A.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS, "gen_ai.usage.cache_read_tokens", "gen_ai.usage.input_cached_tokens"],
  cacheWriteTokens: [
    A.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS,
    A.GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS,
    "gen_ai.usage.cache_write_tokens",
    "gen_ai.usage.input_cache_creation",
  ],
  cacheWriteHourTokens: ["gen_ai.usage.cache_creation.input_tokens.ephemeral_1h"],
  serviceTier: ["openai.response.service_tier", "gen_ai.openai.response.service_tier", "gen_ai.response.service_tier"],
  timeToFirstTokenSeconds: [A.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK],
  inputMessages: [A.GEN_AI_INPUT_MESSAGES],
  outputMessages: [A.GEN_AI_OUTPUT_MESSAGES],
  systemInstructions: [A.GEN_AI_SYSTEM_INSTRUCTIONS],
  toolDefinitions: [A.GEN_AI_TOOL_DEFINITIONS],
  legacyPrompt: [A.GEN_AI_PROMPT],
  legacyCompletion: [A.GEN_AI_COMPLETION],
  promptName: [A.GEN_AI_PROMPT_NAME],
  promptVersion: [A.GEN_AI_PROMPT_VERSION],
  conversationId: [A.GEN_AI_CONVERSATION_ID],
  userId: [A.USER_ID, A.ENDUSER_ID],
  errorType: [A.ERROR_TYPE],
  resendCount: [A.HTTP_REQUEST_RESEND_COUNT],
  toolName: [A.GEN_AI_TOOL_NAME],
  agentName: [A.GEN_AI_AGENT_NAME],
  costAmount: [A.GEN_AI_USAGE_COST_AMOUNT],
  costCurrency: [A.GEN_AI_USAGE_COST_CURRENCY],
  costSource: [A.GEN_AI_USAGE_COST_SOURCE],
};

/** A leaf model call: a named operation that is no wrapper, or (v1.26, without operation names) a model or usage without a tool or agent. */
function classify(view: SpanView, draft: GenerationDraft): SpanRole | undefined {
  const has = (concept: Concept): boolean => hasConcept(draft, concept);
  const operation = conceptText(view, draft, "operation");
  const looksLikeCall = has("model") || has("responseModel") || has("inputTokens") || has("outputTokens");
  if (operation !== undefined && operation !== "") {
    if (isWrapperOperation(operation)) return "wrapper";
    return looksLikeCall || has("provider") ? "call" : undefined;
  }
  return looksLikeCall && !has("toolName") && (has("provider") || !has("agentName")) ? "call" : undefined;
}

/** Semantic Kernel's names before it took those of the conventions. */
const OLD_OPERATIONS: ReadonlyMap<string, string> = new Map([
  ["chat.completions", "chat"],
  ["text.completions", "text_completion"],
]);

/** The current conventions and all their older forms, in span attributes and span events. */
export const semconv: Dialect = {
  name: "semconv",
  signs: ["gen_ai."],
  sources: SOURCES,
  classify,
  complete(view, draft) {
    const operation = OLD_OPERATIONS.get(conceptText(view, draft, "operation") ?? "");
    if (operation !== undefined) override(draft, "operation", operation, A.GEN_AI_OPERATION_NAME);
    const lacksContent = draft.attribute[CONCEPT.inputMessages]! < 0 || draft.attribute[CONCEPT.outputMessages]! < 0;
    if (lacksContent && (draft.attribute[CONCEPT.legacyPrompt]! >= 0 || draft.attribute[CONCEPT.legacyCompletion]! >= 0)) {
      buildFromLegacyContent(view, draft);
    }
    if (view.events.count > 0) buildFromEvents(view, draft);
  },
};
