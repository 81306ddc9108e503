import { isDeepStrictEqual } from "node:util";
import { isObject, type Json, type JsonObject, numberOf, openJson } from "./json.ts";

/** What of a value is no content; undefined where all of it is. */
type Keep = (value: Json) => Json;

/** Numbers and flags, also as the text that some senders make of them. */
const scalar: Keep = (value) => (typeof value === "boolean" || numberOf(value) !== undefined ? value : undefined);

/** One word of an enumeration; people and models say more than one. */
const WORD = /^[\w.:/@+-]{1,64}$/;
const word: Keep = (value) => (typeof value === "string" && WORD.test(value) ? value : undefined);
const wordOrScalar: Keep = (value) => scalar(value) ?? word(value);

/** Names of models are chosen by people: a long word of any characters. */
const model: Keep = (value) => (typeof value === "string" && /^\S{1,200}$/.test(value) ? value : undefined);

/** Usage: counts, however deep, and the tier by which they are charged. */
const usage: Keep = (value) => {
  const told = { ...(counts(value) as JsonObject), ...(object({ service_tier: word })(value) as JsonObject) };
  return Object.keys(told).length === 0 ? undefined : told;
};
const counts: Keep = (value) => (isObject(value) ? keptOf(Object.entries(value), (inner) => scalar(inner) ?? counts(inner)) : undefined);

/** Members with these names, each as far as its own rule keeps it. */
const object =
  (members: Readonly<Record<string, Keep>>): Keep =>
  (value) =>
    isObject(value)
      ? keptOf(
          Object.entries(members).map(([name]) => [name, Object.hasOwn(value, name) ? value[name] : undefined] as const),
          (inner, name) => members[name]?.(inner),
        )
      : undefined;

/** Says that something was there. */
const emptied: Keep = (value) => (value === undefined || value === null ? undefined : []);

const list =
  (entry: Keep): Keep =>
  (value) =>
    Array.isArray(value) ? value.map((each: Json) => entry(each) ?? {}) : undefined;

function keptOf(members: readonly (readonly [string, Json])[], keep: (value: Json, name: string) => Json): JsonObject | undefined {
  const kept = members.map(([name, value]) => [name, keep(value, name)] as const).filter(([, value]) => value !== undefined);
  return kept.length === 0 ? undefined : (Object.fromEntries(kept) as JsonObject);
}

const all = (names: string, keep: Keep): Record<string, Keep> => Object.fromEntries(names.split(/\s+/).map((name) => [name, keep]));

/** Settings of a call in the words of its provider. Stop sequences and schemas are texts of the application and go. */
const flat: Readonly<Record<string, Keep>> = {
  ...all("model model_name modelName modelId", model),
  ...all(
    `temperature max_tokens max_completion_tokens max_output_tokens maxTokens maxOutputTokens max_new_tokens top_p topP top_k topK frequency_penalty
    frequencyPenalty presence_penalty presencePenalty repetition_penalty seed n best_of candidate_count candidateCount stream logprobs
    top_logprobs topLogprobs parallel_tool_calls store dimensions min_p typical_p num_ctx num_predict speed timeout max_retries maxRetries budget_tokens
    budgetTokens thinkingBudget thinking_budget include_usage include_thoughts includeThoughts`,
    scalar,
  ),
  ...all(
    `service_tier serviceTier reasoning_effort reasoningEffort effort verbosity encoding_format tool_choice toolChoice truncation size quality
    style background output_format voice response_format response_mime_type responseMimeType anthropic_version type`,
    wordOrScalar,
  ),
};
const settings = object({
  ...flat,
  ...all("reasoning thinking thinkingConfig thinking_config stream_options response_format", (value) =>
    isObject(value) ? object(flat)(value) : wordOrScalar(value),
  ),
  ...all("generationConfig generation_config inferenceConfig config", object(flat)),
});

const replyMeta = object({ model, finish_reason: word, usage });
const answer = object({
  ...all("id responseId object type role status service_tier stop_reason finish_reason finishReason", word),
  ...all("model modelVersion", model),
  ...all("created created_at", scalar),
  ...all("usage usageMetadata", usage),
  choices: list(object({ finish_reason: word })),
  candidates: list(object({ finishReason: word })),
  output: list(object({ type: word })),
  content: emptied,
  incomplete_details: object({ reason: word }),
});

/** Inputs and outputs of tools stand under the same names as requests and answers: these are known by what they hold. */
function having(names: string, keep: Keep): Keep {
  const marks = names.split(" ");
  return (value) => (isObject(value) && marks.some((name) => Object.hasOwn(value, name)) ? keep(value) : undefined);
}
const PROMPTS = "messages contents input prompt";
const request = having(PROMPTS, (value) => ({
  ...(settings(value) as JsonObject),
  ...(object(all(PROMPTS, emptied))(value) as JsonObject),
}));
const ANSWERS = "choices candidates output content";

