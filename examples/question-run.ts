/**
 * A nightly job writes quiz questions with several providers, lets an arbiter judge them, removes duplicates and stores the rest. Its figures are counted
 * while it runs. Shows: RunReporter and GenerationRun live, and the one-shot report of a job that counts by itself.
 *
 * Run it beside a collector (npx genspan serve): node question-run.ts
 * GENSPAN_RUN_REPORTING=http sends the figures to GENSPAN_API_URL with GENSPAN_API_KEY instead of with the telemetry; =off sends none.
 */
import { type GenerationRun, generate, RunReporter, startTracing } from "@genspan/sdk";

const tracing = startTracing({ serviceName: "question-service", environment: "development" });
const reporter = new RunReporter({ triggeredBy: "scheduler", environment: "development" });

const MIN_SCORE = 0.7;
const PROVIDERS = [
  { provider: "openai", model: "gpt-5-mini" },
  { provider: "anthropic", model: "claude-sonnet-4-5" },
];
const TYPES = ["pattern_recognition", "logical_reasoning"];
const DIFFICULTIES = ["easy", "medium", "hard"];

interface Question {
  readonly text: string;
  readonly provider: string;
}

/** Stands in for the providers' clients; every fifth call meets a rate limit. */
async function callModel(number: number, prompt: string) {
  await new Promise((resolve) => setTimeout(resolve, 5));
  if (number % 5 === 4) throw Object.assign(new Error("Too many requests"), { status: 429, code: "rate_limit" });
  return { text: `${prompt} (${number % 4})`, usage: { input: 120, output: 40 } };
}

/** Stands in for the arbiter: a model that scores questions from 0 to 1. */
const judge = (number: number): number => [0.9, 0.8, 0.4][number % 3] as number;

async function writeQuestion(run: GenerationRun, number: number): Promise<Question | undefined> {
  const { provider, model } = PROVIDERS[number % PROVIDERS.length]!;
  const [type, difficulty] = [TYPES[number % TYPES.length]!, DIFFICULTIES[number % DIFFICULTIES.length]!];
  const prompt = { name: "question", version: "2.1", text: `Write a question: ${type}, ${difficulty}` };
  run.apiCall(provider);
  try {
    const { text } = await generate(
      { model, provider, prompt },
      () => callModel(number, prompt.text),
      (answer) => answer,
    );
    run.generated({ provider, type, difficulty });
    return { text, provider };
  } catch {
    run.generationFailed({ provider, category: "rate_limit", severity: "high" });
    return undefined;
  }
}

async function nightlyJob(requested: number): Promise<void> {
  await using run = reporter.start({
    requested,
    kind: "questions",
    promptVersion: "2.1",
    arbiterConfigVersion: "1.3",
    minArbiterScore: MIN_SCORE,
  });
  const stored = new Set<string>();
  await run.within(async () => {
    for (let number = 0; number < requested; number++) {
      const question = await writeQuestion(run, number);
      if (question === undefined) continue;
      const score = judge(number);
      run.evaluated({ approved: score >= MIN_SCORE, score, provider: question.provider });
      if (score < MIN_SCORE) continue;
      if (stored.has(question.text)) run.duplicate("exact");
      else {
        stored.add(question.text);
        run.inserted();
      }
    }
  });
  const { overall_success_rate } = run.summary();
  const outcome = await run.finish({ exitCode: stored.size === requested ? 0 : 1 });
  console.log(`run ${run.id}: ${stored.size} of ${requested} stored (${overall_success_rate}), report ${outcome.status}`);
}

/** A job that has its own counters reports them once, at its end. */
async function reportOwnCounters(): Promise<void> {
  const summary = {
    started_at: "2024-12-04T03:00:00Z",
    completed_at: "2024-12-04T03:07:30Z",
    questions_requested: 50,
    questions_generated: 48,
    generation_failures: 2,
    questions_evaluated: 48,
    questions_approved: 40,
    questions_rejected: 8,
    avg_arbiter_score: 0.81,
    min_arbiter_score: 0.35,
    max_arbiter_score: 0.98,
    exact_duplicates: 1,
    semantic_duplicates: 3,
    questions_inserted: 35,
    insertion_failures: 1,
    total_errors: 3,
    total_api_calls: 110,
    provider_metrics: { openai: { generated: 10, api_calls: 15, failures: 1 } },
    type_metrics: { pattern_recognition: 8, logical_reasoning: 12 },
    difficulty_metrics: { easy: 15, medium: 22, hard: 13 },
    error_summary: { by_category: { rate_limit: 2 }, by_severity: { high: 1 }, critical_count: 0 },
  };
  const config = { kind: "questions", promptVersion: "2.0", arbiterConfigVersion: "1.3", minArbiterScore: MIN_SCORE };
  const { runId, status } = await reporter.reportRun(summary, 1, config);
  console.log(`run ${runId}: reported at once, ${status}`);
}

await nightlyJob(15);
await reportOwnCounters();
await tracing.shutdown();
