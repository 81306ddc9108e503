import { setTimeout as sleep } from "node:timers/promises";
import { createPartition, PARTITIONED_TABLES } from "../../schema/partitions.ts";
import { prose as proseOf } from "./prose.ts";
import { createRandom } from "./random.ts";
import { emptyTables, type Stage } from "./stage.ts";
import { median, rounded } from "./statistics.ts";

/** How long questions to the API took, over HTTP, from the asker's side. */
export interface ReadResult {
  readonly spans: number;
  readonly generations: number;
  readonly questions: Readonly<Record<string, { readonly p50Millis: number; readonly p95Millis: number }>>;
  /** The slowest of those that section 9 of the contract names. */
  readonly worstP95Millis: number;
}

export interface ReadSize {
  readonly spans: number;
  /** How often each question is asked, each time about something else. */
  readonly rounds: number;
}

const DAYS = 30;
const DAY_MS = 86_400_000;
const GENERATION_SHARE = 0.3;
const SPANS_PER_TRACE = 10;
const BATCH = 50_000;
/** Different texts; each stands in many rows, as templates make prompts alike. */
const TEXTS = 400;
const PROMPT_BYTES = 2_000;
const ANSWER_BYTES = 1_200;
const NOTE_BYTES = 400;
const RUNS = 2_000;

/** Stores spans evenly over thirty days, three of ten with a model call of 3.7 KB, and asks what people and programs ask. */
export async function measureReads(stage: Stage, { spans, rounds }: ReadSize): Promise<ReadResult> {
  const now = Math.floor(Date.now() / 1000) * 1000;
  await emptyTables(stage);
  await makePartitions(stage, now);
  await storeSpans(stage, { spans, now });
  await stage.sql`VACUUM ANALYZE`;
  await untilSummedUp(stage);
  const questions: Record<string, { p50Millis: number; p95Millis: number }> = {};
  for (const [name, ask] of Object.entries(questionsAbout({ spans, now }))) questions[name] = await timeQuestion(stage, { ask, rounds });
  return {
    spans,
    generations: Math.round(spans * GENERATION_SHARE),
    questions,
    worstP95Millis: Math.max(...Object.values(questions).map(({ p95Millis }) => p95Millis)),
  };
}

