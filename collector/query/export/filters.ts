import { attributeIsAmong } from "../filter/attribute.ts";
import { conditionsOf } from "../filter/conditions.ts";
import { choiceKey, type Noun, projectKey, textKey } from "../filter/noun.ts";
import type { Filter } from "../filter/parse.ts";
import { GENERATIONS } from "../generations/noun.ts";
import { IMAGES } from "../images/noun.ts";
import { ITEMS } from "../items/noun.ts";
import { RUNS } from "../runs/noun.ts";
import { and, type Fragment, name, sql } from "../sql.ts";
import { EXPORT_TABLES, type ExportNoun } from "./nouns.ts";

const STATUS_CODES = ["unset", "ok", "error"] as const;

/** Single spans: lists of traces sum them up, files hold them all. */
const SPANS: Noun = {
  name: "traces",
  from: sql`spans`,
  time: sql`start_time`,
  identity: [sql`trace_id`, sql`span_id`],
  keys: {
    service: textKey("service_name", "service"),
    name: textKey("name", "name of the span"),
    trace: textKey("trace_id", "trace"),
    project: projectKey,
    status: {
      ...choiceKey("status_code", STATUS_CODES, "status of the span"),
      where: (values) => sql`status_code = ANY(${codes(values)}::int[])`,
    },
  },
  sorts: {},
  attribute: (attribute, values) => attributeIsAmong(sql`attributes`, attribute, values),
};

const codes = (values: readonly (string | number)[]): number[] => STATUS_CODES.flatMap((code, i) => (values.includes(code) ? [i] : []));

/** What the rows of each export can be selected by. Attempts and scores are those of the generations that the filter selects. */
export const EXPORT_FILTERS: Readonly<Record<ExportNoun, Noun>> = {
  generations: GENERATIONS,
  attempts: { ...GENERATIONS, name: "attempts" },
  scores: { ...GENERATIONS, name: "scores" },
  items: ITEMS,
  images: IMAGES,
  runs: RUNS,
  traces: SPANS,
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
