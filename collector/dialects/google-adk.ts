import type { Dialect } from "./dialect.ts";
import { attributeNamed } from "./flattened.ts";
import { conceptText, type GenerationDraft, hasConcept, override, supply, supplyContent, supplyTextOf } from "./generation-draft.ts";
import { at, isObject, type Json, numberOf, openJson, stringOf } from "./json.ts";
import { contentParts } from "./message-parts.ts";
import { messagesContent, toMessageList } from "./messages.ts";
import { supplyProviderRequest } from "./provider-requests.ts";
import { providerOf } from "./providers.ts";
import { supplyRequestParameters } from "./request-parameters.ts";

const REQUEST = "gcp.vertex.agent.llm_request";
const RESPONSE = "gcp.vertex.agent.llm_response";

/** Google's agent development kit: the whole request and answer as JSON strings beside the conventions; `{}` where content is not captured. */
export const googleAdk: Dialect = {
  name: "google-adk",
  signs: ["gcp.vertex.agent."],
  sources: { conversationId: ["gcp.vertex.agent.session_id"] },
  classify(view, draft) {
    if (attributeNamed(view, "gcp.vertex.agent.tool_call_args") !== undefined) return "wrapper";
    const request = openJson(attributeNamed(view, REQUEST));
    return request !== undefined && (hasConcept(draft, "model") || at(request, "model") !== undefined) ? "call" : undefined;
  },
  complete(view, draft) {
    const request = openJson(attributeNamed(view, REQUEST));
    supply(draft, "operation", "generate_content", REQUEST);
    supplyRequest(draft, request);
    supplyResponse(draft, openJson(attributeNamed(view, RESPONSE)));
    // It names itself; models of others are asked for as `provider/model`.
    const route = /^([a-z_]+)\//.exec(conceptText(view, draft, "model") ?? "")?.[1];
    if (route !== undefined && conceptText(view, draft, "provider") === "gcp.vertex.agent") {
      override(draft, "provider", providerOf(route) ?? route, "gen_ai.request.model");
    }
  },
};

function supplyRequest(draft: GenerationDraft, request: Json): void {
  supplyProviderRequest(draft, request, REQUEST);
  if (typeof request === "string") supplyContent(draft, "prompt", { text: request, format: "text" }, REQUEST);
  const config = at(request, "config");
  if (!isObject(config)) return;
  const { system_instruction: system, tools, response_schema: _schema, ...settings } = config;
  const parts = contentParts(at(system, "parts") ?? system);
  if (parts.length > 0) supply(draft, "systemInstructions", JSON.stringify(parts), REQUEST);
  if (Array.isArray(tools) && tools.length > 0) supply(draft, "toolDefinitions", JSON.stringify(tools), REQUEST);
  supplyRequestParameters(draft, settings, REQUEST);
}

/** Counts of tokens: candidates without thoughts. */
const COUNTS = [
  ["inputTokens", "prompt_token_count"],
  ["outputTokens", "candidates_token_count"],
  ["totalTokens", "total_token_count"],
  ["cacheReadTokens", "cached_content_token_count"],
  ["reasoningTokens", "thoughts_token_count"],
] as const;

function supplyResponse(draft: GenerationDraft, response: Json): void {
  if (typeof response === "string") supplyContent(draft, "response", { text: response, format: "text" }, RESPONSE);
  const content = at(response, "content");
  if (isObject(content)) supplyContent(draft, "response", messagesContent(toMessageList([content], "assistant")), RESPONSE);
  for (const [concept, name] of COUNTS) supply(draft, concept, numberOf(at(response, "usage_metadata", name)), RESPONSE);
  if (numberOf(at(response, "usage_metadata", "thoughts_token_count")) !== undefined) draft.reasoningOutsideOutput = true;
  supply(draft, "finishReasons", stringOf(at(response, "finish_reason"))?.toLowerCase(), RESPONSE);
  supply(draft, "errorType", stringOf(at(response, "error_code")), RESPONSE);
  supplyTextOf(draft, "errorMessage", stringOf(at(response, "error_message")), RESPONSE);
}
