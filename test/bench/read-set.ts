import { setTimeout as sleep } from "node:timers/promises";
import { createLog } from "../../collector/base/log.ts";
import { createWordSignatures } from "../../collector/jobs/word-signatures/index.ts";
import { createPartition, PARTITIONED_TABLES } from "../../schema/partitions.ts";
import { prose as proseOf } from "./prose.ts";
import { createRandom } from "./random.ts";
import type { Stage } from "./stage.ts";

export const DAYS = 30;
export const DAY_MS = 86_400_000;
export const GENERATION_SHARE = 0.3;
export const SPANS_PER_TRACE = 10;
const BATCH = 50_000;
/** Different texts; each stands in many rows, as templates make prompts alike. */
const TEXTS = 400;
const PROMPT_BYTES = 2_000;
const ANSWER_BYTES = 1_200;
const NOTE_BYTES = 400;
/** A month of a hundred a day. */
const RUNS = 3_000;

/** What is asked about. */
export interface ReadSet {
  readonly spans: number;
  /** Milliseconds since 1970 of the newest span. */
  readonly now: number;
}

/** Stores spans evenly over thirty days, three of ten with a model call of 3.7 KB, and runs; waits until usage is summed up and texts are signed. */
export async function storeReadSet(stage: Pick<Stage, "sql" | "program">, set: ReadSet): Promise<void> {
  await makePartitions(stage, set.now);
  await storeSpans(stage, set);
  await storeRuns(stage, set);
  await stage.sql`VACUUM ANALYZE`;
  await untilSummedUp(stage);
  await signTexts(stage);
}

async function makePartitions({ sql }: Pick<Stage, "sql">, now: number): Promise<void> {
  const today = Math.floor(now / DAY_MS) * DAY_MS;
  for (const table of PARTITIONED_TABLES.filter(({ name }) => name === "spans" || name === "generation_logs"))
    for (let day = today - DAYS * DAY_MS; day < today; day += DAY_MS)
      await createPartition({ sql, schema: "public", table }, { from: new Date(day), to: new Date(day + DAY_MS) }).catch(
        (error: unknown) => {
          // The collector has made it already.
          if ((error as { code?: unknown }).code !== "42P07") throw error;
        },
      );
}

/** A service has two prompts, and a prompt its model, as in real applications. Ids are the number of trace and span; times lie evenly between thirty days ago and now, and rows in their order. Made by the server: what arrives how is measured elsewhere. */
async function storeSpans({ sql }: Pick<Stage, "sql">, { spans, now }: ReadSet): Promise<void> {
  const random = createRandom(7);
  const texts = (bytes: number): string[] => Array.from({ length: TEXTS }, () => proseOf(random, bytes));
  await sql`CREATE TEMP TABLE bench_texts AS SELECT row_number() OVER () - 1 AS i, * FROM unnest(
    ${texts(PROMPT_BYTES)}::text[], ${texts(ANSWER_BYTES)}::text[], ${texts(NOTE_BYTES)}::text[]) AS t (prompt, answer, note)`;
  const resource = "00000000-0000-4000-8000-0000000000be";
  await sql`INSERT INTO resources (project_id, id, attributes) VALUES (1, ${resource}, '{"service.name": "bench"}') ON CONFLICT DO NOTHING`;
  const from = new Date(now - DAYS * DAY_MS);
  const step = (DAYS * 86_400) / spans;
  for (let first = 0; first < spans; first += BATCH) {
    const last = Math.min(first + BATCH, spans) - 1;
    await sql.begin(async (tx) => {
      await tx`CREATE TEMP TABLE made ON COMMIT DROP AS
        SELECT n, md5((n / ${SPANS_PER_TRACE}::int)::text) AS trace_id, lpad(to_hex(n), 16, '0') AS span_id, ${from}::timestamptz + n * ${step}::float8 * interval '1 second' AS at,
          n % 10 < ${GENERATION_SHARE * 10}::int AS is_call FROM generate_series(${first}::int, ${last}::int) AS n`;
      await tx`INSERT INTO spans (project_id, trace_id, span_id, start_time, start_nano, end_time, end_nano, duration_ns, parent_span_id, name, kind, service_name, status_code,
          attributes, resource_id, received_at)
        SELECT 1, trace_id, span_id, at, 0, at + interval '1 second', 0, 1e9, CASE WHEN n % ${SPANS_PER_TRACE}::int = 9 THEN NULL ELSE lpad(to_hex(n - n % ${SPANS_PER_TRACE}::int + 9), 16, '0') END,
          'step ' || n % 50, CASE WHEN n % ${SPANS_PER_TRACE}::int = 9 THEN 2 ELSE 3 END, 'service ' || n % 8, CASE WHEN n % 97 = 0 THEN 2 ELSE 0 END,
          jsonb_build_object('http.route', '/r/' || n % 200, 'tenant', 't' || n % 5000, 'note', note), ${resource}, at
        FROM made JOIN bench_texts ON i = n % ${TEXTS}::int ORDER BY n`;
      await tx`INSERT INTO generation_logs (project_id, trace_id, span_id, start_time, end_time, service_name, environment, dialect, operation_name, provider_name, prompt_full_text, prompt_format,
          prompt_template_name, prompt_template_version, model_name, response_full_text, tokens_prompt, tokens_completion, tokens_total, duration_ms, generation_status, error_type,
          cost_amount, cost_currency, user_id, run_id, additional_metadata, content_state, logged_at, updated_at, received_at)
        SELECT 1, trace_id, span_id, at, at + interval '1 second', 'service ' || n % 8, CASE WHEN n / 16 % 3 = 0 THEN 'staging' ELSE 'production' END, 'semconv', 'chat', 'provider ' || n % 16 / 4,
          prompt, 'messages', 'prompt ' || n % 16, '1.' || n / 200 % 3, 'model ' || n % 16 / 2,
          answer, n % 3000, n % 700, n % 3000 + n % 700, 200 + n * 7 % 5000,
          CASE WHEN n % 50 = 0 THEN 'failed' ELSE 'success' END, CASE WHEN n % 50 = 0 THEN 'rate_limit' END, 0.000001 * (n % 3000), 'USD', 'user ' || n % 20000,
          CASE WHEN n % 100 < 3 THEN 'run ' || n / 3000 END, jsonb_build_object('tier', CASE WHEN n % 1000 = 0 THEN 'gold' ELSE 'plain' END), 'captured', at, at, at
        FROM made JOIN bench_texts ON i = n % ${TEXTS}::int WHERE is_call ORDER BY n`;
    });
  }
  await sql`INSERT INTO usage_dirty_hours SELECT DISTINCT project_id, date_trunc('hour', start_time, 'UTC') FROM generation_logs`;
}

