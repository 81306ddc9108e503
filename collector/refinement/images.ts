import * as A from "../../sdk/attributes.ts";
import { isObject, type Json, parseJson, stringOf } from "../dialects/json.ts";
import { extractMedia } from "../rows/message-media.ts";
import { shortIdentifier } from "../rows/values.ts";
import { type Attempt, attemptsOf, recordedAttempts } from "./attempts.ts";
import type { Belonging } from "./belonging.ts";
import type { CallFacts, ChildSpan } from "./facts.ts";
import type { FoldedCall } from "./fold.ts";
import { recordUuid } from "./record-id.ts";
import { updatesOf } from "./updates.ts";

/** One row of image_traces. Times are PostgreSQL's text. */
export interface ImageRow {
  readonly id: string;
  readonly spanId: string;
  readonly status: "started" | "completed" | "failed";
  readonly createdAt: string;
  readonly completedAt: string | undefined;
  readonly requestData: Json;
  readonly responseData: Json;
  readonly modelsTried: readonly string[];
  readonly modelUsed: string | undefined;
  readonly totalDurationMs: number | undefined;
  readonly attempts: readonly ImageAttempt[];
  /** The same as rows of generation_attempts; undefined where the model call that the image is made of has them. */
  readonly tries: readonly Attempt[] | undefined;
  readonly errorMessage: string | undefined;
  readonly runId: string | undefined;
  readonly entityType: string | undefined;
  readonly entityId: string | undefined;
  readonly environment: string | undefined;
}

/** One try of a model, in the keys that readers of image traces know. */
export interface ImageAttempt {
  readonly model: string | undefined;
  readonly prompt: string | undefined;
  readonly request: Json;
  readonly response: Json;
  readonly duration_ms: number | undefined;
  readonly success: boolean;
  readonly error: string | undefined;
  readonly timestamp: string | undefined;
}

export interface ImageEvidence {
  readonly projectId: number;
  readonly traceId: string;
  /** All records of ours and requests over HTTP of the trace. */
  readonly children: readonly ChildSpan[];
  readonly counted: readonly FoldedCall[];
  /** Content of calls, by span, that comes from elsewhere than their own rows. */
  readonly filled: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
  readonly belonging: Belonging;
}

/**
 * The image traces of one trace: one per image record of ours (announced by a pending record, or ended), and one per image-generating call that no such
 * record is around.
 */
export function imageRows(evidence: ImageEvidence): ImageRow[] {
  const records = evidence.children.filter(({ attributes }) => attributes[A.GENSPAN_RECORD] === "image");
  const ended = new Set(records.map(({ spanId }) => spanId));
  const announced = evidence.children.filter((span) => isAnnouncement(span) && !ended.has(span.parentSpanId));
  const told = new Set([...ended, ...announced.map(({ parentSpanId }) => parentSpanId)]);
  for (const { spanId, parentSpanId, attributes } of evidence.children) {
    if (attributes[A.GENSPAN_RECORD] === "attempt" && told.has(parentSpanId)) told.add(spanId);
  }
  const calls = evidence.counted.filter(({ call }) => !(call.parentSpanId !== undefined && told.has(call.parentSpanId)));
  return [
    ...records.map((span) => fromRecord(span, evidence)),
    ...announced.map((span) => fromAnnouncement(span, evidence)),
    ...calls.flatMap((folded) => fromCall(folded, evidence) ?? []),
  ];
}

/** What an image trace is made of, where the call, or another row that tells of it, is one for images or answered with some; else undefined. */
function imageFacts({ call, twins }: FoldedCall, { filled }: ImageEvidence): Readonly<Record<string, unknown>> | undefined {
  const content = filled.get(call.spanId) ?? {};
  const response = content["response_full_text"];
  const told = call.image ?? twins.find(({ image }) => image !== undefined)?.image;
  if (told === undefined && !(typeof response === "string" && hasImage(response))) return undefined;
  return { ...told, prompt: content["prompt_full_text"] ?? told?.["prompt"], response: response ?? told?.["response"] };
}

const hasImage = (messages: string): boolean =>
  messages.includes('"image') && extractMedia(messages).media.some(({ modality }) => modality === "image");

/** Announced by its request, or by its state alone where the request, as content, was dropped on its way. */
const isAnnouncement = ({ attributes }: ChildSpan): boolean =>
  attributes[A.GENSPAN_RECORD] === "pending" && (attributes[A.GENSPAN_IMAGE_REQUEST] ?? attributes[A.GENSPAN_IMAGE_STATUS]) !== undefined;

