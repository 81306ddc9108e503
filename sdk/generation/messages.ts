import { type Content, sharingBound } from "../core/content.ts";
import { type DeferredText, deferredJson } from "../core/deferred-text.ts";
import { type Part, type PartContext, reasoningParts, toolCall, toolResult, toParts } from "./message-parts.ts";
import { isShape, listAt, type Shape, textAt } from "./shape.ts";

/** One message as the conventions write it. */
export interface Message {
  readonly role: string;
  readonly parts: readonly Part[];
  readonly name?: string;
  readonly finish_reason?: string;
}

const PLACES = { user: "prompt", assistant: "output" } as const;

const ROLES: ReadonlyMap<string, string> = new Map([
  ["model", "assistant"],
  ["ai", "assistant"],
  ["human", "user"],
  ["developer", "system"],
  ["function", "tool"],
]);

/** Items of OpenAI's responses API that stand among the messages. */
const ITEMS: ReadonlyMap<unknown, string> = new Map([
  ["function_call", "assistant"],
  ["function_call_output", "tool"],
  ["reasoning", "assistant"],
  ["image_generation_call", "assistant"],
]);

/**
 * Messages of any provider in the conventions' shape, as far as the content policy lets them through. Together they stay within its bound: the newest message
 * is what matters most, so the oldest are cut first.
 */
export function toMessages(messages: readonly unknown[], role: "user" | "assistant", content: Content): Message[] {
  const context: PartContext = { content: sharingBound(content), place: PLACES[role] };
  const newestFirst = messages.toReversed().map((message) => readable(() => toMessage(message, role, context), role));
  return newestFirst.reverse().filter(({ parts }) => parts.length > 0);
}

/** One message: most calls ask and answer with one text, which needs none of what other content does. */
export function oneMessage(role: "user" | "assistant", said: unknown, content: Content): Message[] {
  if (typeof said !== "string") return toMessages([{ role, content: said }], role, content);
  const text = said === "" ? undefined : content.text(said, PLACES[role]);
  return text === undefined ? [] : [{ role, parts: [{ type: "text", content: text }] }];
}

/**
 * JSON text of messages; undefined where nothing of them is recorded. It is written later where they hold nothing but texts, whose size is known without, and
 * so short that none of them can have been cut.
 */
export function messagesText(messages: readonly Message[] | undefined, { policy }: Content): string | DeferredText | undefined {
  if (messages === undefined || messages.length === 0) return undefined;
  let characters = 0;
  for (const { parts } of messages) {
    for (const { type, content } of parts) {
      if ((type !== "text" && type !== "reasoning") || typeof content !== "string") return JSON.stringify(messages);
      characters += content.length;
    }
  }
  return characters * 3 < policy.maxBytes ? deferredJson(messages, textBytes) : JSON.stringify(messages);
}

/** What the texts of messages take that hold nothing else, in bytes. */
function textBytes(messages: readonly Message[]): number {
  let bytes = 0;
  for (const { parts } of messages) {
    for (const { content } of parts) if (typeof content === "string") bytes += Buffer.byteLength(content);
  }
  return bytes;
}

/** A message that cannot be read, because a getter of it throws, says so; the others stay. */
function readable(read: () => Message, role: string): Message {
  try {
    return read();
  } catch {
    return { role, parts: [{ type: "text", content: "[unreadable]" }] };
  }
}

function toMessage(message: unknown, defaultRole: string, context: PartContext): Message {
  if (!isShape(message)) return { role: defaultRole, parts: toParts(message, context) };
  const item = ITEMS.get(message["type"]);
  if (message["role"] === undefined && item !== undefined) return { role: item, parts: toParts(message, context) };
  const given = textAt(message, "role") ?? defaultRole;
  const role = ROLES.get(given) ?? given;
  const name = context.content.text(textAt(message, "name"), context.place);
  const finishReason = textAt(message, "finish_reason");
  return {
    role,
    parts: role === "tool" && textAt(message, "tool_call_id") !== undefined ? toolAnswer(message, context) : partsOf(message, context),
    ...(name === undefined ? {} : { name }),
    ...(finishReason === undefined ? {} : { finish_reason: finishReason }),
  };
}

const toolAnswer = (message: Shape, context: PartContext): Part[] =>
  toolResult({ id: message["tool_call_id"], content: message["content"] }, context);

function partsOf(message: Shape, context: PartContext): Part[] {
  if (Array.isArray(message["parts"])) return toParts(message["parts"], context);
  const thought = reasoningParts(textAt(message, "reasoning_content") ?? textAt(message, "reasoning"), context);
  const said = toParts(message["content"], context);
  const refused = toParts(textAt(message, "refusal"), context);
  const calls = listAt(message, "tool_calls").filter(isShape);
  if (thought.length + refused.length + calls.length === 0) return said;
  return [...thought, ...said, ...refused, ...calls.flatMap((call) => toolCall(call, context))];
}
