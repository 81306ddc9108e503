import type { ExactNumber } from "../exact.ts";
import { conditionsOf } from "../filter/conditions.ts";
import type { Filter } from "../filter/parse.ts";
import type { Ask, Reader } from "../reader.ts";
import { type Fragment, sql } from "../sql.ts";

export interface ImageTotals {
  readonly traces: ExactNumber;
  readonly started: ExactNumber;
  readonly completed: ExactNumber;
  readonly failed: ExactNumber;
  /** Of those that ended. */
  readonly success_rate: number | null;
  readonly attempts: ExactNumber;
  readonly median_duration_ms: number | null;
  readonly avg_duration_ms: number | null;
}

export interface ModelFigures {
  readonly model: string;
  readonly attempts: ExactNumber;
  readonly succeeded: ExactNumber;
  readonly failed: ExactNumber;
  readonly success_rate: number;
  readonly avg_duration_ms: number | null;
  readonly median_duration_ms: number | null;
  readonly p95_duration_ms: number | null;
  /** Requests whose pictures were taken from it. */
  readonly used: ExactNumber;
  /** Its share of all completed requests. */
  readonly share_of_results: number | null;
  readonly last_error: string | null;
}

export interface RankedModel extends ModelFigures {
  /** 1 is to be tried first. */
  readonly rank: number;
  /** Mean time until it gives a picture, retries included; what the order is made by. NULL where no duration is known. */
  readonly expected_ms: number | null;
  /** Too few attempts to rely on its place. */
  readonly few: boolean;
}

export interface DayFigures {
  readonly day: string;
  readonly traces: ExactNumber;
  readonly completed: ExactNumber;
  readonly failed: ExactNumber;
  readonly attempts: ExactNumber;
  readonly median_duration_ms: number | null;
}

export interface ModelDay {
  readonly day: string;
  readonly model: string;
  readonly attempts: ExactNumber;
  readonly succeeded: ExactNumber;
  readonly success_rate: number;
  readonly median_duration_ms: number | null;
}

export interface ImageStats extends ImageTotals {
  readonly models: readonly RankedModel[];
  readonly suggested_order: readonly string[];
  readonly order_rule: string;
  readonly days: readonly DayFigures[];
  readonly model_days: readonly ModelDay[];
}

/** Attempts from which on a place in the order means something. */
const FEW = 10;

export const ORDER_RULE =
  "Models are ordered by the mean time until one gives a picture: mean duration of an attempt divided by its chance of success, (succeeded + 1) / (attempts + 2). " +
  `Tried in this order, the expected time to the first picture is the shortest. A model with fewer than ${FEW} attempts is marked few; one that never succeeded comes after those that did.`;

/** Statistics by model and by day, and the order in which models should be tried. */
export const imageStats = (reader: Reader, projectId: number, filter: Filter): Promise<ImageStats> =>
  reader.read({ projectId }, async (ask) => {
    const rows = sql`image_traces WHERE project_id = ${projectId} AND (${conditionsOf(filter)})`;
    const models = rankModels(await byModel(ask, rows));
    return {
      ...(await totals(ask, rows)),
      models,
      suggested_order: models.map(({ model }) => model),
      order_rule: ORDER_RULE,
      days: await byDay(ask, rows),
      model_days: await byModelAndDay(ask, rows),
    };
  });

/** Applies ORDER_RULE. */
export function rankModels(models: readonly ModelFigures[]): RankedModel[] {
  return models
    .map((model) => {
      const chance = (Number(model.succeeded) + 1) / (Number(model.attempts) + 2);
      const expected_ms = model.avg_duration_ms === null ? null : model.avg_duration_ms / chance;
      return { ...model, expected_ms, few: Number(model.attempts) < FEW };
    })
    .toSorted(
      (a, b) =>
        Number(Number(a.succeeded) === 0) - Number(Number(b.succeeded) === 0) ||
        (a.expected_ms ?? Number.POSITIVE_INFINITY) - (b.expected_ms ?? Number.POSITIVE_INFINITY) ||
        b.success_rate - a.success_rate ||
        (a.model < b.model ? -1 : 1),
    )
    .map((model, i) => ({ ...model, rank: i + 1 }));
}

const attemptsOf = sql`jsonb_array_length(coalesce(image_generation_attempts, '[]'))`;
const median = (column: Fragment): Fragment => sql`percentile_cont(0.5) WITHIN GROUP (ORDER BY ${column})`;
const dayOf = sql`to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')`;

