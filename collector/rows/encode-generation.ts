import type { ByteWriter } from "../base/byte-writer.ts";
import { beginsReduced } from "../dialects/content-facts.ts";
import { isContentName } from "../dialects/content-names.ts";
import type { GenerationDraft } from "../dialects/generation-draft.ts";
import { chargedBy } from "../dialects/service-tier.ts";
import { CONCEPT } from "../model/concept.ts";
import { canonicalProvider, isTimeout } from "../model/operation.ts";
import type { PriceBook } from "../model/price.ts";
import { normalizeTokens, type Tokens } from "../model/tokens.ts";
import { position, VALUE_BYTES, VALUE_EMPTY, VALUE_STRING } from "../otlp/attribute-list.ts";
import type { SpanView } from "../otlp/span-view.ts";
import {
  type CallSource,
  conceptFloat8,
  conceptIdentifier,
  conceptInt8,
  conceptJson,
  conceptNumber,
  conceptText,
} from "./concept-columns.ts";
import {
  type Content,
  contentColumn,
  joinFinishReasons,
  promptContent,
  responseContent,
  responseDetails,
  saysTruncated,
} from "./content.ts";
import { MOVED_SYSTEM, MOVED_TOOLS, STRUCTURED_SHIFT } from "./content-moved.ts";
import { copyFloat8, copyInt4, copyMillis, copyNull, copyString, copyTime } from "./copy-row.ts";
import { encodeCost } from "./encode-cost.ts";
import type { CallMedia } from "./encode-media.ts";
import { durationNanos, type SpanContext } from "./encode-span.ts";
import { namedValues, parameterName, variableName } from "./named-values.ts";
import { copySpanKey, namesSpan } from "./row-key.ts";
import { GENERATION_LOGS } from "./table-spec.ts";
import { optionalInt8, optionalString, stringsOf } from "./values.ts";

const NANOS_PER_MILLI = 1e6;
const MAX_INT4 = 2 ** 31 - 1;

/** One model call: its span, what a dialect found on it, and what its rows share. */
export interface ModelCall {
  readonly view: SpanView;
  readonly draft: GenerationDraft;
  readonly context: SpanContext;
  /** The span only announces the call that is its parent. */
  readonly pending: boolean;
  readonly prices: PriceBook;
}

/** What was found on the way of writing a row. */
export interface EncodedCall {
  /** Images, sounds and files of the messages. */
  readonly media: readonly CallMedia[];
  readonly tokens: Tokens;
  readonly succeeded: boolean;
}

/** How the call ended, as the span tells it. */
interface Ending {
  readonly status: "pending" | "success" | "failed" | "timeout";
  readonly message: string | undefined;
  readonly type: string | undefined;
  readonly traceback: string | undefined;
}

/**
 * Writes the row of table generation_logs (field order of GENERATION_LOGS.columns), then takes the content that it holds
 * off the span's attributes and says so in `context.contentMoved`.
 */
export function encodeGenerationRow(out: ByteWriter, call: ModelCall): EncodedCall {
  const { view, draft, context } = call;
  const source: CallSource = { out, attributes: view.attributes, notes: context.notes, draft };
  const prompt = promptContent(view.attributes, draft);
  const response = responseContent(view.attributes, draft);
  out.u16(GENERATION_LOGS.columns.length);
  encodeKey(out, call);
  encodeIdentity(source, call);
  encodePrompt(source, prompt);
  encodeParameters(source);
  const finishReason = encodeResponse(source, response);
  const tokens = encodeUsage(source, call);
  optionalString(out, finishReason);
  conceptText(source, CONCEPT.responseId, "response_id");
  conceptInt8(source, CONCEPT.responseCreatedAt);
  const end = call.pending || hasNotEnded(call) ? PENDING : ending(source, view);
  encodeEnding(out, end);
  const resends = conceptNumber(source, CONCEPT.resendCount);
  if (resends === undefined || !(resends >= 0 && resends < MAX_INT4)) copyNull(out);
  else copyInt4(out, Math.trunc(resends) + 1);
  encodeCost(source, call, { tokens, answered: response.media });
  encodeReferences(source);
  namedValues(source, { indexes: NONE, built: metadataOf(call), shorten: parameterName });
  copyString(out, contentState(call, prompt, response));
  encodeTimes(out, call);
  context.contentMoved = call.pending ? 0 : moveContent(view, draft, [prompt, response]);
  return { media: mediaOf(prompt, response), tokens, succeeded: end.status === "success" };
}

const NO_MEDIA: readonly CallMedia[] = [];

function mediaOf(prompt: Content, response: Content): readonly CallMedia[] {
  if (prompt.media.length + response.media.length === 0) return NO_MEDIA;
  const inputs = prompt.media.map((media) => ({ ...media, direction: "input" as const }));
  const outputs = response.media.map((media) => ({ ...media, direction: "output" as const }));
  return [...inputs, ...outputs].map((media, number) => ({ ...media, number }));
}

const NONE: readonly number[] = [];
const PENDING: Ending = { status: "pending", message: undefined, type: undefined, traceback: undefined };