const idOf = ({ traceId }: ImageEvidence, spanId: string, given: unknown): string => recordUuid(given, `image/${traceId}/${spanId}`);

const opened = (value: unknown): Json => (typeof value === "string" ? (parseJson(value) ?? value) : value);
const distinct = (models: readonly (string | undefined)[]): string[] => [...new Set(models.filter((model) => model !== undefined))];

/** What the image belongs to: as its latest update says, else its record, else the spans above it. */
function references({ attributes }: ChildSpan, spanId: string, { children, belonging }: ImageEvidence) {
  const updates = updatesOf(children.filter(({ parentSpanId }) => parentSpanId === spanId));
  const entity = updates.get("entity")?.columns;
  return {
    runId: identifierOf(updates.get("run")?.columns["run_id"] ?? attributes[A.GENSPAN_RUN_ID]) ?? belonging.runOf(spanId)?.id,
    entityType: identifierOf(entity === undefined ? attributes[A.GENSPAN_ENTITY_TYPE] : entity["entity_type"]),
    entityId: identifierOf(entity === undefined ? attributes[A.GENSPAN_ENTITY_ID] : entity["entity_id"]),
  };
}

function attemptsBelow(spanId: string, { children }: ImageEvidence): ImageAttempt[] {
  const tries = children.filter(({ parentSpanId, attributes }) => parentSpanId === spanId && attributes[A.GENSPAN_RECORD] === "attempt");
  const number = ({ attributes }: ChildSpan): number => Number(attributes[A.GENSPAN_ATTEMPT_NUMBER] ?? Number.MAX_SAFE_INTEGER);
  return tries.sort((a, b) => number(a) - number(b) || a.startMillis - b.startMillis || (a.spanId < b.spanId ? -1 : 1)).map(attemptOf);
}

const triesBelow = (spanId: string, { children }: ImageEvidence): Attempt[] =>
  recordedAttempts(
    children.filter(({ parentSpanId }) => parentSpanId === spanId),
    { provider: undefined, model: undefined },
  );

function attemptOf(span: ChildSpan): ImageAttempt {
  const { attributes } = span;
  const request = opened(attributes[A.GENSPAN_IMAGE_REQUEST]);
  const response = opened(attributes[A.GENSPAN_IMAGE_RESPONSE]);
  const outcome = stringOf(attributes[A.GENSPAN_ATTEMPT_OUTCOME]);
  const success = outcome === undefined ? !span.failed : outcome === "success";
  const inRequest = isObject(request) ? request : {};
  const inResponse = isObject(response) ? response : {};
  return {
    model: stringOf(attributes[A.GEN_AI_REQUEST_MODEL]) ?? stringOf(inRequest["model"]),
    prompt: stringOf(inRequest["prompt"]),
    request,
    response,
    duration_ms: span.durationMillis,
    success,
    error: success ? undefined : (stringOf(inResponse["error"]) ?? span.statusMessage ?? stringOf(attributes[A.ERROR_TYPE])),
    timestamp: new Date(span.startMillis).toISOString(),
  };
}

function fromRecord(span: ChildSpan, evidence: ImageEvidence): ImageRow {
  const { attributes } = span;
  const attempts = attemptsBelow(span.spanId, evidence);
  const stated = stringOf(attributes[A.GENSPAN_IMAGE_STATUS]);
  const status = stated === "started" || stated === "completed" || stated === "failed" ? stated : span.failed ? "failed" : "completed";
  const listed = opened(attributes[A.GENSPAN_IMAGE_MODELS_TRIED]);
  const tried = Array.isArray(listed) ? listed.map(stringOf) : attempts.map(({ model }) => model);
  return {
    id: idOf(evidence, span.spanId, attributes[A.GENSPAN_IMAGE_ID]),
    spanId: span.spanId,
    status,
    createdAt: span.startTime,
    completedAt: status === "started" ? undefined : span.endTime,
    requestData: opened(attributes[A.GENSPAN_IMAGE_REQUEST]),
    responseData: opened(attributes[A.GENSPAN_IMAGE_RESPONSE]),
    modelsTried: distinct(tried),
    modelUsed: stringOf(attributes[A.GENSPAN_IMAGE_MODEL_USED]) ?? attempts.findLast(({ success }) => success)?.model,
    totalDurationMs: status === "started" ? undefined : span.durationMillis,
    attempts,
    tries: triesBelow(span.spanId, evidence),
    errorMessage: status === "failed" ? (span.statusMessage ?? attempts.findLast(({ error }) => error !== undefined)?.error) : undefined,
    environment: span.environment,
    ...references(span, span.spanId, evidence),
  };
}

