import type { ByteWriter } from "../base/byte-writer.ts";
import type { GenerationDraft } from "../dialects/generation-draft.ts";
import { CONCEPT } from "../model/concept.ts";
import { canonicalProvider, isTimeout } from "../model/operation.ts";
import { normalizeTokens } from "../model/tokens.ts";
import { VALUE_STRING } from "../otlp/attribute-list.ts";
import { NOT_INTERNED } from "../otlp/key-table.ts";
import type { SpanView } from "../otlp/span-view.ts";
import { writeJsonValue } from "../otlp/value-json.ts";
import { type Content, contentColumn, joinFinishReasons, promptContent, responseContent, responseDetails } from "./content.ts";
import { MOVED_SYSTEM, MOVED_TOOLS, STRUCTURED_SHIFT } from "./content-moved.ts";
import { beginJson, copyFloat8, copyMillis, copyNull, copyNumeric, copyString, copyTime, endField } from "./copy-row.ts";
import { durationNanos, type SpanContext } from "./encode-span.ts";
import { copySpanKey, namesSpan } from "./row-key.ts";
import { GENERATION_LOGS } from "./table-spec.ts";
import {
  type ColumnSource,
  float8Column,
  identifierColumn,
  int8Column,
  jsonColumn,
  optionalInt8,
  optionalString,
  readNumber,
  sizeColumn,
  stringsOf,
  textColumn,
} from "./values.ts";

const NANOS_PER_MILLI = 1e6;

/** One model call: its span, what a dialect found on it, and what its rows share. */
export interface ModelCall {
  readonly view: SpanView;
  readonly draft: GenerationDraft;
  readonly context: SpanContext;
}

/** How the call ended, as the span tells it. */
interface Ending {
  readonly status: "success" | "failed" | "timeout";
  readonly message: string | undefined;
  readonly type: string | undefined;
  readonly traceback: string | undefined;
}

/**
 * Writes the row of table generation_logs (field order of GENERATION_LOGS.columns), then takes the content that it holds
 * off the span's attributes and says so in `context.contentMoved`.
 */
export function encodeGenerationRow(out: ByteWriter, call: ModelCall): void {
  const { view, draft, context } = call;
  const source: ColumnSource = { out, attributes: view.attributes, notes: context.notes };
  const prompt = promptContent(view.attributes, draft);
  const response = responseContent(view.attributes, draft);
  out.u16(GENERATION_LOGS.columns.length);
  copySpanKey(out, context.key);
  encodeIdentity(out, call);
  encodePrompt(source, draft, prompt);
  encodeParameters(source, draft);
  const finishReason = encodeResponse(source, draft, response);
  encodeUsage(out, view, draft);
  optionalString(out, finishReason);
  textColumn(source, draft.attribute[CONCEPT.responseId]!, "response_id");
  encodeEnding(out, ending(view, draft));
  encodeCost(source, draft);
  encodeReferences(source, draft);
  copyNull(out);
  copyString(out, contentState(view, prompt, response));
  encodeTimes(out, view, context);
  context.contentMoved = moveContent(view, draft, [prompt, response]);
}

function encodeIdentity(out: ByteWriter, { view, draft, context }: ModelCall): void {
  const { request } = view.arena;
  if (namesSpan(request, view.parentSpanIdOffset, view.parentSpanIdSize)) {
    out.u32(16);
    out.hex(request, view.parentSpanIdOffset, view.parentSpanIdOffset + 8);
  } else copyNull(out);
  if ((view.endTime.lo | view.endTime.hi) === 0) copyNull(out);
  else copyTime(out, view.endTime);
  copyString(out, context.resource.serviceName);
  optionalString(out, context.resource.environment);
  copyString(out, draft.dialect);
  const source: ColumnSource = { out, attributes: view.attributes, notes: context.notes };
  textColumn(source, draft.attribute[CONCEPT.operation]!, "operation_name");
  const provider = draft.attribute[CONCEPT.provider]!;
  optionalString(out, provider < 0 ? undefined : canonicalProvider(view.attributes.textFromSet(provider) ?? ""));
}

function encodePrompt(source: ColumnSource, draft: GenerationDraft, prompt: Content): void {
  const { attribute } = draft;
  contentColumn(source, prompt, "prompt_full_text");
  optionalString(source.out, prompt.format);
  if (attribute[CONCEPT.systemInstructions]! >= 0) textColumn(source, attribute[CONCEPT.systemInstructions]!, "system_instructions");
  else optionalString(source.out, draft.built?.systemInstructions);
  textColumn(source, attribute[CONCEPT.promptName]!, "prompt_template_name");
  textColumn(source, attribute[CONCEPT.promptVersion]!, "prompt_template_version");
  jsonColumn(source, attribute[CONCEPT.promptModules]!, "prompt_modules_used");
  namedValues(source, draft.variables, variableName);
  textColumn(source, attribute[CONCEPT.toolDefinitions]!, "tool_definitions");
}

