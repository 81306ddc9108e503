import { isObject } from "../../base/json-values.ts";
import { type ExactJson, exactText, NumberText, parseExact } from "../../query/export/json-numbers.ts";

/** Whether an attribute of this name holds content; `event` names the event or log record that it belongs to. */
export type IsContentName = (name: string, event?: string) => boolean;

export interface StripOptions {
  readonly isContentName: IsContentName;
  /** Characters of text that stay; 0 removes it. */
  readonly keepChars: number;
}

/** Columns as the database writes them: text, or JSON as text. */
export type ColumnTexts = Readonly<Record<string, string | null>>;

/** A table with content, and what of it goes. */
export interface ContentTable {
  readonly name: string;
  readonly timeColumn: string;
  /** Besides project_id. */
  readonly key: readonly string[];
  /** Columns that are read, archived and written back, with their types. */
  readonly columns: Readonly<Record<string, "text" | "jsonb">>;
  /** What rows name in columns, for erasures: the application's own record, and a call's user and conversation. */
  readonly names?: "entity" | "all";
  /** More columns that `strip` looks at. */
  readonly reads?: readonly string[];
  /** What stays in the columns; the very same object where nothing is to go. */
  strip(row: ColumnTexts, options: StripOptions): ColumnTexts;
}

type JsonObject = { readonly [key: string]: ExactJson };

const isExactObject = (value: ExactJson | undefined): value is JsonObject => isObject(value) && !(value instanceof NumberText);

/** Changed only where something goes, so that a row without content is left as it is. */
function changed(row: ColumnTexts, changes: ColumnTexts): ColumnTexts {
  return Object.entries(changes).some(([column, value]) => row[column] !== value) ? { ...row, ...changes } : row;
}

const cut = (text: string | null | undefined, chars: number): string | null => {
  if (text == null || chars === 0) return null;
  const points =
    text.length <= chars
      ? text
      : Array.from(text.slice(0, 2 * chars))
          .slice(0, chars)
          .join("");
  return points.length < text.length ? points : text;
};

const TEXTS = [
  "prompt_full_text",
  "system_instructions",
  "tool_definitions",
  "response_full_text",
  "reasoning_content",
  "error_traceback",
] as const;

/** Content that stands in own_values by the name of its column. */
const OWN_CONTENT: ReadonlySet<string> = new Set([...TEXTS, "prompt_variables"]);

function stripGeneration(row: ColumnTexts, { keepChars }: StripOptions): ColumnTexts {
  const texts = Object.fromEntries(TEXTS.map((column) => [column, cut(row[column], keepChars)]));
  const ownValues = withoutContent(row["own_values"], (name) => OWN_CONTENT.has(name));
  const stripped = changed(row, { ...texts, prompt_variables: null, own_values: ownValues });
  if (stripped === row) return row;
  // A part of messages is no messages any more.
  const format = (column: string, of: string): string | null =>
    stripped[of] === row[of] ? (row[column] ?? null) : stripped[of] === null ? null : "text";
  return {
    ...stripped,
    prompt_format: format("prompt_format", "prompt_full_text"),
    response_format: format("response_format", "response_full_text"),
    content_state: "truncated",
  };
}

const generations = (name: string): ContentTable => ({
  name,
  timeColumn: "start_time",
  key: ["trace_id", "span_id", "start_time"],
  names: "all",
  columns: {
    ...(Object.fromEntries(TEXTS.map((column) => [column, "text"])) as Record<string, "text">),
    prompt_variables: "jsonb",
    own_values: "jsonb",
    prompt_format: "text",
    response_format: "text",
    content_state: "text",
  },
  strip: stripGeneration,
});

/** Numbers keep all their digits. */
function withoutContent(text: string | null | undefined, isContent: (name: string) => boolean): string | null {
  if (text == null) return null;
  const attributes = parseExact(text);
  if (!isExactObject(attributes) || !Object.keys(attributes).some(isContent)) return text;
  return exactText(Object.fromEntries(Object.entries(attributes).filter(([key]) => !isContent(key))));
}

function withoutEventContent(text: string | null | undefined, isContentName: IsContentName): string | null {
  if (text == null) return null;
  const events = parseExact(text) as readonly JsonObject[];
  const names = (event: JsonObject): string[] => (isExactObject(event["attributes"]) ? Object.keys(event["attributes"]) : []);
  const holds = (event: JsonObject): boolean => names(event).some((name) => isContentName(name, String(event["name"])));
  if (!events.some(holds)) return text;
  return exactText(
    events.map((event) => {
      const attributes = Object.entries(event["attributes"] ?? {}).filter(([name]) => !isContentName(name, String(event["name"])));
      return { ...event, attributes: Object.fromEntries(attributes) };
    }),
  );
}