/** An image that was announced and of whose end nothing is known. */
function fromAnnouncement(span: ChildSpan, evidence: ImageEvidence): ImageRow {
  const attempts = attemptsBelow(span.parentSpanId, evidence);
  return {
    id: idOf(evidence, span.parentSpanId, span.attributes[A.GENSPAN_IMAGE_ID]),
    spanId: span.parentSpanId,
    status: "started",
    createdAt: span.startTime,
    completedAt: undefined,
    requestData: opened(span.attributes[A.GENSPAN_IMAGE_REQUEST]),
    responseData: undefined,
    modelsTried: distinct(attempts.map(({ model }) => model)),
    modelUsed: undefined,
    totalDurationMs: undefined,
    attempts,
    tries: triesBelow(span.parentSpanId, evidence),
    errorMessage: undefined,
    environment: span.environment,
    ...references(span, span.parentSpanId, evidence),
  };
}

function fromCall(folded: FoldedCall, evidence: ImageEvidence): ImageRow | undefined {
  const { call, twins } = folded;
  const facts = imageFacts(folded, evidence);
  if (facts === undefined) return undefined;
  const spans = new Set([call, ...twins].map(({ spanId }) => spanId));
  const below = evidence.children.filter(({ spanId, parentSpanId }) => spans.has(parentSpanId) && !spans.has(spanId));
  const tries = attemptsOf(folded, below, evidence.counted) ?? [asAttempt(call)];
  const attempts = tries.map((attempt) => attemptOfCall(attempt, facts["prompt"]));
  const status = call.status === "pending" ? "started" : call.status === "success" ? "completed" : "failed";
  return {
    id: idOf(evidence, call.spanId, undefined),
    spanId: call.spanId,
    status,
    createdAt: call.startTime,
    completedAt: status === "started" ? undefined : call.endTime,
    requestData: { prompt: facts["prompt"], model: call.model, parameters: facts["parameters"] },
    responseData: status === "completed" ? opened(facts["response"]) : undefined,
    modelsTried: distinct(attempts.map(({ model }) => model)),
    modelUsed: status === "completed" ? (call.responseModel ?? call.model) : undefined,
    totalDurationMs: call.endMillis === undefined ? undefined : call.endMillis - call.startMillis,
    attempts: status === "started" ? [] : attempts,
    tries: undefined,
    errorMessage: call.errorMessage,
    runId: identifierOf(facts["run_id"]) ?? evidence.belonging.runOf(call.spanId)?.id,
    entityType: identifierOf(facts["entity_type"]),
    entityId: identifierOf(facts["entity_id"]),
    environment: stringOf(facts["environment"]),
  };
}

const asAttempt = (call: CallFacts): Attempt => ({
  number: 1,
  provider: call.provider,
  model: call.model,
  startedAt: call.startTime,
  durationMillis: call.endMillis === undefined ? undefined : call.endMillis - call.startMillis,
  success: call.status === "success",
  httpStatus: undefined,
  errorType: call.errorType,
  errorMessage: call.errorMessage,
});

function attemptOfCall(
  { model, durationMillis, success, errorMessage, errorType, startedAt, httpStatus }: Attempt,
  prompt: Json,
): ImageAttempt {
  const error = success ? undefined : (errorMessage ?? errorType);
  return {
    model,
    prompt: promptText(prompt),
    request: { prompt: promptText(prompt), model },
    response: { success, ...(error === undefined ? {} : { error }), ...(httpStatus === undefined ? {} : { status: httpStatus }) },
    duration_ms: durationMillis,
    success,
    error,
    timestamp: startedAt,
  };
}

/** What was asked for, from plain text or from messages. */
function promptText(prompt: Json): string | undefined {
  const text = stringOf(prompt);
  const messages = text?.startsWith("[") === true ? parseJson(text) : undefined;
  if (!Array.isArray(messages)) return text;
  const parts = messages.flatMap((message: Json) =>
    isObject(message) && Array.isArray(message["parts"]) ? (message["parts"] as Json[]) : [],
  );
  const texts = parts.map((part) => (isObject(part) && part["type"] === "text" ? stringOf(part["content"]) : undefined));
  return texts.filter((each) => each !== undefined).join("\n") || text;
}

/** Text of a column that an index covers. */
function identifierOf(value: unknown): string | undefined {
  const text = stringOf(value);
  return text === undefined ? undefined : shortIdentifier(text);
}
