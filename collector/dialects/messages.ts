/** Messages as the current conventions write them: `{role, parts: [{type, …}]}`. */
export interface Message {
  role: string;
  parts: Part[];
  name?: string;
  finish_reason?: string;
}

export interface Part {
  type: string;
  [key: string]: unknown;
}

type Json = unknown;

const isObject = (value: Json): value is Record<string, Json> => typeof value === "object" && value !== null && !Array.isArray(value);

/** JSON text as a value, or undefined when it is none (cut off, plain text). */
export function parseJson(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

/** The conventions call every reason for tools `tool_call`; providers say tool_calls, tool-calls or tool_use. */
export function normalizeFinishReason(reason: string): string {
  return reason === "tool_calls" || reason === "tool-calls" || reason === "tool_use" ? "tool_call" : reason;
}

/** Parts of a provider's message content: text, or a list of typed pieces of which unknown ones are kept as they are. */
function contentParts(content: Json): Part[] {
  if (content === undefined || content === null || content === "") return [];
  if (typeof content === "string") return [{ type: "text", content }];
  if (!Array.isArray(content)) return [{ type: "text", content: JSON.stringify(content) }];
  return content.map(contentPart);
}

function contentPart(piece: Json): Part {
  if (!isObject(piece)) return { type: "text", content: typeof piece === "string" ? piece : JSON.stringify(piece) };
  const { type, text } = piece;
  if (typeof text === "string" && (type === undefined || type === "text" || type === "input_text" || type === "output_text")) {
    return { type: "text", content: text };
  }
  if (type === "image_url") return imagePart(piece);
  return { ...piece, type: typeof type === "string" ? type : "unknown" };
}

/** An OpenAI image piece: a data: URL becomes a blob, another one a uri. */
function imagePart(piece: Record<string, Json>): Part {
  const given = piece["image_url"];
  const url = isObject(given) ? given["url"] : given;
  if (typeof url !== "string") return { ...piece, type: "image_url" };
  const data = /^data:([^;,]*);base64,(.*)$/s.exec(url);
  if (data === null) return { type: "uri", modality: "image", uri: url };
  return { type: "blob", modality: "image", mime_type: data[1] === "" ? null : data[1], content: data[2] };
}

function toolCallPart(call: Json): Part {
  if (!isObject(call)) return { type: "tool_call", name: "", arguments: call };
  const fn = isObject(call["function"]) ? call["function"] : call;
  const given = fn["arguments"];
  const parsed = typeof given === "string" ? (parseJson(given) ?? given) : given;
  return { type: "tool_call", id: call["id"] ?? null, name: fn["name"] ?? "", arguments: parsed ?? null };
}

/** One message in a provider's (OpenAI chat) or in the conventions' shape, in the conventions' shape. */
export function toMessage(value: Json, defaultRole: string): Message {
  if (!isObject(value)) return { role: defaultRole, parts: contentParts(value) };
  const role = typeof value["role"] === "string" ? value["role"] : defaultRole;
  if (Array.isArray(value["parts"])) return { ...value, role, parts: value["parts"] as Part[] };
  const callId = value["tool_call_id"] ?? (role === "tool" ? value["id"] : undefined);
  const parts: Part[] =
    role === "tool" && callId !== undefined
      ? [{ type: "tool_call_response", id: callId, response: value["content"] ?? null }]
      : contentParts(value["content"]);
  const calls = value["tool_calls"];
  if (Array.isArray(calls)) parts.push(...calls.map(toolCallPart));
  const message: Message = { role, parts };
  if (typeof value["name"] === "string") message.name = value["name"];
  if (typeof value["finish_reason"] === "string") message.finish_reason = normalizeFinishReason(value["finish_reason"]);
  return message;
}

/** A list of messages, one message, or plain text; undefined when the text was meant as JSON and is broken. */
export function toMessages(text: string, defaultRole: string): Message[] | undefined {
  const value = parseJson(text);
  if (value === undefined) return undefined;
  if (Array.isArray(value)) return value.map((entry) => toMessage(entry, defaultRole));
  if (isObject(value) && Array.isArray(value["messages"])) return value["messages"].map((entry) => toMessage(entry, defaultRole));
  return [toMessage(value, defaultRole)];
}
