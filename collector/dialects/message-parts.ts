import { isObject, type Json, type JsonObject, parseJson, stringOf } from "./json.ts";
import { MEDIA_TYPES, mediaPart, storedPart, untypedMediaPart } from "./media-parts.ts";

/** One part of a message, as the current conventions write it: `{type: "text" | "tool_call" | …, …}`. */
export interface Part {
  type: string;
  [key: string]: unknown;
}

/**
 * Parts of a provider's message content: plain text, one typed piece, or a list of them. The pieces of all providers are told apart by
 * their own type names, so one table reads them all; unknown ones are kept as they are.
 */
export function contentParts(content: Json): Part[] {
  if (content === undefined || content === null || content === "") return [];
  if (typeof content === "string") return [{ type: "text", content }];
  if (Array.isArray(content)) return content.flatMap((piece) => partOf(piece));
  if (isObject(content) && typeof content["type"] === "string") return partOf(content);
  return [{ type: "text", content: JSON.stringify(content) }];
}

type Reader = (piece: JsonObject) => Part;

const text: Reader = (piece) => ({ type: "text", content: piece["text"] ?? piece["content"] ?? "" });
const reasoning: Reader = (piece) => ({
  type: "reasoning",
  content: piece["content"] ?? piece["text"] ?? piece["thinking"] ?? piece["reasoning"] ?? summaryText(piece["summary"]) ?? "",
});
const toolCall: Reader = (piece) => toolCallPart(piece);
const toolResult: Reader = (piece) => ({
  type: "tool_call_response",
  id: piece["tool_use_id"] ?? piece["toolCallId"] ?? piece["call_id"] ?? piece["id"] ?? null,
  response: toolOutput(piece["response"] ?? piece["output"] ?? piece["result"] ?? piece["content"] ?? null),
});

/** The AI SDK says beside each output what kind of value it is. */
const toolOutput = (output: Json): Json =>
  isObject(output) && output["value"] !== undefined && TOOL_OUTPUTS.has(String(output["type"])) ? output["value"] : output;
const TOOL_OUTPUTS: ReadonlySet<string> = new Set(["text", "json", "error-text", "error-json", "content"]);

/** By type name: OpenAI chat and responses, Anthropic, the Vercel AI SDK, and the conventions themselves. */
const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ["text", text],
  ["input_text", text],
  ["output_text", text],
  ["refusal", (piece) => ({ type: "text", content: piece["refusal"] ?? piece["text"] ?? "" })],
  ["thinking", reasoning],
  ["reasoning", reasoning],
  ["tool_use", toolCall],
  ["server_tool_use", toolCall],
  ["tool-call", toolCall],
  ["tool_call", toolCall],
  ["function_call", toolCall],
  ["function", toolCall],
  ["tool_result", toolResult],
  ["tool-result", toolResult],
  ["tool_call_response", toolResult],
  ["function_call_output", toolResult],
  ["blob", storedPart],
  ...MEDIA_TYPES.map((type): [string, Reader] => [type, mediaPart]),
]);

/** Types of parts that the current conventions define. */
const CURRENT: ReadonlySet<string> = new Set(["text", "reasoning", "tool_call", "tool_call_response", "blob", "uri", "file"]);

/** A part that needs no reading: in the conventions' shape already, or of a type that nobody here knows. */
export function isCurrentPart(part: Json): part is Part {
  if (!isObject(part) || typeof part["type"] !== "string") return false;
  const { type } = part;
  if (type === "text" || type === "reasoning" || type === "blob") return part["content"] !== undefined;
  if (type === "file") return part["file_id"] !== undefined;
  return CURRENT.has(type) || !READERS.has(type);
}

function partOf(piece: Json): Part[] {
  if (piece === null || piece === undefined) return [];
  if (!isObject(piece)) return [{ type: "text", content: typeof piece === "string" ? piece : JSON.stringify(piece) }];
  const { type } = piece;
  if (typeof type === "string") return [READERS.get(type)?.(piece) ?? { ...piece, type }];
  return untypedPart(piece);
}

/** Pieces without a type: Gemini (`text`, `functionCall`, `inlineData`, also in snake case) and Bedrock (`toolUse`, `toolResult`). */
function untypedPart(piece: JsonObject): Part[] {
  const call = piece["functionCall"] ?? piece["function_call"] ?? piece["toolUse"];
  if (isObject(call)) return [toolCallPart(call)];
  const result = piece["functionResponse"] ?? piece["function_response"] ?? piece["toolResult"];
  if (isObject(result)) {
    return [
      {
        type: "tool_call_response",
        id: result["id"] ?? result["toolUseId"] ?? null,
        response: result["response"] ?? result["content"] ?? null,
      },
    ];
  }
  const thought = piece["reasoningContent"];
  if (isObject(thought)) {
    const told = isObject(thought["reasoningText"]) ? thought["reasoningText"] : thought;
    return [reasoning(told)];
  }
  const media = untypedMediaPart(piece);
  if (media !== undefined) return [media];
  if (typeof piece["text"] === "string") return [piece["thought"] === true ? reasoning(piece) : text(piece)];
  return [{ ...piece, type: "unknown" }];
}

function summaryText(summary: Json): string | undefined {
  if (!Array.isArray(summary)) return undefined;
  return summary.map((entry: Json) => (isObject(entry) ? (stringOf(entry["text"]) ?? "") : String(entry))).join("\n\n");
}

/** Arguments that came as JSON text are opened; text that is none stays. */
export function toolCallPart(call: Json): Part {
  if (!isObject(call)) return { type: "tool_call", name: "", arguments: call };
  const fn = isObject(call["function"]) ? call["function"] : call;
  const given = fn["arguments"] ?? fn["args"] ?? fn["input"];
  const opened = typeof given === "string" ? (parseJson(given) ?? given) : given;
  const id = call["id"] ?? call["toolCallId"] ?? call["call_id"] ?? call["toolUseId"] ?? null;
  return { type: "tool_call", id, name: fn["name"] ?? call["toolName"] ?? "", arguments: opened ?? null };
}
