import type { Signal } from "../../collector/base/signal.ts";
import type { Row } from "./copy-reader.ts";
import { encodeBody, rowsOf } from "./encoding.ts";

const COLUMNS = [
  "body",
  "prompt_full_text",
  "response_full_text",
  "system_instructions",
  "tool_definitions",
  "reasoning_content",
  "prompt_variables",
];

/** Names of members whose texts say what a part is, not what anybody said. */
const NO_SPEECH = new Set(["role", "type", "id", "name", "finish_reason", "mime_type", "modality", "$schema"]);

/**
 * What people, models and tools said in a protobuf request: every text of more than one word in its calls and log records. What is said in an
 * error as well is none: errors are no content, also where one is what a tool answered.
 */
export function humanTextsIn(body: Buffer, signal: Signal): string[] {
  const request = encodeBody(Buffer.from(body), signal);
  const errors = JSON.stringify(rowsOf(request, "spans").map((row) => [row["status_message"], exceptionsOf(row)]));
  const texts = humanTexts([...rowsOf(request, "generation_logs"), ...rowsOf(request, "log_records")]);
  return texts.filter((text) => !errors.includes(asInJson(text)));
}

/** A text as it stands in JSON. */
export const asInJson = (text: string): string => JSON.stringify(text).slice(1, -1);

const exceptionsOf = ({ events }: Row): unknown =>
  ((events ?? []) as { name: string; attributes: unknown }[])
    .filter(({ name }) => name === "exception")
    .map(({ attributes }) => attributes);

export function humanTexts(rows: readonly Row[]): string[] {
  const texts = new Set<string>();
  for (const row of rows) for (const column of COLUMNS) collect(row[column], texts);
  return [...texts];
}

function collect(value: unknown, texts: Set<string>): void {
  if (typeof value === "string") {
    const opened = /^\s*[[{"]/.test(value) ? parsed(value) : undefined;
    if (opened !== undefined && opened !== value) collect(opened, texts);
    else if (value.length >= 6 && /\S\s+\S/.test(value)) texts.add(value);
    return;
  }
  if (typeof value !== "object" || value === null) return;
  for (const [name, inner] of Object.entries(value)) if (!NO_SPEECH.has(name)) collect(inner, texts);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
