import * as A from "../attributes.ts";
import type { Content } from "../core/content.ts";
import type { RecordAttributes } from "../core/deferred-text.ts";
import { type Message, messagesText, toMessages } from "./messages.ts";
import { known, numberOf, textOf } from "./shape.ts";
import { truncationFlag, whole } from "./start-attributes.ts";
import type { GenerationResult, Usage } from "./types.ts";

/** What came of a call, under the names of the conventions. */
export function resultAttributes(result: GenerationResult, content: Content): RecordAttributes {
  const reasons = (result.finishReasons ?? [result.finishReason]).filter((reason) => textOf(reason) !== undefined) as string[];
  const output = messagesText(outputMessages(result, content), content);
  return known({
    [A.GENSPAN_CONTENT_TRUNCATED]: truncationFlag(output, content),
    [A.GEN_AI_RESPONSE_ID]: textOf(result.responseId),
    [A.GEN_AI_RESPONSE_MODEL]: textOf(result.responseModel),
    [A.GEN_AI_RESPONSE_FINISH_REASONS]: reasons.length > 0 ? reasons : undefined,
    [A.GENSPAN_RESPONSE_CREATED_AT]: whole(result.createdAt),
    ...usageAttributes(result.usage),
    [A.GENSPAN_COST_AMOUNT]: numberOf(result.cost?.amount),
    [A.GENSPAN_COST_CURRENCY]: textOf(result.cost?.currency),
    [A.GEN_AI_OUTPUT_MESSAGES]: output,
  });
}

function outputMessages({ text, messages, reasoning, finishReason }: GenerationResult, content: Content): Message[] {
  const given = messages ?? (text === undefined && reasoning === undefined ? [] : [{ role: "assistant", content: text ?? "" }]);
  const made = toMessages(given, "assistant", content);
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

/** Token counts as the conventions count: input with cached tokens, output with reasoning. */
function usageAttributes(usage: Usage | undefined): Record<string, number | undefined> {
  if (usage === undefined || usage === null) return {};
  const reasoning = whole(usage.reasoning);
  const cacheRead = whole(usage.cacheRead);
  const cacheWrite = whole(usage.cacheWrite);
  const cached = usage.cacheInInput === false ? (cacheRead ?? 0) + (cacheWrite ?? 0) : 0;
  const thought = isBeside(usage) ? (reasoning ?? 0) : 0;
  const total = whole(usage.total);
  const input = plus(whole(usage.input), cached);
  const output = plus(whole(usage.output), thought);
  return {
    [A.GEN_AI_USAGE_INPUT_TOKENS]: input ?? difference(total, output),
    [A.GEN_AI_USAGE_OUTPUT_TOKENS]: output ?? difference(total, input),
    [A.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS]: cacheRead,
    [A.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS]: cacheWrite,
    [A.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS]: reasoning,
  };
}

/** More reasoning than output cannot be a part of it, whatever nobody said. */
const isBeside = ({ reasoningInOutput, reasoning, output }: Usage): boolean =>
  !(reasoningInOutput ?? (reasoning === undefined || output === undefined || reasoning <= output));

const plus = (count: number | undefined, more: number): number | undefined => (count === undefined ? undefined : count + more);
const difference = (total: number | undefined, part: number | undefined): number | undefined =>
  total === undefined || part === undefined ? undefined : Math.max(0, total - part);
