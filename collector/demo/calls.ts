import * as A from "../../sdk/attributes.ts";
import type { DemoModel } from "./models.ts";
import { type Attributes, type DemoSpan, KIND } from "./otlp.ts";
import type { Random } from "./random.ts";

/** Nanoseconds of a duration in milliseconds. */
export const nanos = (millis: number): bigint => BigInt(Math.round(millis * 1_000_000));

export interface CallInput {
  readonly model: DemoModel;
  /** gen_ai.operation.name; chat unless it says otherwise. */
  readonly operation?: string;
  readonly start: bigint;
  readonly parentSpanId: string;
  readonly system?: string;
  readonly prompt: string;
  readonly answer: string;
  readonly reasoning?: string;
  /** A PNG that is the answer of a model for pictures. */
  readonly picture?: Buffer;
  /** 1 is as fast as the model usually is. */
  readonly slowness?: number;
  /** An error type of the provider, such as 429: the call then has no answer. */
  readonly failure?: Failure;
  readonly finishReason?: string;
  /** Prompt, entity, quality and whatever else the application knows. */
  readonly attributes?: Attributes;
}

export interface Failure {
  readonly type: string;
  readonly message: string;
  /** How long the caller waited for it. */
  readonly millis: number;
}

export const RATE_LIMITED: Failure = { type: "429", message: "Rate limit reached: please try again in 2 s.", millis: 240 };
export const TIMED_OUT: Failure = { type: "timeout", message: "Request timed out after 30000 ms.", millis: 30_000 };

/** About four characters make a token in the languages used here. */
const tokens = (text: string): number => Math.ceil(text.length / 4);

/** Of a picture of 1024 by 1024 in medium quality. */
const PICTURE_TOKENS = 1_056;

const text = (content: string): object => ({ type: "text", content });

const blob = (content: Buffer): object => ({
  type: "blob",
  modality: "image",
  mime_type: "image/png",
  content: content.toString("base64"),
});

function outputMessages({ answer, reasoning, picture, finishReason }: CallInput): string {
  const said = picture === undefined ? text(answer) : blob(picture);
  const parts = [...(reasoning === undefined ? [] : [{ type: "reasoning", content: reasoning }]), said];
  return JSON.stringify([{ role: "assistant", parts, finish_reason: finishReason ?? "stop" }]);
}

function answerOf(input: CallInput, random: Random): { readonly attributes: Attributes; readonly millis: number } {
  const { model, slowness = 1 } = input;
  const reasoning = model.reasoningTokens === 0 ? 0 : Math.round(random.around(model.reasoningTokens, 0.6));
  const inputTokens = tokens((input.system ?? "") + input.prompt) + 8;
  const outputTokens = (input.picture === undefined ? tokens(input.answer) : PICTURE_TOKENS) + reasoning;
  const firstChunk = random.around(model.millisToFirstChunk) * slowness;
  const millis = firstChunk + (random.around(outputTokens / model.tokensPerSecond, 0.25) * 1000 + 20) * slowness;
  const cost = model.price && (inputTokens * model.price[0] + outputTokens * model.price[1]) / 1_000_000;
  return {
    millis,
    attributes: {
      [A.GEN_AI_RESPONSE_MODEL]: model.responseModel,
      [A.GEN_AI_RESPONSE_ID]: `resp_${random.hex(12)}`,
      [A.GEN_AI_RESPONSE_FINISH_REASONS]: [input.finishReason ?? "stop"],
      [A.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK]: Number((firstChunk / 1000).toFixed(4)),
      [A.GEN_AI_USAGE_INPUT_TOKENS]: inputTokens,
      [A.GEN_AI_USAGE_OUTPUT_TOKENS]: outputTokens,
      [A.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS]: reasoning === 0 ? undefined : reasoning,
      [A.GEN_AI_OUTPUT_MESSAGES]: outputMessages(input),
      [A.GENSPAN_COST_AMOUNT]: cost === undefined ? undefined : Number(cost.toFixed(8)),
      [A.GENSPAN_COST_CURRENCY]: cost === undefined ? undefined : "USD",
    },
  };
}

/** One model call as a span in the current semantic conventions, content included. */
export function callSpan(input: CallInput, random: Random): DemoSpan {
  const { model, failure, start, operation = "chat" } = input;
  const spanId = random.hex(8);
  const answered = failure === undefined ? answerOf(input, random) : undefined;
  const millis = failure === undefined ? answered!.millis : random.around(failure.millis, 0.1);
  return {
    spanId,
    parentSpanId: input.parentSpanId,
    name: `${operation} ${model.name}`,
    kind: KIND.client,
    start,
    end: start + nanos(millis),
    attributes: {
      [A.GEN_AI_OPERATION_NAME]: operation,
      [A.GEN_AI_PROVIDER_NAME]: model.provider,
      [A.GEN_AI_REQUEST_MODEL]: model.name,
      [A.GEN_AI_REQUEST_MAX_TOKENS]: 2_048,
      [A.GEN_AI_SYSTEM_INSTRUCTIONS]: input.system === undefined ? undefined : JSON.stringify([text(input.system)]),
      [A.GEN_AI_INPUT_MESSAGES]: JSON.stringify([{ role: "user", parts: [text(input.prompt)] }]),
      ...answered?.attributes,
      [A.ERROR_TYPE]: failure?.type,
      ...input.attributes,
    },
    ...(failure === undefined ? {} : { error: failure.message }),
  };
}