/** Takes keys out of the objects of a list. */
function withoutKeys(list: ExactJson | undefined, keys: readonly string[]): ExactJson | undefined {
  if (!Array.isArray(list)) return list;
  return list.map((each: ExactJson) =>
    isExactObject(each) ? Object.fromEntries(Object.entries(each).filter(([key]) => !keys.includes(key))) : each,
  );
}

/** What stands in a call's column error_traceback, which goes, too; the message stays there and here. Sources: ours, and OpenTelemetry's exceptions. */
const TRACEBACKS: ReadonlySet<string> = new Set(["genspan.error.traceback", "exception.stacktrace"]);

const orTraceback =
  (isContentName: IsContentName): IsContentName =>
  (name, event) =>
    TRACEBACKS.has(name) || isContentName(name, event);

const SPANS: ContentTable = {
  name: "spans",
  timeColumn: "start_time",
  key: ["trace_id", "span_id", "start_time"],
  columns: { attributes: "jsonb", events: "jsonb" },
  strip: (row, { isContentName }) =>
    changed(row, {
      attributes: withoutContent(row["attributes"], (name) => orTraceback(isContentName)(name)),
      events: withoutEventContent(row["events"], orTraceback(isContentName)),
    }),
};

const SCORES: ContentTable = {
  name: "generation_scores",
  timeColumn: "time",
  key: ["trace_id", "span_id", "time", "id"],
  columns: { explanation: "text" },
  reads: ["source"],
  // What a reviewer noted is a decision's reason, not what a model said.
  strip: (row) => (row["source"] === "evaluation" ? changed(row, { explanation: null }) : row),
};

const EVENTS_WITH_CONTENT = "gen_ai.";

const LOGS: ContentTable = {
  name: "log_records",
  timeColumn: "time",
  key: ["time", "id"],
  columns: { attributes: "jsonb", body: "jsonb" },
  reads: ["event_name"],
  strip: (row, { isContentName }) => {
    const event = row["event_name"] ?? "";
    return changed(row, {
      attributes: withoutContent(row["attributes"], (name) => orTraceback(isContentName)(name, event)),
      body: event.startsWith(EVENTS_WITH_CONTENT) ? null : (row["body"] ?? null),
    });
  },
};

const ATTEMPTS: ContentTable = {
  name: "generation_attempts",
  timeColumn: "start_time",
  key: ["trace_id", "span_id", "start_time", "attempt_number"],
  columns: { request: "jsonb", response: "jsonb" },
  strip: (row) => changed(row, { request: null, response: null }),
};

const IMAGES: ContentTable = {
  name: "image_traces",
  timeColumn: "created_at",
  key: ["id"],
  names: "entity",
  columns: { request_data: "jsonb", response_data: "jsonb", image_generation_attempts: "jsonb" },
  strip: (row) => {
    const attempts = row["image_generation_attempts"];
    const holds = attempts != null && /"(prompt|request|response)"/.test(attempts);
    const kept = holds ? exactText(withoutKeys(parseExact(attempts), ["prompt", "request", "response"]) ?? null) : (attempts ?? null);
    return changed(row, { request_data: null, response_data: null, image_generation_attempts: kept });
  },
};

const PART_CONTENT = ["prompt_text", "content", "reasoning_content"];

const ITEMS: ContentTable = {
  name: "generation_items",
  timeColumn: "created_at",
  key: ["id"],
  names: "entity",
  columns: { generation_trace: "jsonb" },
  strip: (row) => {
    const text = row["generation_trace"];
    if (text == null || !/"(prompt_text|content|reasoning_content)"/.test(text)) return row;
    const trace = parseExact(text) as JsonObject;
    const parts = Object.entries(trace).map(([key, value]) => [key, withoutKeys(value, PART_CONTENT)]);
    return changed(row, { generation_trace: exactText(Object.fromEntries(parts)) });
  },
};

/** Everything that holds content; what else they hold (numbers, names, times, states) stays. */
export const CONTENT_TABLES: readonly ContentTable[] = [
  generations("generation_logs"),
  generations("generation_twins"),
  SPANS,
  LOGS,
  ATTEMPTS,
  SCORES,
  IMAGES,
  ITEMS,
];