function encodeParameters(source: ColumnSource, draft: GenerationDraft): void {
  const { attribute } = draft;
  identifierColumn(source, attribute[CONCEPT.model]!, "model_name");
  float8Column(source, attribute[CONCEPT.temperature]!);
  sizeColumn(source, attribute[CONCEPT.maxTokens]!);
  float8Column(source, attribute[CONCEPT.topP]!);
  float8Column(source, attribute[CONCEPT.topK]!);
  float8Column(source, attribute[CONCEPT.frequencyPenalty]!);
  float8Column(source, attribute[CONCEPT.presencePenalty]!);
  int8Column(source, attribute[CONCEPT.seed]!);
  jsonColumn(source, attribute[CONCEPT.stopSequences]!, "model_stop_sequences");
  textColumn(source, attribute[CONCEPT.reasoningLevel]!, "model_reasoning_level");
  namedValues(source, draft.parameters, parameterName);
}

/** Writes response_model … reasoning_content and returns the finish reason. */
function encodeResponse(source: ColumnSource, draft: GenerationDraft, response: Content): string | undefined {
  const { out, attributes } = source;
  const stated = joinFinishReasons(stringsOf(attributes, draft.attribute[CONCEPT.finishReasons]!)) ?? draft.built?.finishReason;
  const details = responseDetails(attributes, response, stated === undefined);
  textColumn(source, draft.attribute[CONCEPT.responseModel]!, "response_model");
  contentColumn(source, response, "response_full_text");
  optionalString(out, response.format);
  optionalString(out, details.reasoning);
  return stated ?? details.finishReason;
}

function encodeUsage(out: ByteWriter, view: SpanView, draft: GenerationDraft): void {
  const { attribute } = draft;
  const read = (concept: number): number | undefined => readNumber(view.attributes, attribute[concept]!);
  const tokens = normalizeTokens({
    input: read(CONCEPT.inputTokens),
    output: read(CONCEPT.outputTokens),
    reasoning: read(CONCEPT.reasoningTokens),
    cacheRead: read(CONCEPT.cacheReadTokens),
    cacheWrite: read(CONCEPT.cacheWriteTokens),
  });
  optionalInt8(out, tokens.prompt);
  optionalInt8(out, tokens.completion);
  optionalInt8(out, tokens.total);
  optionalInt8(out, tokens.reasoning);
  optionalInt8(out, tokens.cacheRead);
  optionalInt8(out, tokens.cacheWrite);
  const nanos = durationNanos(view);
  if (nanos === undefined) copyNull(out);
  else copyFloat8(out, Math.max(0, Number(nanos)) / NANOS_PER_MILLI);
  const firstToken = read(CONCEPT.timeToFirstTokenSeconds);
  if (firstToken === undefined || firstToken < 0) copyNull(out);
  else copyFloat8(out, firstToken * 1000);
}

function ending(view: SpanView, draft: GenerationDraft): Ending {
  const index = draft.attribute[CONCEPT.errorType]!;
  const sent = index < 0 ? undefined : view.attributes.text(index);
  if (view.statusCode !== 2 && (sent === undefined || sent === "")) {
    return { status: "success", message: undefined, type: undefined, traceback: undefined };
  }
  const { statusMessageOffset: at, statusMessageSize: size } = view;
  const stated = size === 0 ? undefined : view.arena.request.toString("utf8", at, at + size);
  const type = sent ?? draft.built?.errorType;
  const traceback = draft.attribute[CONCEPT.errorTraceback]!;
  return {
    status: type !== undefined && isTimeout(type) ? "timeout" : "failed",
    message: stated ?? draft.built?.errorMessage,
    type,
    traceback: traceback < 0 ? draft.built?.errorTraceback : view.attributes.text(traceback),
  };
}

function encodeEnding(out: ByteWriter, end: Ending): void {
  copyString(out, end.status);
  optionalString(out, end.message);
  optionalString(out, end.type);
  optionalString(out, end.traceback);
}

