import { attributeIsAmong } from "../filter/attribute.ts";
import { choiceKey, type FilterKey, maximumKey, minimumKey, NONE, type Noun, projectKey, textKey } from "../filter/noun.ts";
import { or, sql } from "../sql.ts";

const CODES: Readonly<Record<string, number>> = { unset: 0, ok: 1, error: 2 };

/** Attributes of the first span, and of its resource. */
const attributeIs = (attribute: string, values: readonly string[]) =>
  or([
    attributeIsAmong(sql`attributes`, attribute, values),
    sql`EXISTS (SELECT FROM resources r WHERE r.project_id = entries.project_id AND r.id = entries.resource_id AND ${attributeIsAmong(sql`r.attributes`, attribute, values)})`,
  ]);

const environment: FilterKey = {
  ...textKey("service_name", "deployment environment"),
  where: (values) => {
    const known = values.filter((value) => value !== NONE).map(String);
    const named = sql`coalesce(r.attributes ->> 'deployment.environment.name', r.attributes ->> 'deployment.environment')`;
    const resource = sql`SELECT FROM resources r WHERE r.project_id = entries.project_id AND r.id = entries.resource_id`;
    const found = sql`EXISTS (${resource} AND ${named} = ANY(${known}::text[]))`;
    return values.includes(NONE) ? or([found, sql`NOT EXISTS (${resource} AND ${named} IS NOT NULL)`]) : found;
  },
};

const status: FilterKey = {
  ...choiceKey("status_code", Object.keys(CODES), "status of the first span"),
  where: (values) => sql`status_code = ANY(${values.map((value) => CODES[value] ?? -1)}::int[])`,
};

const duration = (key: FilterKey, factor: number): FilterKey => ({
  ...key,
  where: (values) => key.where(values.map((value) => Math.min(Math.round(Number(value) * factor), MAX_NANOS))),
});
const NANOS = 1e6;
/** The largest number that a double and a bigint both hold; no span lasts longer. */
const MAX_NANOS = 2 ** 63 - 1024;

/**
 * Traces, one row each: the first span without a parent, or where a service upstream does not report, the first that another one called. The index
 * spans_entries is of exactly these spans.
 */
export const TRACES: Noun = {
  name: "traces",
  from: sql`(
    SELECT s.* FROM spans s WHERE (s.parent_span_id IS NULL OR s.kind IN (2, 5)) AND NOT EXISTS (
      SELECT FROM spans b WHERE b.project_id = s.project_id AND b.trace_id = s.trace_id
        AND b.start_time BETWEEN s.start_time - interval '1 day' AND s.start_time + interval '1 day' AND (b.parent_span_id IS NULL OR b.kind IN (2, 5))
        AND ((b.parent_span_id IS NULL AND s.parent_span_id IS NOT NULL)
          OR ((b.parent_span_id IS NULL) = (s.parent_span_id IS NULL) AND (b.start_time, b.span_id) < (s.start_time, s.span_id))))
  ) AS entries`,
  time: sql`start_time`,
  identity: [sql`trace_id`, sql`span_id`],
  keys: {
    env: environment,
    service: textKey("service_name", "service of the first span"),
    project: projectKey,
    name: textKey("name", "name of the first span"),
    status,
    min_ms: duration(minimumKey("duration_ns", "first span of at least this many milliseconds"), NANOS),
    max_ms: duration(maximumKey("duration_ns", "first span of at most this many milliseconds"), NANOS),
  },
  sorts: { duration: { expression: sql`duration_ns`, type: "bigint" } },
  attribute: attributeIs,
};
