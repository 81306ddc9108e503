import type { Attributes, AttributeValue } from "@opentelemetry/api";
import * as A from "../attributes.ts";
import { type Content, isTruncated } from "../core/content.ts";
import type { Current } from "../core/current.ts";
import { type DeferredText, isDeferred, type RecordAttributes } from "../core/deferred-text.ts";
import { safeAttributes } from "../core/safe-attributes.ts";
import { safeJson, safeText } from "../core/safe-json.ts";
import { messagesText, oneMessage, toMessages } from "./messages.ts";
import { providerOfModel } from "./provider-names.ts";
import { idOf, known, numberOf, textOf } from "./shape.ts";
import type { EntityRef, GenerationStart, ModelParams, PromptInfo, Quality } from "./types.ts";

export const DEFAULT_OPERATION = "chat";

/** Variables of one prompt that are recorded. */
const MAX_VARIABLES = 128;

/** Writes one attribute where its value is known. Objects in between would cost as much again as the attributes. */
export function put(into: RecordAttributes, name: string, value: AttributeValue | DeferredText | undefined): void {
  if (value !== undefined) into[name] = value;
}

const GROUPS: readonly ((into: RecordAttributes, start: GenerationStart, content: Content) => void)[] = [
  (into, { attributes }, content) => {
    if (attributes !== undefined) Object.assign(into, safeAttributes(attributes, content));
  },
  putCall,
  (into, { params }) => putParameters(into, params),
  (into, { entity }) => {
    if (entity !== undefined) Object.assign(into, entityAttributes(entity));
  },
  (into, { prompt }, content) => putPrompt(into, prompt, content),
  (into, { metadata }, content) => put(into, A.GENSPAN_METADATA, content.text(safeJson(metadata), "metadata")),
  putContent,
];

/** Everything that is known before the call, under the names of the conventions. What cannot be read costs its own group only. */
export function startAttributes(start: GenerationStart, { content, recorder }: Pick<Current, "content" | "recorder">): RecordAttributes {
  const attributes: RecordAttributes = {};
  for (const group of GROUPS) {
    try {
      group(attributes, start, content);
    } catch (error) {
      recorder.problems.failed("reading what a generation starts with", error);
    }
  }
  return attributes;
}

function putCall(into: RecordAttributes, start: GenerationStart, content: Content): void {
  const { model, operation = DEFAULT_OPERATION, provider = providerOfModel(String(model)) } = start;
  put(into, A.GEN_AI_OPERATION_NAME, textOf(operation));
  put(into, A.GEN_AI_PROVIDER_NAME, textOf(provider));
  put(into, A.GEN_AI_REQUEST_MODEL, textOf(model) && content.label(model));
  put(into, A.GEN_AI_CONVERSATION_ID, idOf(start.conversationId));
  put(into, A.USER_ID, idOf(start.userId));
  put(into, A.GEN_AI_REQUEST_STREAM, start.stream === true ? true : undefined);
}

function putParameters(into: RecordAttributes, params: ModelParams | undefined): void {
  if (params === undefined || params === null) return;
  const stop = typeof params.stop === "string" ? [params.stop] : params.stop;
  put(into, A.GEN_AI_REQUEST_TEMPERATURE, numberOf(params.temperature));
  put(into, A.GEN_AI_REQUEST_MAX_TOKENS, whole(params.maxTokens));
  put(into, A.GEN_AI_REQUEST_TOP_P, numberOf(params.topP));
  put(into, A.GEN_AI_REQUEST_TOP_K, whole(params.topK));
  put(into, A.GEN_AI_REQUEST_FREQUENCY_PENALTY, numberOf(params.frequencyPenalty));
  put(into, A.GEN_AI_REQUEST_PRESENCE_PENALTY, numberOf(params.presencePenalty));
  put(into, A.GEN_AI_REQUEST_SEED, whole(params.seed));
  put(into, A.GEN_AI_REQUEST_STOP_SEQUENCES, stop === undefined ? undefined : texts(stop));
  put(into, A.GEN_AI_REQUEST_REASONING_LEVEL, textOf(params.reasoningEffort));
  put(into, A.GEN_AI_REQUEST_CHOICE_COUNT, params.choices === 1 ? undefined : whole(params.choices));
  put(into, A.GEN_AI_OUTPUT_TYPE, textOf(params.outputType));
}