const PROVIDERS = ["openai", "anthropic", "gemini", "xai"];
const QUESTION_TYPES = ["pattern_recognition", "logical_reasoning", "spatial_reasoning", "mathematical", "verbal_reasoning", "memory"];

/** Runs with every number and breakdown that a report of one has. */
async function storeRuns({ sql }: Pick<Stage, "sql">, { now }: ReadSet): Promise<void> {
  const step = (DAYS * 86_400) / RUNS;
  await sql`INSERT INTO generation_runs (project_id, id, run_id, kind, status, exit_code, started_at, completed_at, duration_seconds, items_requested, items_generated,
      generation_failures, generation_success_rate, items_evaluated, items_approved, items_rejected, approval_rate, avg_arbiter_score, min_arbiter_score, max_arbiter_score,
      duplicates_found, exact_duplicates, semantic_duplicates, duplicate_rate, items_inserted, insertion_failures, overall_success_rate, total_errors, total_api_calls,
      provider_metrics, type_metrics, difficulty_metrics, error_summary, prompt_version, arbiter_config_version, min_arbiter_score_threshold, environment, triggered_by,
      created_at, updated_at, closed_by)
    SELECT 1, gen_random_uuid(), 'run ' || n, 'bench', CASE WHEN n % 20 = 0 THEN 'partial_failure' ELSE 'success' END, 0, at, at + interval '1 minute', 40 + n % 37,
      50, 48, 2, 0.96, 48, 40 - n % 7, 8 + n % 7, (40 - n % 7) / 48.0, 0.8, 0.5, 0.95, 3, 1, 2, 0.075, 36 - n % 7, 1, (36 - n % 7) / 50.0, n % 5, 130 + n % 11,
      (SELECT jsonb_object_agg(provider, jsonb_build_object('generated', 12, 'api_calls', 30 + n % 5, 'failures', n % 3, 'evaluated', 12, 'approved', 10 - n % 4, 'rejected', 2 + n % 4))
        FROM unnest(${PROVIDERS}::text[]) AS p (provider)),
      (SELECT jsonb_object_agg(type, 8) FROM unnest(${QUESTION_TYPES}::text[]) AS t (type)), '{"easy": 15, "medium": 22, "hard": 13}',
      jsonb_build_object('by_category', jsonb_build_object('rate_limit', n % 3, 'timeout', n % 2), 'by_severity', jsonb_build_object('high', n % 2), 'critical_count', 0),
      '2.' || n / 300, '1.0', 0.7, 'production', 'scheduler', at, at, 'report'
    FROM generate_series(1, ${RUNS}::int) AS n, LATERAL (SELECT ${new Date(now)}::timestamptz - n * ${step}::float8 * interval '1 second' AS at) AS began`;
}

const SUMMED_WITHIN_MS = 300_000;

/** Waits until the collector has summed up every hour that is over. */
async function untilSummedUp({ sql }: Pick<Stage, "sql">): Promise<void> {
  for (const deadline = performance.now() + SUMMED_WITHIN_MS; performance.now() < deadline; await sleep(500)) {
    const [row] = await sql`SELECT count(*)::int AS hours FROM usage_dirty_hours WHERE hour < now() - interval '70 minutes'`;
    if (row?.["hours"] === 0) return;
  }
  throw new Error("the collector did not sum usage up in time");
}

/** What the collector does at its leisure when an hour has been left alone for some minutes, here in one go. */
async function signTexts({ sql }: Pick<Stage, "sql">): Promise<void> {
  const job = createWordSignatures({ sql, schema: "public", holder: "bench", log: createLog("warn"), settleMillis: 0, rest: 0 });
  // The collector may be at it just now.
  while ((await job.runOnce()) === undefined) await sleep(500);
  await sql`VACUUM ANALYZE word_signatures`;
}
