import * as A from "../../sdk/attributes.ts";
import { uuid } from "./batch.ts";
import { GPT_MINI } from "./models.ts";
import { KIND } from "./otlp.ts";
import { buildTrace, type Story } from "./story.ts";
import { LOGIC_QUESTIONS } from "./texts.ts";

const REQUESTED = 50;
const CALLS_SHOWN = 4;
/** Prompt 2.1 came nine days ago: more is approved, and the scores go on falling all the same. */
const NEW_PROMPT_DAYS_AGO = 9;
/** The night in which one provider was out. */
const OUTAGE_DAYS_AGO = 4;

interface Outcome {
  readonly generated: number;
  readonly approved: number;
  readonly inserted: number;
  readonly score: number;
  readonly limited: number;
}

/** What the application counted, in the columns of generation_runs. */
function summaryOf({ generated, approved, inserted, score, limited }: Outcome, version: string): object {
  const openai = Math.round(generated * 0.6);
  const [openaiApproved, calls] = [Math.round(approved * 0.55), Math.round(generated * 1.4)];
  return {
    items_requested: REQUESTED,
    items_generated: generated,
    generation_failures: REQUESTED - generated,
    items_evaluated: generated,
    items_approved: approved,
    items_rejected: generated - approved,
    avg_arbiter_score: Number(score.toFixed(3)),
    min_arbiter_score: Number((score - 0.3).toFixed(3)),
    max_arbiter_score: Number(Math.min(1, score + 0.12).toFixed(3)),
    duplicates_found: approved - inserted,
    exact_duplicates: 0,
    semantic_duplicates: approved - inserted,
    items_inserted: inserted,
    insertion_failures: 0,
    total_errors: REQUESTED - generated + limited,
    total_api_calls: calls + limited,
    provider_metrics: {
      openai: {
        generated: openai,
        api_calls: Math.round(calls * 0.6),
        failures: 1,
        evaluated: openai,
        approved: openaiApproved,
        rejected: openai - openaiApproved,
      },
      anthropic: {
        generated: generated - openai,
        api_calls: calls + limited - Math.round(calls * 0.6),
        failures: limited,
        evaluated: generated - openai,
        approved: approved - openaiApproved,
        rejected: generated - openai - (approved - openaiApproved),
      },
    },
    type_metrics: { logic: Math.ceil(generated / 2), pattern: Math.floor(generated / 2) },
    difficulty_metrics: {
      easy: Math.ceil(generated / 3),
      medium: Math.ceil(generated / 3),
      hard: generated - 2 * Math.ceil(generated / 3),
    },
    error_summary: { by_category: { rate_limit: limited }, by_severity: { high: 0 }, critical_count: 0 },
    prompt_version: version,
    arbiter_config_version: "3",
    min_arbiter_score_threshold: 0.6,
  };
}

/** The story of the nightly batch: fifty questions asked for, some lost at each stage, one bad night, and scores that fall from night to night. */
export const nightlyRunStory: Story = (random, { start, daysAgo }) => {
  const trace = buildTrace(random, { service: "question-batch", name: "generate questions", start, kind: KIND.internal });
  const runId = uuid(random);
  const run = { [A.GENSPAN_RUN_ID]: runId, [A.GENSPAN_RUN_KIND]: "questions", [A.GENSPAN_RUN_REQUESTED]: REQUESTED };
  const announced = { ...run, [A.GENSPAN_RECORD]: "pending", [A.GENSPAN_RUN_STATUS]: "running", [A.GENSPAN_RUN_TRIGGERED_BY]: "scheduler" };
  trace.step("pending run", 0, { kind: KIND.internal, attributes: announced });
  for (let i = 0; i < CALLS_SHOWN; i++) {
    const [question, answer] = random.pick(LOGIC_QUESTIONS);
    trace.call({ model: GPT_MINI, prompt: `Schreibe eine Frage wie diese: ${question}`, answer });
  }
  trace.step("evaluate, compare and store", 540_000, { kind: KIND.internal });
  const outage = Math.floor(daysAgo) === OUTAGE_DAYS_AGO;
  const version = daysAgo > NEW_PROMPT_DAYS_AGO ? "2.0" : "2.1";
  const generated = outage ? 21 : random.int(46, 49);
  const approved = Math.round(generated * (version === "2.1" ? 0.88 : 0.76));
  const outcome = {
    generated,
    approved,
    inserted: approved - random.int(1, 3),
    score: 0.68 + 0.012 * daysAgo + 0.01 * random.next(),
    limited: outage ? 14 : random.int(0, 2),
  };
  return trace.finish({
    ...run,
    [A.GENSPAN_RECORD]: "run",
    [A.GENSPAN_RUN_STATUS]: outage ? "partial_failure" : "success",
    [A.GENSPAN_RUN_EXIT_CODE]: outage ? 1 : 0,
    [A.GENSPAN_RUN_TRIGGERED_BY]: "scheduler",
    [A.GENSPAN_RUN_SUMMARY]: JSON.stringify(summaryOf(outcome, version)),
  });
};