/** Attributes that are integers by the conventions. */
export function whole(value: unknown): number | undefined {
  const number = numberOf(value);
  return number !== undefined && Number.isSafeInteger(Math.round(number)) ? Math.round(number) : undefined;
}

const texts = (values: readonly unknown[]): string[] => values.filter((value) => typeof value === "string");

function putPrompt(into: RecordAttributes, prompt: PromptInfo | undefined, content: Content): void {
  if (prompt === undefined || prompt === null) return;
  put(into, A.GEN_AI_PROMPT_NAME, textOf(prompt.name));
  put(into, A.GEN_AI_PROMPT_VERSION, prompt.version === undefined || prompt.version === null ? undefined : String(prompt.version));
  put(into, A.GENSPAN_PROMPT_MODULES, prompt.modules === undefined ? undefined : texts(prompt.modules));
  putVariables(into, prompt.variables ?? {}, content);
}

function putVariables(into: RecordAttributes, variables: Readonly<Record<string, unknown>>, content: Content): void {
  for (const name of Object.keys(variables).slice(0, MAX_VARIABLES)) {
    put(into, A.GEN_AI_PROMPT_VARIABLE_PREFIX + name, content.text(safeText(variables[name]), "variables"));
  }
}

/** The content itself comes last: a limit on the number of attributes then costs nothing else. */
function putContent(into: RecordAttributes, { prompt, messages, system, tools }: GenerationStart, content: Content): void {
  const asked = typeof messages === "string" ? messages : prompt?.text;
  const isList = messages !== undefined && messages !== null && typeof messages !== "string";
  const input = isList ? toMessages(messages, "user", content) : asked === undefined ? undefined : oneMessage("user", asked, content);
  const instructions = content.text(textOf(system), "system");
  const isText = !isList && input?.length === 1;
  const text = messagesText(input, content);
  put(into, A.GENSPAN_PROMPT_FORMAT, isText ? "text" : undefined);
  put(into, A.GENSPAN_CONTENT_TRUNCATED, truncationFlag(text, content));
  put(into, A.GEN_AI_TOOL_DEFINITIONS, tools === undefined || tools.length === 0 ? undefined : content.text(safeJson(tools), "tools"));
  put(
    into,
    A.GEN_AI_SYSTEM_INSTRUCTIONS,
    instructions === undefined ? undefined : JSON.stringify([{ type: "text", content: instructions }]),
  );
  put(into, A.GEN_AI_INPUT_MESSAGES, text);
}

/** `true` where messages had to be cut; undefined where not. Those whose writing is put off are too short for that. */
export const truncationFlag = (messages: string | DeferredText | undefined, { policy }: Content): true | undefined =>
  !isDeferred(messages) && isTruncated(messages, policy.maxBytes) ? true : undefined;

export function entityAttributes(entity: EntityRef | undefined): Attributes {
  if (entity === undefined || entity === null) return {};
  return known({
    [A.GENSPAN_ENTITY_TYPE]: textOf(entity.type),
    [A.GENSPAN_ENTITY_ID]: entity.id === undefined || entity.id === null ? undefined : String(entity.id),
    [A.GENSPAN_ENTITY_RELATION]: textOf(entity.relation),
  });
}

export function qualityAttributes(quality: Quality): Attributes {
  const { status, issues, score, by } = quality;
  const attributes: Record<string, AttributeValue | undefined> = {
    [A.GENSPAN_QUALITY_STATUS]: textOf(status),
    [A.GENSPAN_QUALITY_ISSUES]: issues === undefined ? undefined : texts(issues),
    [A.GENSPAN_QUALITY_SCORE]: numberOf(score),
    [A.GENSPAN_QUALITY_BY]: textOf(by),
  };
  return known(attributes);
}
