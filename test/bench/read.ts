import { DAY_MS, DAYS, GENERATION_SHARE, type ReadSet, SPANS_PER_TRACE, storeReadSet } from "./read-set.ts";
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

/** Asks what people and programs ask of a month of rows. */
export async function measureReads(stage: Stage, { spans, rounds }: ReadSize): Promise<ReadResult> {
  const now = Math.floor(Date.now() / 1000) * 1000;
  await emptyTables(stage);
  await storeReadSet(stage, { spans, now });
  const questions: Record<string, { p50Millis: number; p95Millis: number }> = {};
  for (const [name, ask] of Object.entries(questionsAbout({ spans, now }))) questions[name] = await timeQuestion(stage, { ask, rounds });
  return {
    spans,
    generations: Math.round(spans * GENERATION_SHARE),
    questions,
    worstP95Millis: Math.max(...Object.values(questions).map(({ p95Millis }) => p95Millis)),
  };
}

/** The path of the i-th time that a question is asked. */
export type Question = (i: number) => string;

export function questionsAbout({ spans, now }: ReadSet): Readonly<Record<string, Question>> {
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
    "list by user": (i) => generations(`user=user+${(i * 40) % 20_000}`),
    "list of the most expensive": (i) => generations(`min_cost=${0.002_95 + (i % 4) / 100_000}`),
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