/** What only a call that has ended tells. */
const SIGNS_OF_END = [CONCEPT.outputTokens, CONCEPT.finishReasons, CONCEPT.outputMessages, CONCEPT.responseId, CONCEPT.errorType];

/** Whether this is the span of a call that still runs: some emitters send it when it begins, and again when it has ended. */
function hasNotEnded({ view, draft }: ModelCall): boolean {
  if ((view.endTime.lo | view.endTime.hi) !== 0 || (view.startTime.lo | view.startTime.hi) === 0 || view.statusCode !== 0) return false;
  const { built } = draft;
  if (built?.response !== undefined || built?.durationMillis !== undefined) return false;
  return !SIGNS_OF_END.some((concept) => draft.attribute[concept]! >= 0 || built?.scalars?.has(concept) === true);
}

function metadataOf({ view, draft }: ModelCall): Record<string, unknown> | undefined {
  const charged = chargedBy(view, draft);
  const said = draft.built?.metadata;
  if (charged === undefined && !draft.tokensEstimated) return said;
  return { ...said, ...charged, ...(draft.tokensEstimated ? { tokens_estimated: true } : {}) };
}

/** A pending record has the key that its call's own row will have. */
function encodeKey(out: ByteWriter, { view, context, pending }: ModelCall): void {
  copySpanKey(out, pending ? { ...context.key, spanIdOffset: view.parentSpanIdOffset } : context.key);
}

function encodeIdentity(source: CallSource, { view, draft, context, pending }: ModelCall): void {
  const { out } = source;
  const { request } = view.arena;
  if (pending) conceptText(source, CONCEPT.pendingParent, "parent_span_id");
  else if (namesSpan(request, view.parentSpanIdOffset, view.parentSpanIdSize)) {
    out.u32(16);
    out.hex(request, view.parentSpanIdOffset, view.parentSpanIdOffset + 8);
  } else copyNull(out);
  if (pending || (view.endTime.lo | view.endTime.hi) === 0) copyNull(out);
  else copyTime(out, view.endTime);
  copyString(out, context.resource.serviceName);
  optionalString(out, context.resource.environment);
  copyString(out, draft.dialect);
  conceptText(source, CONCEPT.operation, "operation_name");
  const provider = draft.attribute[CONCEPT.provider]!;
  const name = provider < 0 ? draft.built?.scalars?.get(CONCEPT.provider) : view.attributes.textFromSet(provider);
  optionalString(out, name === undefined ? undefined : canonicalProvider(String(name)));
}

function encodePrompt(source: CallSource, prompt: Content): void {
  const { draft } = source;
  contentColumn(source, prompt, "prompt_full_text");
  optionalString(source.out, prompt.format);
  conceptText(source, CONCEPT.systemInstructions, "system_instructions");
  conceptIdentifier(source, CONCEPT.promptName, "prompt_template_name");
  conceptIdentifier(source, CONCEPT.promptVersion, "prompt_template_version");
  conceptJson(source, CONCEPT.promptModules, "prompt_modules_used");
  namedValues(source, { indexes: draft.variables, built: draft.built?.variables, shorten: variableName });
  conceptText(source, CONCEPT.toolDefinitions, "tool_definitions");
}

function encodeParameters(source: CallSource): void {
  const { draft } = source;
  conceptIdentifier(source, CONCEPT.model, "model_name");
  conceptFloat8(source, CONCEPT.temperature);
  conceptInt8(source, CONCEPT.maxTokens, true);
  conceptFloat8(source, CONCEPT.topP);
  conceptFloat8(source, CONCEPT.topK);
  conceptFloat8(source, CONCEPT.frequencyPenalty);
  conceptFloat8(source, CONCEPT.presencePenalty);
  conceptInt8(source, CONCEPT.seed);
  conceptJson(source, CONCEPT.stopSequences, "model_stop_sequences");
  conceptText(source, CONCEPT.reasoningLevel, "model_reasoning_level");
  namedValues(source, { indexes: draft.parameters, built: draft.built?.parameters, shorten: parameterName });
}

/** Writes response_model … reasoning_content and returns the finish reason. */
function encodeResponse(source: CallSource, response: Content): string | undefined {
  const { out, attributes, draft } = source;
  const stated = finishReason(source);
  const details = responseDetails(attributes, response, stated === undefined);
  conceptText(source, CONCEPT.responseModel, "response_model");
  contentColumn(source, response, "response_full_text");
  optionalString(out, response.format);
  optionalString(out, details.reasoning ?? draft.built?.reasoning);
  return stated ?? details.finishReason;
}

function finishReason({ attributes, draft }: CallSource): string | undefined {
  const index = draft.attribute[CONCEPT.finishReasons]!;
  if (index >= 0) return joinFinishReasons(stringsOf(attributes, index));
  const built = draft.built?.scalars?.get(CONCEPT.finishReasons);
  return built === undefined ? undefined : joinFinishReasons(String(built).split(","));
}

