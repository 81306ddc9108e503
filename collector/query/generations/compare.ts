import { isObject } from "../../base/json-values.ts";
import { readableMessages } from "../../model/readable-messages.ts";
import { diffTexts, type TextDiff } from "../../model/text-diff.ts";
import type { Reader } from "../reader.ts";
import { type Row, readRow } from "./one.ts";
import type { GenerationRef } from "./reference.ts";

/** How two calls differ. */
export interface GenerationComparison {
  readonly a: Row;
  readonly b: Row;
  /** Model and its parameters: only those that differ. */
  readonly parameters: readonly Difference[];
  /** Tokens, times, cost and outcome: only those that differ. */
  readonly results: readonly Difference[];
  readonly modules: { readonly added: readonly string[]; readonly removed: readonly string[]; readonly kept: readonly string[] };
  readonly system_instructions: TextDiff;
  readonly prompt: TextDiff;
  readonly response: TextDiff;
}

export interface Difference {
  readonly name: string;
  readonly a: unknown;
  readonly b: unknown;
}

const PARAMETERS = [
  ..."provider_name model_name model_temperature model_max_tokens model_top_p model_top_k model_frequency_penalty model_presence_penalty".split(
    " ",
  ),
  ..."model_seed model_stop_sequences model_reasoning_level prompt_template_name prompt_template_version tool_definitions".split(" "),
];
const RESULTS = [
  ..."generation_status response_model response_finish_reason tokens_prompt tokens_completion tokens_reasoning tokens_cache_read tokens_cache_write tokens_total".split(
    " ",
  ),
  ..."duration_ms time_to_first_token_ms attempts_count cost_amount cost_currency error_type quality_status".split(" "),
];
/** What names a call in a comparison. */
const SHOWN = [
  "id",
  "start_time",
  "service_name",
  "environment",
  "model_name",
  "prompt_template_name",
  "prompt_template_version",
  "generation_status",
];

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);

/** Columns, by name, whose values differ. */
export const differences = (a: Row, b: Row, columns: readonly string[]): Difference[] =>
  columns.filter((name) => !same(a[name], b[name])).map((name) => ({ name, a: a[name] ?? null, b: b[name] ?? null }));

const objectOf = (value: unknown): Row => (isObject(value) ? value : {});
const keysOf = (...objects: readonly Row[]): string[] => [...new Set(objects.flatMap((object) => Object.keys(object)))].toSorted();

/** A text as people compare it: messages by their lines. What says of itself that it is plain text is left as it is. */
function readable(row: Row, column: string, format?: string): string | null {
  const text = row[column];
  if (typeof text !== "string") return null;
  return format !== undefined && row[format] !== "messages" ? text : readableMessages(text);
}

/** Modules are a list of names, or an object that has them as keys. */
function modulesOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.map((each) => (typeof each === "string" ? each : JSON.stringify(each)));
  return Object.keys(objectOf(value));
}

/** Lists of modules compared as sets. */
export function compareModules(a: unknown, b: unknown): GenerationComparison["modules"] {
  const [before, after] = [modulesOf(a), modulesOf(b)];
  return {
    added: after.filter((name) => !before.includes(name)),
    removed: before.filter((name) => !after.includes(name)),
    kept: before.filter((name) => after.includes(name)),
  };
}

/** Compares two calls of one project. Throws RequestError where one is missing. */
export function compareGenerations(
  reader: Reader,
  projectId: number,
  refs: readonly [GenerationRef, GenerationRef],
): Promise<GenerationComparison> {
  return reader.read({ projectId }, async (ask) => {
    const [a, b] = [await readRow(ask, projectId, refs[0]), await readRow(ask, projectId, refs[1])];
    const [more, others] = [objectOf(a["model_parameters"]), objectOf(b["model_parameters"])];
    const texts = (column: string, format?: string): TextDiff => diffTexts(readable(a, column, format), readable(b, column, format));
    const shown = (row: Row): Row => Object.fromEntries(SHOWN.map((name) => [name, row[name] ?? null]));
    return {
      a: shown(a),
      b: shown(b),
      parameters: [...differences(a, b, PARAMETERS), ...differences(more, others, keysOf(more, others))],
      results: differences(a, b, RESULTS),
      modules: compareModules(a["prompt_modules_used"], b["prompt_modules_used"]),
      system_instructions: texts("system_instructions"),
      prompt: texts("prompt_full_text", "prompt_format"),
      response: texts("response_full_text", "response_format"),
    };
  });
}
