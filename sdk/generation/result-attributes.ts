import * as A from "../attributes.ts";
import type { Content } from "../core/content.ts";
import type { Current } from "../core/current.ts";
import type { RecordAttributes } from "../core/deferred-text.ts";
import { type Message, messagesText, oneMessage, toMessages } from "./messages.ts";
import { numberOf, textOf } from "./shape.ts";
import { put, truncationFlag, whole } from "./start-attributes.ts";
import type { GenerationResult, Usage } from "./types.ts";

const GROUPS: readonly ((into: RecordAttributes, result: GenerationResult, content: Content) => void)[] = [
  (into, { responseId, responseModel, createdAt }) => {
    put(into, A.GEN_AI_RESPONSE_ID, textOf(responseId));
    put(into, A.GEN_AI_RESPONSE_MODEL, textOf(responseModel));
    put(into, A.GENSPAN_RESPONSE_CREATED_AT, whole(createdAt));
  },
  (into, { finishReasons, finishReason }) => {
    const reasons = (finishReasons ?? [finishReason]).filter((reason) => textOf(reason) !== undefined) as string[];
    if (reasons.length > 0) into[A.GEN_AI_RESPONSE_FINISH_REASONS] = reasons;
  },
  (into, { usage }) => putUsage(into, usage),
  (into, { cost }) => {
    if (cost === undefined || cost === null) return;
    put(into, A.GENSPAN_COST_AMOUNT, numberOf(cost.amount));
    put(into, A.GENSPAN_COST_CURRENCY, textOf(cost.currency));
  },
  (into, result, content) => {
    const output = messagesText(outputMessages(result, content), content);
    put(into, A.GENSPAN_CONTENT_TRUNCATED, truncationFlag(output, content));
    put(into, A.GEN_AI_OUTPUT_MESSAGES, output);
  },
];

/** What came of a call, under the names of the conventions. What cannot be read costs its own group only. */
export function putResult(
  into: RecordAttributes,
  result: GenerationResult,
  { content, recorder }: Pick<Current, "content" | "recorder">,
): void {
  for (const group of GROUPS) {
    try {
      group(into, result, content);
    } catch (error) {
      recorder.problems.failed("reading what a generation ended with", error);
    }
  }
}

function outputMessages({ text, messages, reasoning, finishReason }: GenerationResult, content: Content): Message[] {
  const made = messages ? toMessages(messages, "assistant", content) : oneMessage("assistant", text ?? "", content);
  const thought = messages === undefined ? content.text(textOf(reasoning), "reasoning") : undefined;
  const [first, ...rest] = thought === undefined ? made : withReasoning(made, thought);
  if (first === undefined) return [];
  const reason = textOf(finishReason);
  return [reason === undefined || first.finish_reason !== undefined ? first : { ...first, finish_reason: reason }, ...rest];
}

function withReasoning(messages: readonly Message[], thought: string): Message[] {
  const part = { type: "reasoning", content: thought };
  const [first = { role: "assistant", parts: [] }, ...rest] = messages;
  return [{ ...first, parts: [part, ...first.parts] }, ...rest];
}

/** Token counts under the names of the conventions. */
function putUsage(into: RecordAttributes, usage: Usage | undefined): void {
  if (usage === undefined || usage === null) return;
  const { input, output, cacheRead, cacheWrite, reasoning } = countedUsage(usage);
  put(into, A.GEN_AI_USAGE_INPUT_TOKENS, input);
  put(into, A.GEN_AI_USAGE_OUTPUT_TOKENS, output);
  put(into, A.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS, cacheRead);
  put(into, A.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS, cacheWrite);
  put(into, A.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS, reasoning);
}

interface CountedUsage {
  readonly input: number | undefined;
  readonly output: number | undefined;
  readonly cacheRead: number | undefined;
  readonly cacheWrite: number | undefined;
  readonly reasoning: number | undefined;
}

/** As the conventions count: input with cached tokens, output with reasoning. */
export function countedUsage(usage: Usage): CountedUsage {
  const reasoning = count(usage.reasoning);
  const cacheRead = count(usage.cacheRead);
  const cacheWrite = count(usage.cacheWrite);
  const cached = usage.cacheInInput === false ? (cacheRead ?? 0) + (cacheWrite ?? 0) : 0;
  const thought = isBeside(usage) ? (reasoning ?? 0) : 0;
  const total = count(usage.total);
  const input = plus(count(usage.input), cached);
  const output = plus(count(usage.output), thought);
  return { input: input ?? difference(total, output), output: output ?? difference(total, input), cacheRead, cacheWrite, reasoning };
}

/** A number of tokens; fewer than none are not known. */
function count(value: unknown): number | undefined {
  const tokens = whole(value);
  return tokens === undefined || tokens < 0 ? undefined : tokens;
}

/** More reasoning than output cannot be a part of it, whatever nobody said. */
const isBeside = ({ reasoningInOutput, reasoning, output }: Usage): boolean =>
  !(reasoningInOutput ?? (reasoning === undefined || output === undefined || reasoning <= output));

const plus = (count: number | undefined, more: number): number | undefined => (count === undefined ? undefined : count + more);
const difference = (total: number | undefined, part: number | undefined): number | undefined =>
  total === undefined || part === undefined ? undefined : Math.max(0, total - part);