function encodeUsage(source: CallSource, { view, pending }: ModelCall): Tokens {
  const { out, draft } = source;
  const tokens = normalizeTokens({
    input: conceptNumber(source, CONCEPT.inputTokens),
    output: conceptNumber(source, CONCEPT.outputTokens),
    reasoning: conceptNumber(source, CONCEPT.reasoningTokens),
    cacheRead: conceptNumber(source, CONCEPT.cacheReadTokens),
    cacheWrite: conceptNumber(source, CONCEPT.cacheWriteTokens),
    total: conceptNumber(source, CONCEPT.totalTokens),
    cacheOutsideInput: draft.cacheOutsideInput,
    reasoningOutsideOutput: draft.reasoningOutsideOutput,
  });
  optionalInt8(out, tokens.prompt);
  optionalInt8(out, tokens.completion);
  optionalInt8(out, tokens.total);
  optionalInt8(out, tokens.reasoning);
  optionalInt8(out, tokens.cacheRead);
  optionalInt8(out, tokens.cacheWrite);
  const millis = pending ? undefined : (draft.built?.durationMillis ?? durationMillis(view));
  if (millis === undefined) copyNull(out);
  else copyFloat8(out, millis);
  const firstToken = conceptNumber(source, CONCEPT.timeToFirstTokenSeconds);
  if (firstToken === undefined || firstToken < 0) copyNull(out);
  else copyFloat8(out, firstToken * 1000);
  return tokens;
}

function durationMillis(view: SpanView): number | undefined {
  const nanos = durationNanos(view);
  return nanos === undefined ? undefined : Math.max(0, Number(nanos)) / NANOS_PER_MILLI;
}

/** Span statuses. One that says OK is believed over exceptions that the call got over. */
const OK = 1;
const ERROR = 2;

function ending({ attributes, draft }: CallSource, view: SpanView): Ending {
  const textOf = (concept: number): string | undefined => {
    const index = draft.attribute[concept]!;
    const built = draft.built?.scalars?.get(concept);
    return index >= 0 ? attributes.text(index) : built === undefined ? undefined : String(built);
  };
  const type = view.statusCode === OK && draft.attribute[CONCEPT.errorType]! < 0 ? undefined : textOf(CONCEPT.errorType);
  if (view.statusCode !== ERROR && (type === undefined || type === "")) {
    return { status: "success", message: undefined, type: undefined, traceback: undefined };
  }
  const { statusMessageOffset: at, statusMessageSize: size } = view;
  const stated = size === 0 ? undefined : view.arena.request.toString("utf8", at, at + size);
  return {
    status: type !== undefined && isTimeout(type) ? "timeout" : "failed",
    message: stated ?? draft.built?.errorMessage,
    type,
    traceback: textOf(CONCEPT.errorTraceback) ?? draft.built?.errorTraceback,
  };
}

function encodeEnding(out: ByteWriter, end: Ending): void {
  copyString(out, end.status);
  optionalString(out, end.message);
  optionalString(out, end.type);
  optionalString(out, end.traceback);
}

function encodeReferences(source: CallSource): void {
  conceptIdentifier(source, CONCEPT.runId, "run_id");
  conceptIdentifier(source, CONCEPT.itemId, "item_id");
  conceptText(source, CONCEPT.conversationId, "conversation_id");
  conceptText(source, CONCEPT.userId, "user_id");
  conceptIdentifier(source, CONCEPT.entityType, "entity_type");
  conceptIdentifier(source, CONCEPT.entityId, "entity_id");
  conceptIdentifier(source, CONCEPT.qualityStatus, "quality_status");
  conceptJson(source, CONCEPT.qualityIssues, "quality_issues");
  conceptFloat8(source, CONCEPT.qualityScore);
}

function contentState({ view, draft }: ModelCall, prompt: Content, response: Content): string {
  if (prompt.truncated || response.truncated || saysTruncated(view.attributes)) return "truncated";
  if (draft.contentRedacted || wasEmptied(view)) return "redacted";
  const incomplete = prompt.format === undefined || response.format === undefined;
  // An emitter that had to drop attributes dropped the last ones: the answer.
  if (incomplete && view.droppedAttributesCount > 0) return "truncated";
  return prompt.format === undefined && response.format === undefined ? "absent" : "captured";
}

/** Whether content was taken out on its way: the key is there, and no value, or only the settings that stood in it. */
function wasEmptied({ attributes }: SpanView): boolean {
  const { count, kinds, a, b, arena } = attributes;
  for (let i = 0; i < count; i++) {
    if (kinds[i] === VALUE_EMPTY && isContentName(attributes.name(i))) return true;
    const at = position(a[i]!);
    if (kinds[i] === VALUE_STRING && beginsReduced(arena.source(a[i]!), at, at + b[i]!)) return true;
  }
  return false;
}

/** logged_at is when the call began, as in a log written before the call; updated_at when it ended. */
function encodeTimes(out: ByteWriter, { view, context }: ModelCall): void {
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
  const kind = view.attributes.kinds[index];
  // These give no text for the column, so they stay.
  if (kind === VALUE_EMPTY || kind === VALUE_BYTES) return 0;
  const text = kind === VALUE_STRING;
  if (text && view.attributes.b[index] === 0) return 0;
  view.attributes.remove(index);
  return text ? bit : bit | (bit << STRUCTURED_SHIFT);
}