/** No attempt takes longer: what an application logged may be anything. */
const MAX_MILLIS = sql`1e15`;

/** One row per attempt; what an application logged without a model has none here. */
const attempts = (rows: Fragment): Fragment => sql`(
  SELECT ${dayOf} AS day, created_at, a ->> 'model' AS model, coalesce(a -> 'success' = 'true', FALSE) AS success,
    CASE WHEN jsonb_typeof(a -> 'duration_ms') = 'number' THEN CASE WHEN abs((a -> 'duration_ms')::numeric) <= ${MAX_MILLIS} THEN (a ->> 'duration_ms')::float8 END END AS duration_ms, a ->> 'error' AS error
  FROM (SELECT created_at, image_generation_attempts FROM ${rows} AND jsonb_typeof(image_generation_attempts) = 'array') AS traces,
    jsonb_array_elements(image_generation_attempts) AS a
  WHERE a ->> 'model' IS NOT NULL) AS attempts`;

async function totals(ask: Ask, rows: Fragment): Promise<ImageTotals> {
  const [row] = await ask<ImageTotals>(sql`
    SELECT count(*) AS traces, count(*) FILTER (WHERE status = 'started') AS started, count(*) FILTER (WHERE status = 'completed') AS completed,
      count(*) FILTER (WHERE status = 'failed') AS failed,
      (count(*) FILTER (WHERE status = 'completed'))::float8 / nullif(count(*) FILTER (WHERE status <> 'started'), 0) AS success_rate,
      coalesce(sum(${attemptsOf}), 0) AS attempts, ${median(sql`total_duration_ms`)} AS median_duration_ms, avg(total_duration_ms) AS avg_duration_ms
    FROM ${rows}`);
  return row!;
}

const byModel = (ask: Ask, rows: Fragment): Promise<ModelFigures[]> =>
  ask<ModelFigures>(sql`
    SELECT t.*, coalesce(u.used, 0) AS used, u.used::float8 / nullif((SELECT count(*) FROM ${rows} AND status = 'completed'), 0) AS share_of_results
    FROM (
      SELECT model, count(*) AS attempts, count(*) FILTER (WHERE success) AS succeeded, count(*) FILTER (WHERE NOT success) AS failed,
        (count(*) FILTER (WHERE success))::float8 / count(*) AS success_rate, avg(duration_ms) AS avg_duration_ms,
        ${median(sql`duration_ms`)} AS median_duration_ms, percentile_cont(0.95) WITHIN GROUP (ORDER BY duration_ms) AS p95_duration_ms,
        left((array_agg(error ORDER BY created_at DESC) FILTER (WHERE NOT success AND error IS NOT NULL))[1], 200) AS last_error
      FROM ${attempts(rows)} GROUP BY model
    ) AS t LEFT JOIN (SELECT model_used, count(*) AS used FROM ${rows} AND status = 'completed' AND model_used IS NOT NULL GROUP BY model_used) AS u
      ON u.model_used = t.model ORDER BY t.attempts DESC, t.model LIMIT 1000`);

/** The last days where there are too many. */
const byDay = async (ask: Ask, rows: Fragment): Promise<DayFigures[]> =>
  (
    await ask<DayFigures>(sql`
    SELECT ${dayOf} AS day, count(*) AS traces, count(*) FILTER (WHERE status = 'completed') AS completed, count(*) FILTER (WHERE status = 'failed') AS failed,
      coalesce(sum(${attemptsOf}), 0) AS attempts, ${median(sql`total_duration_ms`)} AS median_duration_ms
    FROM ${rows} GROUP BY 1 ORDER BY 1 DESC LIMIT 1000`)
  ).toReversed();

const byModelAndDay = async (ask: Ask, rows: Fragment): Promise<ModelDay[]> =>
  (
    await ask<ModelDay>(sql`
    SELECT day, model, count(*) AS attempts, count(*) FILTER (WHERE success) AS succeeded,
      (count(*) FILTER (WHERE success))::float8 / count(*) AS success_rate, ${median(sql`duration_ms`)} AS median_duration_ms
    FROM ${attempts(rows)} GROUP BY day, model ORDER BY day DESC, model DESC LIMIT 10000`)
  ).toReversed();
