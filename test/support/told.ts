import { parseJson } from "../../collector/dialects/json.ts";
import { transcodeJson } from "../../collector/otlp/decode-json.ts";
import { rowsFromTraces } from "./encoding.ts";
import { type SpanSpec, tracesOf } from "./otlp-json.ts";
import { recording } from "./recordings.ts";

type Row = Record<string, unknown>;

/** What differs from run to run, or is tested elsewhere: keys, times and what prices make of the counts. */
const LEFT_OUT = new Set([
  "project_id",
  "trace_id",
  "span_id",
  "parent_span_id",
  "start_time",
  "end_time",
  "id",
  "service_name",
  "environment",
  "duration_ms",
  "time_to_first_token_ms",
  "logged_at",
  "updated_at",
  "received_at",
  "response_created_at",
  "cost_amount",
  "cost_currency",
  "cost_source",
]);
const JSON_TEXT = new Set(["prompt_full_text", "response_full_text", "system_instructions", "tool_definitions"]);

/** A generation row as what it says about its call: columns without a value are left out, JSON texts are opened. */
export function told(row: Row): Row {
  return openedTexts(Object.fromEntries(Object.entries(row).filter(([name, value]) => value !== null && !LEFT_OUT.has(name))));
}

/** Columns with their JSON texts opened. */
export const openedTexts = (row: Row): Row =>
  Object.fromEntries(Object.entries(row).map(([name, value]) => [name, JSON_TEXT.has(name) ? opened(String(value)) : value]));

const opened = (text: string): unknown => (/^[[{]/.test(text) ? (parseJson(text) ?? text) : text);

/** What the generation rows of a recorded body say. */
export const toldBy = (client: string, name: string): Row[] => rowsFromTraces(recording(client, name).body).generations.map(told);

/** What the generation rows of these spans say. */
export const toldOf = (...spans: readonly Omit<SpanSpec, "id">[]): Row[] => generationsOf(...spans).map(told);

/** The generation rows of these spans. */
export function generationsOf(...spans: readonly Omit<SpanSpec, "id">[]): Row[] {
  const body = tracesOf(...spans.map((span, i) => ({ ...span, id: `s${i}` })));
  return rowsFromTraces(transcodeJson(Buffer.from(JSON.stringify(body)), "traces")).generations;
}
