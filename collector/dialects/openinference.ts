import type { SpanView } from "../otlp/span-view.ts";
import type { Dialect, SpanRole } from "./dialect.ts";
import { attributeNamed, gatherFlattened, gatherList } from "./flattened.ts";
import { builtOf, type GenerationDraft, override, supply, supplyContent } from "./generation-draft.ts";
import { at, isObject, type Json, openJson, stringOf } from "./json.ts";
import { REDACTED, rawValue, supplyOpenInferenceContent, toolsIn } from "./openinference-messages.ts";
import { supplyResponseFacts } from "./provider-answers.ts";
import { supplyRequestFacts } from "./provider-requests.ts";
import { supplyRequestParameters } from "./request-parameters.ts";
import { supplyCostParts } from "./sent-cost.ts";

/** OpenInference kinds that are a model call; every other kind is around calls. */
const CALLS: ReadonlyMap<string, string> = new Map([
  ["LLM", "chat"],
  ["EMBEDDING", "embeddings"],
]);

/** OpenInference (Arize): `openinference.span.kind`, everything under `llm.*`, messages flattened to one attribute per field. */
export const openinference: Dialect = {
  name: "openinference",
  signs: ["openinference."],
  sources: {
    responseModel: ["llm.response.model_name"],
    model: ["llm.request.model_name"],
    provider: ["llm.provider", "llm.system"],
    inputTokens: ["llm.token_count.prompt"],
    outputTokens: ["llm.token_count.completion"],
    totalTokens: ["llm.token_count.total"],
    cacheReadTokens: ["llm.token_count.prompt_details.cache_read"],
    cacheWriteTokens: ["llm.token_count.prompt_details.cache_write"],
    reasoningTokens: ["llm.token_count.completion_details.reasoning"],
    costAmount: ["llm.cost.total"],
    finishReasons: ["llm.finish_reason"],
    promptVersion: ["llm.prompt_template.version"],
    promptName: ["prompt.id"],
    conversationId: ["session.id"],
  },
  classify(view) {
    const kind = kindOf(view);
    if (kind === undefined) return undefined;
    return CALLS.has(kind) ? "call" : ("wrapper" satisfies SpanRole);
  },
  complete(view, draft) {
    const kind = kindOf(view);
    if (kind === "EMBEDDING") completeEmbedding(view, draft);
    else completeCall(view, draft);
    const variables = openJson(attributeNamed(view, "llm.prompt_template.variables"));
    if (isObject(variables)) builtOf(draft).variables ??= variables;
    supplyMetadata(view, draft);
    supplyCostParts(view, draft, ["llm.cost.prompt", "llm.cost.completion"]);
  },
};

const kindOf = (view: SpanView): string | undefined => stringOf(attributeNamed(view, "openinference.span.kind"))?.toUpperCase();

function completeCall(view: SpanView, draft: GenerationDraft): void {
  const textCompletion = attributeNamed(view, "llm.prompts.0.prompt.text") !== undefined;
  supply(draft, "operation", textCompletion ? "text_completion" : "chat", "openinference.span.kind");
  const settings = supplySettings(view, draft, "llm.invocation_parameters");
  const { input, output } = supplyOpenInferenceContent(view, draft);
  const tools = toolsIn(view);
  if (tools.length > 0) supply(draft, "toolDefinitions", JSON.stringify(tools), "llm.tools");
  supplyRequestFacts(draft, input, "input.value");
  supplyResponseFacts(draft, output, "output.value");
  supplyModel(view, draft, stringOf(at(settings, "model")));
}

/** The settings of the call, as one JSON text (which is returned) or as one attribute each. */
function supplySettings(view: SpanView, draft: GenerationDraft, name: SettingsName): Json {
  const whole = openJson(attributeNamed(view, name));
  for (const settings of [whole, gatherFlattened(view, `${name}.`)]) {
    supply(draft, "model", stringOf(at(settings, "model")), name);
    supplyRequestParameters(draft, settings, name);
  }
  return whole;
}
type SettingsName = "llm.invocation_parameters" | "embedding.invocation_parameters";

/** One name stands for what was asked for and what answered: it is the answer's only where it differs from the request's. */
function supplyModel(view: SpanView, draft: GenerationDraft, inSettings: string | undefined): void {
  const name = stringOf(attributeNamed(view, "llm.model_name"));
  const asked = stringOf(attributeNamed(view, "llm.request.model_name")) ?? inSettings;
  if (asked !== undefined && name !== asked) supply(draft, "responseModel", name, "llm.model_name");
  supply(draft, "model", name, "llm.model_name");
}

/** `metadata` is a JSON object of the application; tags are a list, or a text of one. */
function supplyMetadata(view: SpanView, draft: GenerationDraft): void {
  const metadata = openJson(attributeNamed(view, "metadata"));
  const tags = openJson(attributeNamed(view, "tag.tags"));
  if (!isObject(metadata) && tags === undefined) return;
  const built = builtOf(draft);
  built.metadata = { ...(isObject(metadata) ? metadata : {}), ...(tags === undefined ? {} : { tags }), ...built.metadata };
}

/** Vectors are numbers for machines: the texts are the prompt, and nothing is the response. */
function completeEmbedding(view: SpanView, draft: GenerationDraft): void {
  override(draft, "operation", "embeddings", "openinference.span.kind");
  const model = stringOf(attributeNamed(view, "embedding.model_name")) ?? stringOf(attributeNamed(view, "llm.model_name"));
  supply(draft, "model", model, "embedding.model_name");
  supplySettings(view, draft, "embedding.invocation_parameters");
  const texts = gatherList(view, "embedding.embeddings.", "text")
    .map((entry) => stringOf(at(entry, "embedding", "text")))
    .filter((text) => text !== undefined);
  const input = rawValue(view, "input");
  if (input.redacted || texts.includes(REDACTED)) {
    draft.contentRedacted = true;
    return;
  }
  const prompt = texts.length > 1 ? JSON.stringify(texts) : (texts[0] ?? input.text);
  if (prompt !== undefined) supplyContent(draft, "prompt", { text: prompt, format: "text" }, "embedding.embeddings");
}
