import * as A from "../../sdk/attributes.ts";
import { CONCEPT, type Concept } from "../model/concept.ts";
import { isWrapperOperation } from "../model/operation.ts";
import { VALUE_REMOVED } from "../otlp/attribute-list.ts";
import { keyTable, NOT_INTERNED } from "../otlp/key-table.ts";
import type { SpanView } from "../otlp/span-view.ts";
import type { Dialect } from "./dialect.ts";
import { clearDraft, type GenerationDraft } from "./generation-draft.ts";
import { buildFromEvents } from "./semconv-events.ts";
import { buildFromLegacyContent } from "./semconv-legacy.ts";

/** This dialect's bit in the key table's masks. */
export const SEMCONV_BIT = 1 << 0;

/**
 * Where the OpenTelemetry conventions (v1.26 to the newest, and our own additions) keep each concept, best source first.
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
  reasoningTokens: [A.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS],
  cacheReadTokens: [A.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS],
  cacheWriteTokens: [A.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS, A.GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS],
  timeToFirstTokenSeconds: [A.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK],
  inputMessages: [A.GEN_AI_INPUT_MESSAGES],
  outputMessages: [A.GEN_AI_OUTPUT_MESSAGES],
  systemInstructions: [A.GEN_AI_SYSTEM_INSTRUCTIONS],
  toolDefinitions: [A.GEN_AI_TOOL_DEFINITIONS],
  legacyPrompt: [A.GEN_AI_PROMPT],
  legacyCompletion: [A.GEN_AI_COMPLETION],
  promptName: [A.GEN_AI_PROMPT_NAME],
  promptVersion: [A.GEN_AI_PROMPT_VERSION],
  promptModules: [A.GENSPAN_PROMPT_MODULES],
  conversationId: [A.GEN_AI_CONVERSATION_ID],
  userId: [A.USER_ID, A.ENDUSER_ID],
  errorType: [A.ERROR_TYPE],
  errorTraceback: [A.GENSPAN_ERROR_TRACEBACK],
  runId: [A.GENSPAN_RUN_ID],
  itemId: [A.GENSPAN_ITEM_ID],
  entityType: [A.GENSPAN_ENTITY_TYPE],
  entityId: [A.GENSPAN_ENTITY_ID],
  qualityStatus: [A.GENSPAN_QUALITY_STATUS],
  qualityIssues: [A.GENSPAN_QUALITY_ISSUES],
  qualityScore: [A.GENSPAN_QUALITY_SCORE],
  costAmount: [A.GENSPAN_COST_AMOUNT, A.GEN_AI_USAGE_COST_AMOUNT],
  costCurrency: [A.GENSPAN_COST_CURRENCY, A.GEN_AI_USAGE_COST_CURRENCY],
  costSource: [A.GENSPAN_COST_SOURCE, A.GEN_AI_USAGE_COST_SOURCE],
  record: [A.GENSPAN_RECORD],
  toolName: [A.GEN_AI_TOOL_NAME],
  agentName: [A.GEN_AI_AGENT_NAME],
};

/** Names that any span may carry: read for a generation, but no sign of one. */
const GENERAL_NAMES: ReadonlySet<string> = new Set([A.USER_ID, A.ENDUSER_ID, A.ERROR_TYPE]);

/** Request settings without a column of their own go to model_parameters under the last part of their name. */
const PARAMETER_PREFIXES = ["gen_ai.request.", "gen_ai.openai.request.", "openai.request.", "gen_ai.output."];
const MORE_PARAMETERS: ReadonlySet<string> = new Set([A.GEN_AI_EMBEDDINGS_DIMENSION_COUNT, A.OPENAI_API_TYPE]);

const PARAMETER = 1;
const VARIABLE = 2;

/** Facts by key id; grows with the table. */
const conceptOf = new Uint8Array(8192);
const priorityOf = new Uint8Array(8192);
const classOf = new Uint8Array(8192);

for (const [concept, names] of Object.entries(SOURCES)) {
  names.forEach((name, priority) => {
    const id = keyTable.register(name, GENERAL_NAMES.has(name) ? 0 : SEMCONV_BIT);
    conceptOf[id] = CONCEPT[concept as Concept];
    priorityOf[id] = priority;
  });
}
keyTable.forEach((id, name) => {
  if (name.startsWith("gen_ai.")) keyTable.dialects[id]! |= SEMCONV_BIT;
  if (conceptOf[id] !== 0) return;
  if (name.startsWith(A.GEN_AI_PROMPT_VARIABLE_PREFIX)) classOf[id] = VARIABLE;
  else if (PARAMETER_PREFIXES.some((prefix) => name.startsWith(prefix)) || MORE_PARAMETERS.has(name)) classOf[id] = PARAMETER;
});

/** One pass over the attributes: the best source of each concept, the free parameters and the variables. */
function collect(view: SpanView, draft: GenerationDraft): void {
  const { attributes } = view;
  for (let i = 0; i < attributes.count; i++) {
    const key = attributes.keys[i]!;
    if (key === NOT_INTERNED || attributes.kinds[i] === VALUE_REMOVED) continue;
    const concept = conceptOf[key]!;
    if (concept !== 0) {
      if (draft.attribute[concept]! < 0 || priorityOf[key]! < draft.priority[concept]!) {
        draft.attribute[concept] = i;
        draft.priority[concept] = priorityOf[key]!;
      }
    } else if (classOf[key] === PARAMETER) draft.parameters.push(i);
    else if (classOf[key] === VARIABLE) draft.variables.push(i);
  }
}

/** A leaf model call: a named operation that is no wrapper, or (v1.26, without operation names) a model or usage without a tool or agent. */
function isModelCall(view: SpanView, draft: GenerationDraft): boolean {
  const { attribute } = draft;
  const has = (concept: number): boolean => attribute[concept]! >= 0;
  if (has(CONCEPT.record)) return false;
  const operation = has(CONCEPT.operation) ? view.attributes.textFromSet(attribute[CONCEPT.operation]!) : undefined;
  const looksLikeCall = has(CONCEPT.model) || has(CONCEPT.responseModel) || has(CONCEPT.inputTokens) || has(CONCEPT.outputTokens);
  if (operation !== undefined && operation !== "") return !isWrapperOperation(operation) && (looksLikeCall || has(CONCEPT.provider));
  return looksLikeCall && !has(CONCEPT.toolName) && (has(CONCEPT.provider) || !has(CONCEPT.agentName));
}

/** The current conventions and all their older forms, in span attributes and span events. */
export const semconv: Dialect = {
  name: "semconv",
  bit: SEMCONV_BIT,
  read(view, draft) {
    clearDraft(draft);
    collect(view, draft);
    if (!isModelCall(view, draft)) return false;
    draft.dialect = "semconv";
    const lacksContent = draft.attribute[CONCEPT.inputMessages]! < 0 || draft.attribute[CONCEPT.outputMessages]! < 0;
    if (lacksContent && (draft.attribute[CONCEPT.legacyPrompt]! >= 0 || draft.attribute[CONCEPT.legacyCompletion]! >= 0)) {
      buildFromLegacyContent(view, draft);
    }
    if (view.events.count > 0) buildFromEvents(view, draft);
    return true;
  },
};