async function makePartitions({ sql }: Stage, now: number): Promise<void> {
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

interface Stored {
  readonly spans: number;
  readonly now: number;
}

/** A service has two prompts, and a prompt its model, as in real applications. Ids are the number of trace and span; times lie evenly between thirty days ago and now. Made by the server: what arrives how is measured elsewhere. */
async function storeSpans({ sql }: Stage, { spans, now }: Stored): Promise<void> {
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
        FROM made JOIN bench_texts ON i = n % ${TEXTS}::int`;
      await tx`INSERT INTO generation_logs (project_id, trace_id, span_id, start_time, end_time, service_name, environment, dialect, operation_name, provider_name, prompt_full_text, prompt_format,
          prompt_template_name, prompt_template_version, model_name, response_full_text, tokens_prompt, tokens_completion, tokens_total, duration_ms, generation_status, error_type,
          cost_amount, cost_currency, user_id, run_id, additional_metadata, content_state, logged_at, updated_at, received_at)
        SELECT 1, trace_id, span_id, at, at + interval '1 second', 'service ' || n % 8, CASE WHEN n / 16 % 3 = 0 THEN 'staging' ELSE 'production' END, 'semconv', 'chat', 'provider ' || n % 16 / 4,
          prompt, 'messages', 'prompt ' || n % 16, '1.' || n / 200 % 3, 'model ' || n % 16 / 2,
          answer, n % 3000, n % 700, n % 3000 + n % 700, 200 + n * 7 % 5000,
          CASE WHEN n % 50 = 0 THEN 'failed' ELSE 'success' END, CASE WHEN n % 50 = 0 THEN 'rate_limit' END, 0.000001 * (n % 3000), 'USD', 'user ' || n % 20000,
          CASE WHEN n % 100 < 3 THEN 'run ' || n / 3000 END, jsonb_build_object('tier', CASE WHEN n % 1000 = 0 THEN 'gold' ELSE 'plain' END), 'captured', at, at, at
        FROM made JOIN bench_texts ON i = n % ${TEXTS}::int WHERE is_call`;
    });
  }
  await sql`INSERT INTO usage_dirty_hours SELECT DISTINCT project_id, date_trunc('hour', start_time, 'UTC') FROM generation_logs`;
  await sql`INSERT INTO generation_runs (project_id, id, run_id, kind, status, started_at, completed_at, duration_seconds, overall_success_rate, approval_rate, environment, created_at, updated_at)
    SELECT 1, gen_random_uuid(), 'run ' || n, 'bench', 'success', ${new Date(now)}::timestamptz - n * interval '20 minutes', ${new Date(now)}::timestamptz - n * interval '20 minutes', 60, 0.9, 0.8, 'production', now(), now()
    FROM generate_series(1, ${RUNS}::int) AS n`;
}

const SUMMED_WITHIN_MS = 300_000;

/** Waits until the collector has summed up every hour that is over. */
async function untilSummedUp({ sql }: Stage): Promise<void> {
  for (const deadline = performance.now() + SUMMED_WITHIN_MS; performance.now() < deadline; await sleep(500)) {
    const [row] = await sql`SELECT count(*)::int AS hours FROM usage_dirty_hours WHERE hour < now() - interval '70 minutes'`;
    if (row?.["hours"] === 0) return;
  }
  throw new Error("the collector did not sum usage up in time");
}

/** The path of the i-th time that a question is asked. */
type Question = (i: number) => string;

function questionsAbout({ spans, now }: Stored): Readonly<Record<string, Question>> {
  const generations = (query: string): string => `/api/generations?${query}`;
  const at = (daysAgo: number): string => new Date(now - daysAgo * DAY_MS).toISOString();
  const trace = (i: number): string => `/api/traces/by-number/${(i * 7_919) % Math.floor(spans / SPANS_PER_TRACE)}`;
  return {
    "list, the newest fifty": () => generations("limit=50"),
    "list, a page in the middle": (i) => generations(`limit=50&to=${at((i * 3) % 28)}`),
    "list by model": (i) => generations(`model=model+${i % 8}`),
    "list of failures": () => generations("status=failed"),
    "list by run": (i) => generations(`run=run+${(i * 17) % Math.max(1, Math.floor(spans / 3000))}`),
    "list by environment and duration": (i) => generations(`env=staging&min_ms=${4_000 + i * 10}`),
    "list by prompt and version": (i) => generations(`prompt=prompt+${i % 16}&version=1.${i % 3}`),
    "one trace": trace,
    "traces, the newest fifty": () => "/api/traces?limit=50",
    "usage of thirty days by model": () => "/api/usage?by=model",
    "usage of thirty days by day and provider": () => "/api/usage?by=day,provider",
    "words within a day": (i) => generations(`from=-24h&q=${["teacher", "river", "xylophone"][i % 3]}`),
    "an attribute within a day": (i) => generations(`from=-24h&attr.tier=${["gold", "plain", "none"][i % 3]}`),
    "statistics of runs": () => "/v1/admin/generation-runs/stats",
  };
}

interface Timing {
  readonly ask: Question;
  readonly rounds: number;
}

const WARM_UP = 2;

async function timeQuestion(stage: Stage, { ask, rounds }: Timing): Promise<{ p50Millis: number; p95Millis: number }> {
  const took: number[] = [];
  for (let i = -WARM_UP; i < rounds; i++) {
    const url = `${stage.program.webUrl}${await named(stage, ask(Math.abs(i)))}`;
    const started = performance.now();
    const response = await fetch(url);
    await response.arrayBuffer();
    const millis = performance.now() - started;
    if (!response.ok) throw new Error(`the question was answered ${response.status}`);
    if (i >= 0) took.push(millis);
  }
  const sorted = took.toSorted((a, b) => a - b);
  return { p50Millis: rounded(median(sorted)), p95Millis: rounded(sorted[Math.ceil(sorted.length * 0.95) - 1] ?? Number.NaN) };
}

/** The id of a trace by its number is a hash that the server made. */
async function named({ sql }: Stage, path: string): Promise<string> {
  const [, number] = /^\/api\/traces\/by-number\/(\d+)$/.exec(path) ?? [];
  if (number === undefined) return path;
  const [row] = await sql`SELECT md5(${number}::text) AS id`;
  return `/api/traces/${row?.["id"]}`;
}

/** A line per question. */
export const readTable = ({ spans, generations, questions }: ReadResult): string[] => [
  `reads with ${spans} spans, ${generations} of them model calls, over ${DAYS} days: p50 / p95 in ms`,
  ...Object.entries(questions).map(
    ([name, { p50Millis, p95Millis }]) => `  ${name.padEnd(44)}${String(p50Millis).padStart(8)} ${String(p95Millis).padStart(8)}`,
  ),
];
