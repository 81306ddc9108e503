type Json = Readonly<Record<string, unknown>>;

/**
 * A stored prompt, answer or instruction as lines that people read and compare: messages as JSON (OpenTelemetry's GenAI conventions) one part after the
 * other under the role of its message, line breaks being line breaks. Nothing is left out; what is no such JSON comes back as it is.
 */
export function readableMessages(stored: string): string {
  const list = stored.startsWith("[") ? parsed(stored) : undefined;
  if (!Array.isArray(list) || list.length === 0 || !list.every(isPartOrMessage)) return stored;
  return list.flatMap((each) => ("parts" in each ? messageLines(each) : [partText(each)])).join("\n");
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isPartOrMessage = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && ("parts" in value ? Array.isArray(value.parts) : "type" in value);

function messageLines({ role, parts, ...rest }: Json): string[] {
  const more = Object.keys(rest).length === 0 ? "" : ` ${JSON.stringify(rest)}`;
  return [`${String(role)}:${more}`, ...(parts as readonly unknown[]).map(partText)];
}

function partText(part: unknown): string {
  const { type, content, ...rest } = (part ?? {}) as Json;
  const isText = type === "text" && typeof content === "string" && Object.keys(rest).length === 0;
  return isText ? content : JSON.stringify(part, null, 2);
}
