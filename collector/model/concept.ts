/**
 * What a generation has, free of any dialect. A dialect says which attribute carries a concept; rows/ says which column it fills.
 * Numbers are dense from 1, so that tables by attribute key can be small arrays; 0 means "none of these".
 */
export const CONCEPTS = [
  "operation",
  "provider",
  "model",
  "responseModel",
  "responseId",
  "responseCreatedAt",
  "finishReasons",
  "maxTokens",
  "temperature",
  "topP",
  "topK",
  "frequencyPenalty",
  "presencePenalty",
  "seed",
  "stopSequences",
  "reasoningLevel",
  "inputTokens",
  "outputTokens",
  "totalTokens",
  "reasoningTokens",
  "cacheReadTokens",
  "cacheWriteTokens",
  "cacheWriteHourTokens",
  "timeToFirstTokenSeconds",
  "inputMessages",
  "outputMessages",
  "systemInstructions",
  "toolDefinitions",
  "legacyPrompt",
  "legacyCompletion",
  "promptName",
  "promptVersion",
  "promptModules",
  "conversationId",
  "userId",
  "errorType",
  "errorTraceback",
  "runId",
  "itemId",
  "entityType",
  "entityId",
  "qualityStatus",
  "qualityIssues",
  "qualityScore",
  "costAmount",
  "costCurrency",
  "costSource",
  "serviceTier",
  "record",
  "pendingParent",
  "pendingSent",
  "resendCount",
  "toolName",
  "agentName",
] as const;

export type Concept = (typeof CONCEPTS)[number];

/** The number of each concept. */
export const CONCEPT = Object.fromEntries(CONCEPTS.map((name, i) => [name, i + 1])) as { readonly [K in Concept]: number };

/** Length of an array indexed by concept number. */
export const CONCEPT_SLOTS = CONCEPTS.length + 1;
