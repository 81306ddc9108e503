import type { Dialect } from "./dialect.ts";
import { attributeNamed } from "./flattened.ts";
import { hasConcept, supply, supplyContent } from "./generation-draft.ts";
import { at, isObject, numberOf, openJson } from "./json.ts";
import { messagesContent, toMessageList } from "./messages.ts";
import { supplyProviderRequest } from "./provider-bodies.ts";
import { supplyRequestParameters } from "./request-parameters.ts";

/** Google's agent development kit: the whole request and answer as JSON strings beside the conventions. */
export const googleAdk: Dialect = {
  name: "google-adk",
  signs: ["gcp.vertex.agent."],
  sources: { conversationId: ["gcp.vertex.agent.session_id"] },
  classify(view, draft) {
    if (attributeNamed(view, "gcp.vertex.agent.tool_call_args") !== undefined) return "wrapper";
    const request = openJson(attributeNamed(view, "gcp.vertex.agent.llm_request"));
    return isObject(request) && (hasConcept(draft, "model") || request["model"] !== undefined) ? "call" : undefined;
  },
  complete(view, draft) {
    const request = openJson(attributeNamed(view, "gcp.vertex.agent.llm_request"));
    const response = openJson(attributeNamed(view, "gcp.vertex.agent.llm_response"));
    supply(draft, "operation", "generate_content", "gcp.vertex.agent.llm_request");
    supplyProviderRequest(draft, request, "gcp.vertex.agent.llm_request");
    supplyRequestParameters(draft, at(request, "config"), "gcp.vertex.agent.llm_request");
    const content = at(response, "content");
    if (isObject(content))
      supplyContent(draft, "response", messagesContent(toMessageList([content], "assistant")), "gcp.vertex.agent.llm_response");
    const usage = at(response, "usage_metadata");
    supply(draft, "inputTokens", numberOf(at(usage, "prompt_token_count")), "gcp.vertex.agent.llm_response");
    supply(draft, "outputTokens", numberOf(at(usage, "candidates_token_count")), "gcp.vertex.agent.llm_response");
    supply(draft, "totalTokens", numberOf(at(usage, "total_token_count")), "gcp.vertex.agent.llm_response");
    supply(draft, "cacheReadTokens", numberOf(at(usage, "cached_content_token_count")), "gcp.vertex.agent.llm_response");
    supply(draft, "reasoningTokens", numberOf(at(usage, "thoughts_token_count")), "gcp.vertex.agent.llm_response");
  },
};