function encodeCost(source: ColumnSource, draft: GenerationDraft): void {
  const amount = readNumber(source.attributes, draft.attribute[CONCEPT.costAmount]!);
  if (amount === undefined) copyNull(source.out);
  else copyNumeric(source.out, amount);
  textColumn(source, draft.attribute[CONCEPT.costCurrency]!, "cost_currency");
  textColumn(source, draft.attribute[CONCEPT.costSource]!, "cost_source");
}

function encodeReferences(source: ColumnSource, draft: GenerationDraft): void {
  const { attribute } = draft;
  identifierColumn(source, attribute[CONCEPT.runId]!, "run_id");
  textColumn(source, attribute[CONCEPT.itemId]!, "item_id");
  textColumn(source, attribute[CONCEPT.conversationId]!, "conversation_id");
  textColumn(source, attribute[CONCEPT.userId]!, "user_id");
  identifierColumn(source, attribute[CONCEPT.entityType]!, "entity_type");
  identifierColumn(source, attribute[CONCEPT.entityId]!, "entity_id");
  textColumn(source, attribute[CONCEPT.qualityStatus]!, "quality_status");
  jsonColumn(source, attribute[CONCEPT.qualityIssues]!, "quality_issues");
  float8Column(source, attribute[CONCEPT.qualityScore]!);
}

function contentState(view: SpanView, prompt: Content, response: Content): string {
  if (prompt.truncated || response.truncated) return "truncated";
  if (prompt.format === undefined && response.format === undefined) return view.droppedAttributesCount > 0 ? "truncated" : "absent";
  return "captured";
}

/** logged_at is when the call began, as in a log written before the call; updated_at when it ended. */
function encodeTimes(out: ByteWriter, view: SpanView, context: SpanContext): void {
  const { start, receivedAtMs } = context.key;
  if (start === undefined) copyMillis(out, receivedAtMs);
  else copyTime(out, start);
  if ((view.endTime.lo | view.endTime.hi) === 0) copyMillis(out, receivedAtMs);
  else copyTime(out, view.endTime);
  copyMillis(out, receivedAtMs);
}

/** Takes off the span what the generation row now holds byte for byte. */
function moveContent(view: SpanView, draft: GenerationDraft, contents: readonly Content[]): number {
  let moved = 0;
  for (const content of contents) {
    if (content.moved === 0) continue;
    moved |= content.moved;
    view.attributes.remove(content.index);
  }
  return (
    moved |
    moveWhole(view, draft.attribute[CONCEPT.systemInstructions]!, MOVED_SYSTEM) |
    moveWhole(view, draft.attribute[CONCEPT.toolDefinitions]!, MOVED_TOOLS)
  );
}

function moveWhole(view: SpanView, index: number, bit: number): number {
  if (index < 0) return 0;
  const text = view.attributes.kinds[index] === VALUE_STRING;
  if (text && view.attributes.b[index] === 0) return 0;
  view.attributes.remove(index);
  return text ? bit : bit | (bit << STRUCTURED_SHIFT);
}

const PARAMETER_NAME = /^(?:gen_ai\.openai\.request|openai\.request|gen_ai\.request|gen_ai|openai)\./;
const parameterName = (attribute: string): string => attribute.replace(PARAMETER_NAME, "");
const variableName = (attribute: string): string => attribute.slice("gen_ai.prompt.variable.".length);

/** JSON keys made from attribute names, by key id: names are few and spans are many. */
const jsonNames = new Map<(name: string) => string, Map<number, Buffer>>([
  [parameterName, new Map()],
  [variableName, new Map()],
]);

/** Several attributes as one jsonb object under shortened names; NULL when there are none. */
function namedValues(source: ColumnSource, indexes: readonly number[], shorten: (name: string) => string): void {
  const { out, attributes, notes } = source;
  if (indexes.length === 0) {
    copyNull(out);
    return;
  }
  const at = beginJson(out);
  indexes.forEach((index, i) => {
    out.u8(i === 0 ? 0x7b : 0x2c);
    const key = jsonName(attributes.keys[index]!, attributes.name(index), shorten);
    out.bytes(key, 0, key.length);
    notes.mended(`attributes.${attributes.name(index)}`, writeJsonValue(out, attributes, index));
  });
  out.u8(0x7d);
  endField(out, at);
}

function jsonName(key: number, name: string, shorten: (name: string) => string): Buffer {
  const names = jsonNames.get(shorten);
  const known = names?.get(key);
  if (known !== undefined) return known;
  const made = Buffer.from(`${JSON.stringify(shorten(name))}:`, "utf8");
  if (key !== NOT_INTERNED) names?.set(key, made);
  return made;
}
