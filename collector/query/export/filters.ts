import { conditionsOf } from "../filter/conditions.ts";
import { choiceKey, entityKey, type Noun, projectKey, textKey } from "../filter/noun.ts";
import type { Filter } from "../filter/parse.ts";
import { GENERATIONS } from "../generations/noun.ts";
import { and, type Fragment, name, sql } from "../sql.ts";
import { EXPORT_TABLES, type ExportNoun } from "./nouns.ts";

const run = textKey("run_id", "batch run");
const env = textKey("environment", "deployment environment");
const entity = entityKey("entity_type", "entity_id");
const rows = (noun: ExportNoun, keys: Noun["keys"]): Noun => ({
  name: noun,
  from: name(EXPORT_TABLES[noun].name),
  time: name(EXPORT_TABLES[noun].timeColumn),
  identity: [sql`id::text`],
  keys: { ...keys, project: projectKey },
  sorts: {},
});

const TRACES: Noun = {
  ...rows("traces", {
    service: textKey("service_name", "service"),
    name: textKey("name", "name of the span"),
    status: {
      ...choiceKey("status_code", ["unset", "ok", "error"], "status of the span"),
      where: (values) => sql`status_code = ANY(${codes(values)}::int[])`,
    },
    trace: textKey("trace_id", "trace"),
  }),
  attribute: (attribute, values) => sql`attributes ->> ${attribute}::text = ANY(${values}::text[])`,
};

const codes = (values: readonly (string | number)[]): number[] => values.map((value) => ["unset", "ok", "error"].indexOf(String(value)));

/** What the rows of each export can be selected by. Attempts and scores are those of the generations that the filter selects. */
export const EXPORT_FILTERS: Readonly<Record<ExportNoun, Noun>> = {
  generations: GENERATIONS,
  attempts: { ...GENERATIONS, name: "attempts" },
  scores: { ...GENERATIONS, name: "scores" },
  items: rows("items", {
    kind: textKey("kind", "kind of item"),
    quality: textKey("quality_status", "state of its review"),
    model: textKey("model", "model that made it"),
    version: textKey("prompt_version", "version of the prompt"),
    ...{ run, env, entity },
  }),
  images: rows("images", {
    status: choiceKey("status", ["started", "completed", "failed"], "state of the request"),
    model: textKey("model_used", "model whose picture was taken"),
    ...{ run, env, entity },
  }),
  runs: rows("runs", {
    status: choiceKey("status", ["running", "success", "partial_failure", "failed"], "state of the run"),
    kind: textKey("kind", "kind of job"),
    version: textKey("prompt_version", "version of the prompt"),
    run,
    env,
  }),
  traces: TRACES,
};

/** The condition of an export's filter on the columns of its table. */
export function exportConditions(noun: ExportNoun, filter: Filter): Fragment[] {
  if (noun !== "attempts" && noun !== "scores") return [conditionsOf(filter)];
  const table = name(EXPORT_TABLES[noun].name);
  const range = conditionsOf({
    ...filter,
    noun: { ...filter.noun, time: name(EXPORT_TABLES[noun].timeColumn) },
    terms: [],
    attributes: [],
    words: [],
  });
  if (filter.terms.length + filter.attributes.length + filter.words.length === 0) return [range];
  const ofGeneration = conditionsOf({ ...filter, from: undefined, to: undefined });
  const same = ["project_id", "trace_id", "span_id"].map((column) => sql`generation_logs.${name(column)} = ${table}.${name(column)}`);
  return [range, sql`EXISTS (SELECT FROM generation_logs WHERE ${and([...same, ofGeneration])})`];
}
