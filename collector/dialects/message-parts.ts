import { isObject, type Json, type JsonObject, parseJson, stringOf } from "./json.ts";

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
  ["image_url", (piece) => mediaFromUrl(urlOf(piece["image_url"]), "image") ?? keep(piece)],
  ["input_image", (piece) => mediaFromUrl(urlOf(piece["image_url"]), "image") ?? keep(piece)],
  ["input_audio", (piece) => audioPart(piece) ?? keep(piece)],
  ["image", (piece) => mediaPart(piece, "image")],
  ["document", (piece) => mediaPart(piece, "document")],
  ["file", (piece) => mediaPart(piece, undefined)],
  ["image_generation_call", (piece) => ({ type: "blob", modality: "image", mime_type: "image/png", content: piece["result"] ?? "" })],
]);

/** Types of parts that the current conventions define. */
const CURRENT: ReadonlySet<string> = new Set(["text", "reasoning", "tool_call", "tool_call_response", "blob", "uri", "file"]);

/** A part that needs no reading: in the conventions' shape already, or of a type that nobody here knows. */
export function isCurrentPart(part: Json): part is Part {
  if (!isObject(part) || typeof part["type"] !== "string") return false;
  const { type } = part;
  if (type === "text" || type === "reasoning") return part["content"] !== undefined;
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
  const inline = piece["inlineData"] ?? piece["inline_data"];
  if (isObject(inline)) return [blobPart(inline["data"], inline["mimeType"] ?? inline["mime_type"])];
  const file = piece["fileData"] ?? piece["file_data"];
  if (isObject(file)) return [uriPart(stringOf(file["fileUri"] ?? file["file_uri"]) ?? "", file["mimeType"] ?? file["mime_type"])];
  if (typeof piece["text"] === "string") return [piece["thought"] === true ? reasoning(piece) : text(piece)];
  return [{ ...piece, type: "unknown" }];
}

const keep = (piece: JsonObject): Part => ({ ...piece, type: stringOf(piece["type"]) ?? "unknown" });
const urlOf = (value: Json): string | undefined => stringOf(isObject(value) ? value["url"] : value);

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

/** An image, document or file piece: Anthropic's `source`, the AI SDK's `image`/`data`/`url`, or OpenAI's `file`. */
function mediaPart(piece: JsonObject, fallback: string | undefined): Part {
  const { source } = piece;
  if (isObject(source)) {
    if (source["type"] === "text") return { type: "text", content: source["data"] ?? "" };
    if (typeof source["data"] === "string") return blobPart(source["data"], source["media_type"], fallback);
    if (typeof source["url"] === "string") return uriPart(source["url"], source["media_type"], fallback);
    if (typeof source["file_id"] === "string") return { type: "file", modality: fallback ?? null, file_id: source["file_id"] };
  }
  if (isObject(piece["file"])) return mediaPart({ ...piece["file"], type: "file" }, fallback);
  if (typeof piece["file_id"] === "string") return { type: "file", modality: fallback ?? null, file_id: piece["file_id"] };
  const mime = piece["mediaType"] ?? piece["mimeType"] ?? piece["mime_type"];
  const data = piece["image"] ?? piece["data"] ?? piece["file_data"] ?? piece["url"] ?? piece["base64"];
  if (typeof data !== "string") return keep(piece);
  return mediaFromUrl(data, fallback ?? modalityOf(mime), mime) ?? blobPart(data, mime, fallback);
}

const URL_SCHEME = /^[a-z][a-z0-9+.-]*:/i;

/** A URL: `data:` holds the bytes, another one points to them; undefined for what is no URL. */
function mediaFromUrl(url: string | undefined, modality: string | undefined, mime?: Json): Part | undefined {
  if (url === undefined) return undefined;
  const data = /^data:([^;,]*)(?:;[^;,]*)*;base64,/.exec(url);
  if (data !== null) return blobPart(url.slice(data[0].length), data[1] === "" ? mime : data[1], modality);
  return URL_SCHEME.test(url) ? uriPart(url, mime, modality) : undefined;
}

function audioPart(piece: JsonObject): Part | undefined {
  const audio = piece["input_audio"];
  if (!isObject(audio) || typeof audio["data"] !== "string") return undefined;
  return blobPart(audio["data"], `audio/${stringOf(audio["format"]) ?? "wav"}`, "audio");
}

/** Base64 has no colon: what begins like a URL names content that was taken out before. */
function blobPart(content: Json, mime: Json, modality?: string): Part {
  if (typeof content === "string" && URL_SCHEME.test(content)) return uriPart(content, mime, modality);
  return { type: "blob", modality: modality ?? modalityOf(mime) ?? null, mime_type: stringOf(mime) ?? null, content: content ?? "" };
}

function uriPart(uri: string, mime: Json, modality?: string): Part {
  const known = stringOf(mime);
  return { type: "uri", modality: modality ?? modalityOf(mime) ?? null, ...(known === undefined ? {} : { mime_type: known }), uri };
}

const modalityOf = (mime: Json): string | undefined => /^(image|audio|video)\//.exec(stringOf(mime) ?? "")?.[1];
