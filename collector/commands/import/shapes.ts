import { isObject } from "../../base/json-values.ts";
import type { Signal } from "../../base/signal.ts";
import { generationOf, isGenerationLog } from "./generation-log.ts";
import { imageOf, isImageTrace } from "./image-trace.ts";
import { isProblem, problemRows } from "./problem-trace.ts";
import { isRunSummary, runFault, runOf } from "./run-summary.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

/** Tables that an import writes, by the noun that an export of them has. */
export const IMPORT_TABLES = {
  generations: "generation_logs",
  attempts: "generation_attempts",
  scores: "generation_scores",
  items: "generation_items",
  images: "image_traces",
  runs: "generation_runs",
} as const;
export type ImportNoun = keyof typeof IMPORT_TABLES;

/** A row by column; columns that the table does not have are left out when it is stored, and told. */
export interface ImportRow {
  readonly noun: ImportNoun;
  readonly values: JsonObject;
  /** Names of the object that say something which no column takes. */
  readonly ignored?: readonly string[];
  /** It says not when it was: `start_time` is the time of the import. */
  readonly isUntimed?: boolean;
}

/** What an object of a file turned out to be. */
export type Shape =
  | { readonly kind: "otlp"; readonly signal: Signal }
  /** An export of ours: stored as it stands there, to the last digit. */
  | { readonly kind: "row"; readonly noun: ImportNoun }
  /** A line of an export of traces: a span with its resource, scope and content. */
  | { readonly kind: "span" }
  | { readonly kind: "rows"; readonly rows: readonly ImportRow[] }
  /** A list of such objects under a name, as APIs answer with. */
  | { readonly kind: "list"; readonly values: readonly JsonObject[] }
  /** Nothing that can be stored, and why not. */
  | { readonly kind: "unknown"; readonly reason: string };

const has = (value: JsonObject, ...keys: readonly string[]): boolean => keys.every((key) => Object.hasOwn(value, key));

/** Columns that tell an export's line apart; the first noun whose columns are all there. */
const EXPORTED: readonly (readonly [ImportNoun, readonly string[]])[] = [
  ["attempts", ["trace_id", "span_id", "start_time", "attempt_number"]],
  ["scores", ["trace_id", "span_id", "time", "name", "source"]],
  ["generations", ["trace_id", "span_id", "start_time", "generation_status"]],
  ["runs", ["id", "run_id", "items_requested", "updated_at"]],
  ["items", ["id", "item_id", "generation_trace"]],
  ["images", ["id", "image_generation_attempts", "received_at"]],
];

const SIGNALS: readonly (readonly [string, Signal])[] = [
  ["resourceSpans", "traces"],
  ["resourceLogs", "logs"],
];

const SPAN = ["trace_id", "span_id", "start_time", "start_nano", "resource_id"] as const;
const AROUND_SPAN = ["resource", "scope", "content"] as const;

/** Objects that look like something else, and what to do with them. */
const FOREIGN: readonly (readonly [readonly string[], string])[] = [
  [["resourceMetrics"], "metrics are not stored"],
  [SPAN, `this span stands without its ${AROUND_SPAN.join(", ")}: export traces with -o otlp, or with -o jsonl and without --columns`],
  [["traceID", "processes"], "this is Jaeger's JSON: export the trace as OTLP/JSON"],
];
const UNKNOWN =
  "this is nothing that can be imported: neither OTLP/JSON, nor a line of an export, nor a run, an image, a generation or a problem as applications keep them";

const LISTS = ["traces", "runs", "items", "generations", "problems", "images", "data", "results"];

function runShape(value: JsonObject): Shape {
  const reason = runFault(value);
  return reason === undefined ? { kind: "rows", rows: [runOf(value)] } : { kind: "unknown", reason };
}

/** Recognises OTLP/JSON, the lines of our own exports, and the records of applications that kept them by themselves. `receivedAt` is the time of the import. */
export function shapeOf(value: JsonObject, receivedAt: string): Shape {
  const signal = SIGNALS.find(([key]) => Array.isArray(value[key]));
  if (signal !== undefined) return { kind: "otlp", signal: signal[1] };
  if (has(value, ...SPAN, ...AROUND_SPAN)) return { kind: "span" };
  const exported = EXPORTED.find(([, columns]) => has(value, ...columns));
  if (exported !== undefined) return { kind: "row", noun: exported[0] };
  if (isImageTrace(value)) return { kind: "rows", rows: [imageOf(value)] };
  if (isProblem(value)) return { kind: "rows", rows: problemRows(value, receivedAt) };
  if (isGenerationLog(value)) return { kind: "rows", rows: [generationOf(value, receivedAt)] };
  if (isRunSummary(value)) return runShape(value);
  const list = LISTS.map((key) => value[key]).find((each) => Array.isArray(each) && each.every(isObject));
  if (list !== undefined) return { kind: "list", values: list as readonly JsonObject[] };
  const [, reason = UNKNOWN] = FOREIGN.find(([keys]) => has(value, ...keys)) ?? [];
  return { kind: "unknown", reason };
}
