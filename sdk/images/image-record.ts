import { randomUUID } from "node:crypto";
import type { Attributes } from "@opentelemetry/api";
import * as A from "../attributes.ts";
import { microsOf, nowMicros } from "../core/clock.ts";
import type { Current } from "../core/current.ts";
import type { OpenRecord, Parent } from "../core/recorder.ts";
import { known, numberOf, textOf } from "../generation/shape.ts";
import { entityAttributes } from "../generation/start-attributes.ts";
import type { ImageAttemptInput, ImageTraceRequest, ImageTraceResponse } from "./image-trace.ts";
import { jsonContent, plainObject } from "./json-content.ts";
import { pictureFacts } from "./picture.ts";

/** What a request for images begins with. */
export interface ImageStart {
  readonly request: ImageTraceRequest;
  readonly entityType: string;
  readonly entityId: string;
  readonly parent?: Parent | undefined;
}

/** One request for images on its way. */
export interface ImageRecord {
  /** A uuid: the trace's id in the collector. */
  readonly id: string;
  readonly open: OpenRecord;
  attempt(attempt: ImageAttemptInput): void;
  /** False where it was over already. */
  complete(response: ImageTraceResponse, modelUsed?: string): boolean;
  /** False where it was over already. */
  fail(message: string): boolean;
}

/** Begins a record, and announces it unless the settings say otherwise. */
export function startImageRecord(start: ImageStart, current: Current): ImageRecord {
  const { recorder, settings } = current;
  const id = randomUUID();
  const open = recorder.start({ name: "generate images", parent: start.parent, attributes: startAttributes(id, start, current) });
  const models: string[] = [];
  let succeeded: string | undefined;
  let attempts = 0;
  let endOfLast = open.startMicros;

  function end(attributes: Attributes, error?: { message: string }): boolean {
    return open.end({
      attributes: { ...attributes, [A.GENSPAN_RECORD]: "image", [A.GENSPAN_IMAGE_MODELS_TRIED]: [...new Set(models)] },
      ...(error === undefined ? {} : { error }),
    });
  }

  return {
    id,
    open,
    attempt(attempt) {
      if (open.ended || attempts >= settings.limits.attemptsPerRecord) return;
      attempts++;
      const model = textOf(attempt.model) ?? "unknown";
      models.push(model);
      if (attempt.success) succeeded = model;
      const times = timesOf(attempt, endOfLast);
      endOfLast = times.endMicros;
      recorder.record({
        name: `image attempt ${model}`,
        parent: open.context,
        attributes: attemptAttributes(attempt, attempts, current),
        ...times,
        ...(attempt.success ? {} : { error: { message: current.content.text(errorOf(attempt), "error") } }),
      });
    },
    complete: (response, modelUsed = succeeded) =>
      end(
        known({
          [A.GENSPAN_IMAGE_STATUS]: "completed",
          [A.GENSPAN_IMAGE_RESPONSE]: jsonContent(response, "image", current),
          [A.GENSPAN_IMAGE_MODEL_USED]: textOf(modelUsed),
        }),
      ),
    fail: (message) => end({ [A.GENSPAN_IMAGE_STATUS]: "failed" }, { message: current.content.text(message, "error") ?? "failed" }),
  };
}

function startAttributes(id: string, { request, entityType, entityId }: ImageStart, current: Current): Attributes {
  return {
    [A.GENSPAN_IMAGE_ID]: id,
    [A.GENSPAN_IMAGE_STATUS]: "started",
    [A.GENSPAN_IMAGE_REQUEST]: jsonContent(request, "prompt", current) ?? "{}",
    ...entityAttributes({ type: entityType, id: entityId }),
  };
}

/** An attempt whose start is not told ended just now; one whose duration is not told either has gone on since the one before. */
function timesOf({ timestamp, duration_ms }: ImageAttemptInput, endOfLast: number): { startMicros: number; endMicros: number } {
  const given = timestamp === undefined ? undefined : microsOf(Date.parse(timestamp));
  const duration =
    typeof duration_ms === "number" && duration_ms >= 0 && Number.isFinite(duration_ms) ? Math.round(duration_ms * 1000) : undefined;
  if (given !== undefined) return { startMicros: given, endMicros: given + (duration ?? 0) };
  const now = nowMicros();
  return { startMicros: duration === undefined ? endOfLast : now - duration, endMicros: now };
}

const errorOf = ({ error, response }: ImageAttemptInput): string => error ?? response?.error ?? "failed";

/** The conventions' word for an error of no known kind. */
const OTHER = "_OTHER";

function errorTypeOf({ errorType, httpStatus }: ImageAttemptInput): string {
  const status = numberOf(httpStatus);
  return textOf(errorType) ?? (status === undefined ? OTHER : String(status));
}

function attemptAttributes(attempt: ImageAttemptInput, number: number, current: Current): Attributes {
  const { model, prompt, provider, success, httpStatus } = attempt;
  const errorType = success ? undefined : errorTypeOf(attempt);
  return known({
    [A.GENSPAN_RECORD]: "attempt",
    [A.GENSPAN_ATTEMPT_NUMBER]: number,
    [A.GENSPAN_ATTEMPT_OUTCOME]: errorType ?? "success",
    [A.ERROR_TYPE]: errorType,
    [A.GEN_AI_REQUEST_MODEL]: textOf(model),
    [A.GEN_AI_PROVIDER_NAME]: textOf(provider),
    [A.GENSPAN_ATTEMPT_HTTP_STATUS]: numberOf(httpStatus),
    [A.GENSPAN_IMAGE_REQUEST]: jsonContent({ prompt, model, ...plainObject(attempt.request) }, "prompt", current),
    ...answerAttributes(attempt, current),
  });
}

/** The picture's own size is told where the application does not tell one. */
function answerAttributes({ image, response, success, error }: ImageAttemptInput, current: Current) {
  const picture = image === undefined || current.content.policy.images === "none" ? undefined : pictureFacts(image);
  const answer = {
    success,
    ...(picture === undefined ? {} : { dataSize: picture.sizeBytes }),
    ...(error === undefined ? {} : { error }),
    ...plainObject(response),
  };
  return {
    [A.GENSPAN_IMAGE_RESPONSE]: jsonContent(answer, "image", current),
    [A.GENSPAN_IMAGE_SIZE]: picture?.sizeBytes,
    [A.GENSPAN_IMAGE_SHA256]: picture?.sha256,
    [A.GENSPAN_IMAGE_MIME_TYPE]: picture?.mimeType,
  };
}