/** Where a request or an answer stands as JSON, and what of it tells of the call without telling what was said. */
const FACTS: ReadonlyMap<string, Keep> = new Map([
  ["llm.invocation_parameters", settings],
  ["embedding.invocation_parameters", settings],
  ["langfuse.observation.model.parameters", settings],
  ["model_config", settings],
  ["embedding_settings", settings],
  ["gen_ai.request.extra_body", settings],
  ["request_data", (value) => request(value) ?? settings(value)],
  ["response_data", answer],
  ["genkit:input", object({ config: settings })],
  ["genkit:output", object({ finishReason: word, usage })],
  ["gcp.vertex.agent.llm_request", object({ model, config: settings, contents: emptied })],
  ["gcp.vertex.agent.llm_response", object({ usage_metadata: counts, finish_reason: word, error_code: wordOrScalar })],
  ["haystack.component.output", object({ replies: list(object({ meta: replyMeta, _meta: replyMeta })), meta: list(replyMeta) })],
  ["mlflow.spanInputs", request],
  ["mlflow.spanOutputs", having(ANSWERS, answer)],
  ["input.value", request],
  ["output.value", having(ANSWERS, answer)],
  [
    "ai.response.providerMetadata",
    object({
      openai: object({
        ...all("cachedPromptTokens reasoningTokens acceptedPredictionTokens rejectedPredictionTokens", scalar),
        ...all("responseId serviceTier", word),
      }),
      anthropic: object({ usage, cacheCreationInputTokens: scalar, cacheReadInputTokens: scalar }),
      bedrock: object({ usage }),
      gateway: object({ cost: scalar }),
    }),
  ],
]);

/** The rest of such JSON says at its beginning that it is one. */
const MARK = "redacted";
const HEAD = Buffer.from(`{"${MARK}":true`);

/** Whether an opened value, or the bytes of a text, are what `factsIn` left. */
export const isReduced = (value: Json): boolean => isObject(value) && value[MARK] === true;
export const startsReduced = (text: string): boolean => text.startsWith(`{"${MARK}":true`);
export const beginsReduced = (bytes: Buffer, start: number, end: number): boolean =>
  end - start > HEAD.length && bytes[start] === HEAD[0] && bytes.compare(HEAD, 0, HEAD.length, start, start + HEAD.length) === 0;

/** Whether an attribute holds a request, an answer or settings as JSON. */
export const holdsFacts = (name: string): boolean => FACTS.has(name);

/** Settings with an attribute each; what stands below these names and is no number, no flag and no single word may be anything. */
const SETTINGS_PREFIXES = [
  "llm.invocation_parameters.",
  "embedding.invocation_parameters.",
  "gen_ai.request.",
  "gen_ai.openai.request.",
  "openai.request.",
  "gen_ai.output.",
];
/** Texts and lists that the conventions count among the settings that every instrumentation may send. */
const KNOWN_SETTINGS: ReadonlySet<string> = new Set(
  ["model", "stop_sequences", "encoding_formats", "user", "type"].flatMap((key) => SETTINGS_PREFIXES.map((prefix) => prefix + key)),
);

/** Names of frameworks under which any of their attributes may tell what agents were told and said; what names something stays. */
const FAMILIES = [
  "crewai.",
  "gen_ai.eval.",
  "gen_ai.guardrail.",
  "gen_ai.task.",
  "haystack.",
  "flue.",
  "lk.",
  "mcp.",
  "mastra.",
  "smolagents.",
  "genkit:",
  "gcp.vertex.agent.",
  "agent_framework.",
];
const NAMING = /(?:^|[._:])(?:name|id|type|path|version|label|role)$/;

/** Whether a setting of this name may be content, unless it is a word. */
export const isOpenSetting = (name: string): boolean =>
  (!KNOWN_SETTINGS.has(name) && SETTINGS_PREFIXES.some((prefix) => name.startsWith(prefix))) ||
  (FAMILIES.some((prefix) => name.startsWith(prefix)) && !NAMING.test(name));

/** Counts and costs; some senders write them as text. */
const COUNTS = /^(?:llm\.token_count|llm\.cost|llm\.usage|gen_ai\.usage|gen_ai\.cost|ai\.usage)\./;

/** Settings that share their names with what models say. */
const LEVELS = /[._](?:reasoning|thinking)$/;

/** People and models may say one word, too: where the name tells of content, only a level is a setting. */
const mayBeWord = (name: string, isContent: boolean): boolean =>
  isOpenSetting(name) && (!isContent || (LEVELS.test(name) && SETTINGS_PREFIXES.some((prefix) => name.startsWith(prefix))));

/**
 * What stays of the text of an attribute whose name tells of content (`isContent`) or that may hold some, as text; undefined where all of it is content, or
 * cannot be told from it.
 */
export function keptFacts(name: string, text: string, isContent: boolean): string | undefined {
  if (COUNTS.test(name)) return numberOf(text) === undefined ? undefined : text;
  const keep = FACTS.get(name);
  if (keep === undefined) return mayBeWord(name, isContent) && WORD.test(text) ? text : undefined;
  const told = openJson(text);
  if (!isObject(told)) return undefined;
  const kept = (keep(told) ?? {}) as JsonObject;
  return isDeepStrictEqual(kept, told) ? text : JSON.stringify({ [MARK]: true, ...kept });
}
