import { isWrapperOperation } from "../model/operation.ts";
import type { SpanView } from "../otlp/span-view.ts";
import type { Dialect, SpanRole } from "./dialect.ts";
import { attributeNamed } from "./flattened.ts";
import { builtOf, conceptText, type GenerationDraft, hasConcept, supply, supplyContent, withdraw } from "./generation-draft.ts";
import { at, isObject, type Json, numberOf, openJson, stringOf } from "./json.ts";
import { supplyUsage } from "./logfire-usage.ts";
import { type Message, messagesContent, normalizeFinishReason, toMessage, toMessageList } from "./messages.ts";
import { imagesMessage, supplyProviderResponse } from "./provider-answers.ts";
import { readProviderRequest, supplyProviderRequest } from "./provider-requests.ts";
import { supplyRequestParameters } from "./request-parameters.ts";
import { supplyText } from "./span-facts.ts";

const NO_PARENT = /^0*$/;
const DETAILS = "gen_ai.usage.details.";
/** What was counted of a stream before its end was heard: better than nothing, and no more than that. */
const PARTIAL = "gen_ai.usage.partial.";

/**
 * Logfire and pydantic-ai: the conventions, with content in `events` (one JSON list), `request_data` and `response_data`.
 * A streamed call is two spans beside each other: the request, and a log-like one with answer, usage and duration; the second is the call.
 */
export const logfire: Dialect = {
  name: "logfire",
  signs: [
    "logfire.",
    "pydantic_ai.",
    "request_data",
    "response_data",
    "gen_ai.aggregated_usage.",
    "model_request_parameters",
    "operation.cost",
  ],
  scopes: ["pydantic-ai"],
  sources: {
    costAmount: ["operation.cost"],
    // Breakdowns in the provider's own words: parts of the counts, never on top of them.
    reasoningTokens: [`${DETAILS}reasoning_tokens`, `${DETAILS}thoughts_tokens`],
    cacheReadTokens: [
      `${DETAILS}cache_read_tokens`,
      `${DETAILS}cache_read_input_tokens`,
      `${DETAILS}cached_tokens`,
      `${PARTIAL}cache_read.input_tokens`,
    ],
    cacheWriteTokens: [`${DETAILS}cache_write_tokens`, `${DETAILS}cache_creation_input_tokens`, `${PARTIAL}cache_creation.input_tokens`],
  },
  classify,
  complete(view, draft) {
    const parent = stringOf(attributeNamed(view, "logfire.pending_parent_id"));
    if (parent !== undefined && !NO_PARENT.test(parent)) supply(draft, "pendingParent", parent, "logfire.pending_parent_id");
    withdrawScrubbed(view, draft);
    supplyEvents(view, draft);
    const request = openJson(attributeNamed(view, "request_data"));
    supplyProviderRequest(draft, request, "request_data");
    supplyRequestParameters(draft, request, "request_data");
    supplyAnswer(view, draft);
    for (const name of ["gen_ai.usage.raw", "usage"])
      supplyUsage(view, draft, { usage: openJson(attributeNamed(view, name)), origin: name });
    supplyPartialUsage(view, draft);
    supply(draft, "responseId", stringOf(attributeNamed(view, "response_id")), "response_id");
    supplyTools(view, draft);
    supplyInputs(view, draft);
    supplyDuration(view, draft);
  },
};

/**
 * A span that still runs is announced by a child of its own with the attributes that it began with (`logfire.span_type` = `pending_span`), whatever
 * instrumentation made it: what the announced span is, its dialect says.
 */
export const isAnnouncement = (view: SpanView): boolean => attributeNamed(view, "logfire.span_type") === "pending_span";

function classify(view: SpanView, draft: GenerationDraft): SpanRole | undefined {
  const operation = conceptText(view, draft, "operation");
  if (isAgentRun(view) || isWrapperOperation(operation ?? "")) return "wrapper";
  const asked = hasConcept(draft, "model") || hasConcept(draft, "responseModel");
  if (!asked || hasConcept(draft, "toolName")) return undefined;
  const request = openJson(attributeNamed(view, "request_data"));
  if (operation !== undefined) return isStreamRequest(view, draft, request) ? "wrapper" : "call";
  if (hasConcept(draft, "agentName")) return undefined;
  // Other requests of its clients name a model as well: an assistant that is created, a file. Only a prompt makes them a call.
  if (request !== undefined && readProviderRequest(request) === undefined) return "wrapper";
  if (isStreamRequest(view, draft, request)) return "wrapper";
  return hasConcept(draft, "provider") || request !== undefined ? "call" : undefined;
}

