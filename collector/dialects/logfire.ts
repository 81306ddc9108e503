import { isWrapperOperation } from "../model/operation.ts";
import type { SpanView } from "../otlp/span-view.ts";
import type { Dialect } from "./dialect.ts";
import { attributeNamed } from "./flattened.ts";
import { conceptText, type GenerationDraft, hasConcept, supply, supplyContent } from "./generation-draft.ts";
import { at, isObject, type Json, numberOf, openJson, stringOf } from "./json.ts";
import { type Message, messagesContent, normalizeFinishReason, toMessage, toMessageList } from "./messages.ts";
import { imagesMessage, supplyProviderRequest, supplyProviderResponse } from "./provider-bodies.ts";
import { supplyRequestParameters } from "./request-parameters.ts";

const NO_PARENT = /^0*$/;

/**
 * Logfire and pydantic-ai: the conventions, with content in `events` (one JSON list), `request_data` and `response_data`. A span that still runs is announced by a child
 * of its own (`logfire.span_type` = `pending_span`). A streamed call is two spans: the request, and a log-like one with answer and usage; the second is the call.
 */
export const logfire: Dialect = {
  name: "logfire",
  signs: ["logfire.", "pydantic_ai.", "request_data", "response_data", "gen_ai.aggregated_usage.", "model_request_parameters"],
  sources: { costAmount: ["operation.cost"] },
  classify(view, draft) {
    if (isAgentRun(view)) return "wrapper";
    // Never a call itself, whatever it repeats of the span that it announces.
    if (attributeNamed(view, "logfire.span_type") === "pending_span") return hasConcept(draft, "model") ? "pending" : "wrapper";
    if (isWrapperOperation(conceptText(view, draft, "operation") ?? "")) return "wrapper";
    if (!looksLikeCall(view, draft)) return undefined;
    return isStreamRequest(view, draft) ? "wrapper" : "call";
  },
  complete(view, draft) {
    if (attributeNamed(view, "logfire.span_type") === "pending_span") {
      const parent = stringOf(attributeNamed(view, "logfire.pending_parent_id"));
      if (parent !== undefined && !NO_PARENT.test(parent)) supply(draft, "pendingParent", parent, "logfire.pending_parent_id");
    }
    supplyEvents(view, draft);
    const request = openJson(attributeNamed(view, "request_data"));
    supplyProviderRequest(draft, request, "request_data");
    supplyRequestParameters(draft, request, "request_data");
    supplyAnswer(view, draft);
    supplyUsage(draft, openJson(attributeNamed(view, "gen_ai.usage.raw")), "gen_ai.usage.raw");
    supply(draft, "responseId", stringOf(attributeNamed(view, "response_id")), "response_id");
    const tools = at(openJson(attributeNamed(view, "model_request_parameters")), "function_tools");
    if (Array.isArray(tools) && tools.length > 0) supply(draft, "toolDefinitions", JSON.stringify(tools), "model_request_parameters");
    if (hasConcept(draft, "costAmount")) supply(draft, "costCurrency", "USD", "operation.cost");
  },
};

const isAgentRun = (view: SpanView): boolean =>
  attributeNamed(view, "pydantic_ai.all_messages") !== undefined || attributeNamed(view, "all_messages_events") !== undefined;

/** A span of Logfire that speaks of a model: by the conventions, or by the request that it carries. */
function looksLikeCall(view: SpanView, draft: GenerationDraft): boolean {
  if (hasConcept(draft, "toolName") || stringOf(attributeNamed(view, "gen_ai.agent.name")) !== undefined) return false;
  const asked = hasConcept(draft, "model") || hasConcept(draft, "responseModel");
  return asked && (hasConcept(draft, "provider") || hasConcept(draft, "operation") || attributeNamed(view, "request_data") !== undefined);
}

/** The first half of a streamed call has neither an answer nor usage; the second half comes as a span of its own. */
function isStreamRequest(view: SpanView, draft: GenerationDraft): boolean {
  const request = openJson(attributeNamed(view, "request_data"));
  const streamed = at(request, "stream") === true;
  return streamed && attributeNamed(view, "response_data") === undefined && !hasConcept(draft, "outputTokens") && view.statusCode !== 2;
}

/** `events`: a JSON list of messages and choices with their names. */
function supplyEvents(view: SpanView, draft: GenerationDraft): void {
  const events = openJson(attributeNamed(view, "events"));
  if (!Array.isArray(events)) return;
  const input: Message[] = [];
  const output: Message[] = [];
  for (const event of events.filter(isObject)) {
    const name = String(event["event.name"] ?? "");
    if (name === "gen_ai.choice") output.push(choice(event));
    else if (/^gen_ai\.(system|user|assistant|tool)\.message$/.test(name)) input.push(toMessage(event, name.split(".")[1] ?? "user"));
  }
  // Where answers are no choices, the last messages of the assistant are the answer.
  if (output.length === 0) while (input.at(-1)?.role === "assistant") output.unshift(input.pop() as Message);
  supplyContent(draft, "prompt", messagesContent(input), "events");
  supplyContent(draft, "response", messagesContent(output), "events");
}

function choice(event: Json): Message {
  const message = toMessage(at(event, "message") ?? {}, "assistant");
  const reason = stringOf(at(event, "finish_reason"));
  return reason === undefined ? message : { ...message, finish_reason: normalizeFinishReason(reason) };
}

function supplyAnswer(view: SpanView, draft: GenerationDraft): void {
  const answer = openJson(attributeNamed(view, "response_data"));
  if (!isObject(answer)) return;
  supplyProviderResponse(draft, answer, "response_data");
  if (Array.isArray(answer["images"])) {
    supplyContent(draft, "response", messagesContent([imagesMessage(answer["images"])]), "response_data");
  }
  const message = answer["message"];
  if (message !== undefined && message !== null)
    supplyContent(draft, "response", messagesContent(toMessageList(message, "assistant")), "response_data");
  const text = stringOf(answer["combined_chunk_content"]) ?? stringOf(answer["text"]);
  if (text !== undefined) supplyContent(draft, "response", messagesContent([toMessage({ content: text }, "assistant")]), "response_data");
  supplyUsage(draft, answer["usage"], "response_data");
}

function supplyUsage(draft: GenerationDraft, usage: Json, origin: string): void {
  if (!isObject(usage)) return;
  supply(draft, "inputTokens", numberOf(usage["prompt_tokens"] ?? usage["input_tokens"]), origin);
  supply(draft, "outputTokens", numberOf(usage["completion_tokens"] ?? usage["output_tokens"]), origin);
  supply(draft, "totalTokens", numberOf(usage["total_tokens"]), origin);
  supplyDetails(draft, usage);
}

/** Breakdowns of the counts: parts of them, never on top. Anthropic's input excludes what was cached. */
function supplyDetails(draft: GenerationDraft, usage: Json): void {
  supply(
    draft,
    "reasoningTokens",
    numberOf(at(usage, "completion_tokens_details", "reasoning_tokens") ?? at(usage, "output_tokens_details", "reasoning_tokens")),
    "response_data",
  );
  supply(
    draft,
    "cacheReadTokens",
    numberOf(at(usage, "prompt_tokens_details", "cached_tokens") ?? at(usage, "input_tokens_details", "cached_tokens")),
    "response_data",
  );
  const read = numberOf(at(usage, "cache_read_input_tokens"));
  if (read === undefined) return;
  supply(draft, "cacheReadTokens", read, "response_data");
  supply(draft, "cacheWriteTokens", numberOf(at(usage, "cache_creation_input_tokens")), "response_data");
}
