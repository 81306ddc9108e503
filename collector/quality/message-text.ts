/** Text that a person would read in a stored answer: of messages as JSON their text and refusal parts, else the text itself. */
export function readableText(stored: string | null, format: string | null): string {
  if (stored === null) return "";
  if (format !== "messages") return stored;
  const messages = parsed(stored);
  if (!Array.isArray(messages)) return stored;
  return messages.flatMap(partsOf).join("\n");
}

function partsOf(message: unknown): string[] {
  const parts = (message as { parts?: unknown } | null)?.parts;
  if (!Array.isArray(parts)) return [];
  return parts.flatMap((part: { type?: unknown; content?: unknown; refusal?: unknown } | null) => {
    if (part?.type === "text" && typeof part.content === "string") return [part.content];
    if (part?.type === "refusal") return [String(part.content ?? part.refusal ?? "")];
    return [];
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