const isAgentRun = (view: SpanView): boolean =>
  ["pydantic_ai.all_messages", "all_messages_events", "final_result"].some((name) => attributeNamed(view, name) !== undefined);

/**
 * The first half of a streamed call. It says that it streams, or, where it does not repeat the request (newer versions), it is a chat that ended
 * well without a word of an answer: every other one has its answer or at least its usage.
 */
function isStreamRequest(view: SpanView, draft: GenerationDraft, request: Json): boolean {
  if (request === undefined || view.statusCode === 2 || at(request, "stream") === false) return false;
  const answered =
    ["response_data", "gen_ai.usage.raw", "usage"].some((name) => attributeNamed(view, name) !== undefined) ||
    (["outputMessages", "outputTokens", "finishReasons", "responseId"] as const).some((concept) => hasConcept(draft, concept));
  if (answered || attributeNamed(view, "logfire.span_type") === "log") return false;
  const repeated = readProviderRequest(request) !== undefined;
  return repeated ? at(request, "stream") === true : /^(chat|text_completion)$/.test(conceptText(view, draft, "operation") ?? "");
}

const SCRUBBED = "[Scrubbed due to ";

/** What its scrubbing replaced is no content: the row says that it was hidden. */
function withdrawScrubbed(view: SpanView, draft: GenerationDraft): void {
  for (const concept of ["inputMessages", "outputMessages", "systemInstructions", "toolDefinitions"] as const) {
    if (conceptText(view, draft, concept)?.startsWith(SCRUBBED) !== true) continue;
    withdraw(draft, concept);
    draft.contentRedacted = true;
  }
  const scrubbed = ["events", "request_data", "response_data"].some((name) => stringOf(attributeNamed(view, name))?.startsWith(SCRUBBED));
  if (scrubbed) draft.contentRedacted = true;
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
  supplyUsage(view, draft, { usage: answer["usage"], origin: "response_data" });
}

function supplyPartialUsage(view: SpanView, draft: GenerationDraft): void {
  if (hasConcept(draft, "outputTokens")) return;
  const output = numberOf(attributeNamed(view, `${PARTIAL}output_tokens`));
  supply(draft, "inputTokens", numberOf(attributeNamed(view, `${PARTIAL}input_tokens`)), `${PARTIAL}input_tokens`);
  if (output === undefined) return;
  supply(draft, "outputTokens", output, `${PARTIAL}output_tokens`);
  draft.tokensEstimated = true;
}

/** The tools of a request of pydantic-ai, and those by which it wants its answer. */
function supplyTools(view: SpanView, draft: GenerationDraft): void {
  const parameters = openJson(attributeNamed(view, "model_request_parameters"));
  const tools = ["function_tools", "output_tools", "native_tools"].flatMap((name) => {
    const list = at(parameters, name);
    return Array.isArray(list) ? (list as Json[]) : [];
  });
  if (tools.length > 0) supply(draft, "toolDefinitions", JSON.stringify(tools), "model_request_parameters");
}

/** Embeddings of pydantic-ai name their texts `inputs`; speech of the agents of OpenAI is what went `input` and came `output`. */
function supplyInputs(view: SpanView, draft: GenerationDraft): void {
  if (conceptText(view, draft, "operation") === "embeddings") {
    const inputs = openJson(attributeNamed(view, "inputs"));
    const whole = Array.isArray(inputs) && inputs.length === 1 ? (inputs[0] as Json) : inputs;
    const text = whole === undefined || typeof whole === "string" ? whole : JSON.stringify(whole);
    supplyContent(draft, "prompt", text === undefined ? undefined : { text, format: "text" }, "inputs");
    supplyRequestParameters(draft, openJson(attributeNamed(view, "embedding_settings")), "embedding_settings");
  }
  if (attributeNamed(view, "model_config") === undefined || hasConcept(draft, "operation")) return;
  for (const [which, name] of [
    ["prompt", "input"],
    ["response", "output"],
  ] as const) {
    // The other side is sound: of it the span tells the format alone.
    if (!isObject(openJson(attributeNamed(view, name)))) supplyText(view, draft, which, [name]);
  }
}

/** No stream takes longer than thirty years; two numbers without any bound would have no sum. */
const MAX_SECONDS = 1e9;

/** The half with the answer is a log: it has no duration of its own but says how long the stream took. */
function supplyDuration(view: SpanView, draft: GenerationDraft): void {
  if (attributeNamed(view, "logfire.span_type") !== "log") return;
  const seconds = numberOf(attributeNamed(view, "duration"));
  if (seconds !== undefined && seconds >= 0 && seconds <= MAX_SECONDS) builtOf(draft).durationMillis = seconds * 1000;
}
