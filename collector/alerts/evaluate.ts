import { conditionsOf } from "../query/filter/conditions.ts";
import type { Reader } from "../query/reader.ts";
import { and, type Fragment, sql } from "../query/sql.ts";
import { type Condition, filterOf, holds } from "./condition.ts";
import { METRICS, type Metric } from "./metrics.ts";

/** What was measured: the newest value first. */
export interface Measured {
  readonly state: "ok" | "firing" | "no_data";
  /** The newest value; null where nothing could be measured. */
  readonly value: number | null;
  /** As many as must be so in a row, where there are so many. */
  readonly values: readonly (number | null)[];
}

export interface Place {
  readonly reader: Reader;
  readonly projectId: number;
}

/**
 * Whether a condition holds at a moment. It depends on the rows alone, not on what was seen before: any collector, at any time, after any pause comes to
 * the same answer, and a preview of the past is what would have happened.
 */
export async function evaluate(place: Place, condition: Condition, at: Date): Promise<Measured> {
  const metric = METRICS[condition.metric];
  const values = await valuesOf(place, metric, { condition, at });
  const enough = values.length >= condition.consecutive;
  const value = values[0] ?? null;
  if (!enough) return { state: condition.no_data === "firing" && values.length === 0 ? "firing" : "no_data", value, values };
  if (values.every((each) => holds(condition, each))) return { state: "firing", value, values };
  return { state: value === null ? "no_data" : "ok", value, values };
}

interface Moment {
  readonly condition: Condition;
  readonly at: Date;
}

function valuesOf(place: Place, metric: Metric, moment: Moment): Promise<(number | null)[]> {
  if (metric.kind === "window") return windows(place, metric, moment);
  return metric.kind === "each" ? lastOnes(place, metric, moment) : present(place, metric, moment);
}

/** One number per window, back from the moment; a window without rows is a number, too. */
async function windows({ reader, projectId }: Place, { noun, value }: Metric, { condition, at }: Moment): Promise<(number | null)[]> {
  const { window_seconds: seconds, consecutive } = condition;
  const filter = filterOf(condition, at);
  const end = at.toISOString();
  const ages = sql`extract(epoch FROM ${end}::timestamptz - ${noun.time})`;
  const range: Fragment[] = [
    sql`${noun.time} < ${end}::timestamptz`,
    sql`${noun.time} >= ${end}::timestamptz - make_interval(secs => ${seconds * consecutive}::float8)`,
  ];
  const rows = await reader.read({ projectId }, (ask) =>
    ask<{ value: number | null }>(sql`
      WITH found AS (
        SELECT greatest(0, ceil(${ages} / ${seconds}::float8) - 1)::int AS place, generated.*
        FROM (SELECT * FROM ${noun.from} WHERE project_id = ${projectId} AND ${and([...range, conditionsOf(filter)])}) AS generated
      )
      SELECT (SELECT ${value} FROM found WHERE found.place = n.place)::float8 AS value
      FROM generate_series(0, ${consecutive - 1}::int) AS n (place) ORDER BY n.place`),
  );
  return rows.map((row) => row.value);
}

/** The newest things that were over at the moment, and younger than the window. */
async function lastOnes(
  { reader, projectId }: Place,
  { noun, value, when, endedAt }: Metric,
  { condition, at }: Moment,
): Promise<(number | null)[]> {
  const end = at.toISOString();
  const over = endedAt ?? noun.time;
  const range = [
    sql`${over} <= ${end}::timestamptz`,
    sql`${over} > ${end}::timestamptz - make_interval(secs => ${condition.window_seconds}::float8)`,
  ];
  const rows = await reader.read({ projectId }, (ask) =>
    ask<{ value: number | null }>(sql`
      SELECT (${value})::float8 AS value FROM ${noun.from}
      WHERE project_id = ${projectId} AND ${and([...range, when ?? sql`TRUE`, conditionsOf(filterOf(condition, at))])}
      ORDER BY ${over} DESC, ${noun.time} DESC LIMIT ${condition.consecutive}`),
  );
  return rows.map((row) => row.value);
}

/** One number for each place, since the present has no past. */
async function present({ reader, projectId }: Place, { noun, value, when }: Metric, { condition, at }: Moment): Promise<(number | null)[]> {
  const old = sql`${noun.time} < ${at.toISOString()}::timestamptz - make_interval(secs => ${condition.window_seconds}::float8)`;
  const [row] = await reader.read({ projectId }, (ask) =>
    ask<{ value: number | null }>(sql`
      SELECT (${value})::float8 AS value FROM ${noun.from}
      WHERE project_id = ${projectId} AND ${and([old, when ?? sql`TRUE`, conditionsOf(filterOf(condition, at))])}`),
  );
  return Array.from({ length: condition.consecutive }, () => row?.value ?? null);
}

/** What a rule would have said at evenly spaced moments, oldest first. */
export async function preview(
  place: Place,
  condition: Condition,
  { from, to, steps }: { readonly from: Date; readonly to: Date; readonly steps: number },
) {
  const stepMillis = (to.getTime() - from.getTime()) / steps;
  const points: { readonly at: string; readonly state: Measured["state"]; readonly value: number | null }[] = [];
  for (let i = 1; i <= steps; i++) {
    const at = new Date(from.getTime() + i * stepMillis);
    const { state, value } = await evaluate(place, condition, at);
    points.push({ at: at.toISOString(), state, value });
  }
  return points;
}
