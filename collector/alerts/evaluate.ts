import { conditionsOf } from "../query/filter/conditions.ts";
import type { Reader } from "../query/reader.ts";
import { and, type Fragment, sql } from "../query/sql.ts";
import { type Condition, currencyOfCondition, filterOf, holds } from "./condition.ts";
import { MAX_THINGS, METRICS, type Metric } from "./metrics.ts";

/** What was measured: the newest value first. */
export interface Measured {
  readonly state: "ok" | "firing" | "no_data";
  /** The newest value; null where nothing could be measured. */
  readonly value: number | null;
  /** As many as must be so in a row, where there are so many. */
  readonly values: readonly (number | null)[];
  /** Of metrics about single things: the ids of those that were measured, the first of them where there are many. */
  readonly things: readonly string[];
  /** Of an amount of money: other currencies of which there were amounts, too; they are not in the values. */
  readonly leftOut: readonly string[];
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
  const { values, things, leftOut = [] } = await valuesOf(place, metric, { condition, at });
  const enough = values.length >= condition.consecutive;
  const value = values[0] ?? null;
  const told = { value, values, things, leftOut };
  if (!enough) return { state: condition.no_data === "firing" && values.length === 0 ? "firing" : "no_data", ...told };
  if (values.every((each) => holds(condition, each))) return { state: "firing", ...told };
  return { state: value === null ? "no_data" : "ok", ...told };
}

interface Moment {
  readonly condition: Condition;
  readonly at: Date;
}

/** Numbers, the newest first, and what they were measured of. */
type Values = Pick<Measured, "values" | "things"> & Partial<Pick<Measured, "leftOut">>;

function valuesOf(place: Place, metric: Metric, moment: Moment): Promise<Values> {
  if (metric.kind === "window") return windows(place, metric, moment);
  return metric.kind === "each" ? lastOnes(place, metric, moment) : present(place, metric, moment);
}

/** One number per window, back from the moment; a window without rows is a number, too. */
async function windows({ reader, projectId }: Place, { noun, value, money }: Metric, { condition, at }: Moment): Promise<Values> {
  const { window_seconds: seconds, consecutive } = condition;
  const currency = currencyOfCondition(condition) ?? "";
  const filter = filterOf(condition, at);
  const end = at.toISOString();
  const ages = sql`extract(epoch FROM ${end}::timestamptz - ${noun.time})`;
  const range: Fragment[] = [
    sql`${noun.time} < ${end}::timestamptz`,
    sql`${noun.time} >= ${end}::timestamptz - make_interval(secs => ${seconds * consecutive}::float8)`,
  ];
  const rows = await reader.read({ projectId }, (ask) =>
    ask<{ value: number | null; left_out: string[] | null }>(sql`
      WITH found AS (
        SELECT greatest(0, ceil(${ages} / ${seconds}::float8) - 1)::int AS place, generated.*
        FROM (SELECT * FROM ${noun.from} WHERE project_id = ${projectId} AND ${and([...range, conditionsOf(filter)])}) AS generated
      )
      SELECT (SELECT ${money?.valueIn(currency) ?? value} FROM found WHERE found.place = n.place)::float8 AS value,
        ${money === undefined ? sql`NULL::text[]` : sql`(SELECT ${money.beside(currency)} FROM found)`} AS left_out
      FROM generate_series(0, ${consecutive - 1}::int) AS n (place) ORDER BY n.place`),
  );
  return { values: rows.map((row) => row.value), things: [], leftOut: rows[0]?.left_out?.toSorted() ?? [] };
}

/** The newest things that were over at the moment, younger than the window, and measured: one that says nothing stands between none. */
async function lastOnes(
  { reader, projectId }: Place,
  { noun, value, when, endedAt, thing }: Metric,
  { condition, at }: Moment,
): Promise<Values> {
  const end = at.toISOString();
  const over = endedAt ?? noun.time;
  const range = [
    sql`${over} <= ${end}::timestamptz`,
    sql`${over} > ${end}::timestamptz - make_interval(secs => ${condition.window_seconds}::float8)`,
  ];
  const rows = await reader.read({ projectId }, (ask) =>
    ask<{ value: number | null; thing: string | null }>(sql`
      SELECT (${value})::float8 AS value, ${thing?.id ?? sql`NULL`} AS thing FROM ${noun.from}
      WHERE project_id = ${projectId} AND ${and([...range, sql`(${value}) IS NOT NULL`, when ?? sql`TRUE`, conditionsOf(filterOf(condition, at))])}
      ORDER BY ${over} DESC, ${noun.time} DESC LIMIT ${condition.consecutive}`),
  );
  return { values: rows.map((row) => row.value), things: rows.flatMap(({ thing: id }) => id ?? []) };
}

/** One number for each place, since the present has no past. */
async function present({ reader, projectId }: Place, { noun, value, when, thing }: Metric, { condition, at }: Moment): Promise<Values> {
  const old = sql`${noun.time} < ${at.toISOString()}::timestamptz - make_interval(secs => ${condition.window_seconds}::float8)`;
  const [row] = await reader.read({ projectId }, (ask) =>
    ask<{ value: number | null; things: string[] | null }>(sql`
      SELECT (${value})::float8 AS value, (array_agg(${thing?.id ?? sql`NULL::text`} ORDER BY ${noun.time}))[1:${MAX_THINGS + 1}::int] AS things FROM ${noun.from}
      WHERE project_id = ${projectId} AND ${and([old, when ?? sql`TRUE`, conditionsOf(filterOf(condition, at))])}`),
  );
  return { values: Array.from({ length: condition.consecutive }, () => row?.value ?? null), things: row?.things ?? [] };
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
