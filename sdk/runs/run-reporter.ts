import { randomUUID } from "node:crypto";
import { DEPLOYMENT_ENVIRONMENT_NAME } from "../attributes.ts";
import { current } from "../core/current.ts";
import type { ApiOptions } from "../rest/api-client.ts";
import { createGenerationRun, type GenerationRun } from "./generation-run.ts";
import { createHttpChannel } from "./http-channel.ts";
import { createOtlpChannel, type RunMetadata } from "./otlp-channel.ts";
import { type ReportedSummary, readSummary } from "./reported-summary.ts";
import type { ReportOutcome, RunChannel, RunRecord } from "./run-record.ts";
import { type RunSummary, statusOf } from "./run-summary.ts";
import { createRunTally } from "./run-tally.ts";

/** By which way reports leave: among the telemetry, by the collector's API, or not at all. */
export type RunReporting = "otlp" | "http" | "off";

/** Options of {@link RunReporter}. */
export interface RunReporterOptions extends ApiOptions {
  /** What started the runs: scheduler, manual, webhook … */
  readonly triggeredBy?: string;
  /** production, staging, development …; default that of the telemetry. */
  readonly environment?: string;
  /** Default: GENSPAN_RUN_REPORTING (otlp, http or off), else otlp. */
  readonly via?: Exclude<RunReporting, "off">;
  /** `false` switches reporting off, for local development: runs count, and nothing leaves. */
  readonly enabled?: boolean;
  /** Told of a report that was given up; default a line on standard error. */
  readonly onFailure?: (message: string) => void;
}

/** What a run was configured with. */
export interface RunConfig {
  /** What kind of job: questions, lessons … Runs are compared with those of their kind. */
  readonly kind?: string;
  readonly promptVersion?: string;
  readonly arbiterConfigVersion?: string;
  /** The score that an item needs to be approved. */
  readonly minArbiterScore?: number;
  /** Facts of the application's own; they travel with the telemetry only. */
  readonly metadata?: RunMetadata;
}

/** What a run begins with. */
export interface RunStart extends RunConfig {
  /** How many items are asked for. */
  readonly requested: number;
  /** How often at most how far it is is told, in milliseconds. Default 10,000; 0 tells it only when `checkpoint()` is called. */
  readonly checkpointMillis?: number;
  /** Whether its start is told, so that a run that never ends is seen. Default true. */
  readonly reportStart?: boolean;
}

/**
 * Reports batch runs: either live, counted as they go (`start`), or as one summary at the end (`reportRun`). Never throws and never rejects: what fails is told
 * and forgotten.
 *
 * ```ts
 * const run = new RunReporter({ triggeredBy: "scheduler" }).start({ requested: 50, kind: "questions", promptVersion: "2.1" });
 * await run.within(() => generateQuestions(run)); // run.generated(…), run.evaluated(…), run.inserted()
 * await run.finish();
 * ```
 */
export class RunReporter {
  readonly #options: RunReporterOptions;

  constructor(options: RunReporterOptions = {}) {
    const { problems } = current().recorder;
    this.#options = problems.guard("RunReporter", () => ({ ...options }), {});
    for (const fault of faultsOf(this.#options)) problems.report("configuration", fault);
  }

  /** By which way this reporter's reports leave. */
  get reporting(): RunReporting {
    const { via, enabled } = this.#options;
    return wordOf(enabled) === "false" ? "off" : (wayOf(via) ?? wayOf(process.env["GENSPAN_RUN_REPORTING"]) ?? "otlp");
  }

  /** Begins a run that is counted live. */
  start(run: RunStart): GenerationRun {
    return current().recorder.problems.guard("start", () => this.#start(run), undefined) ?? this.#silent();
  }

  #silent(): GenerationRun {
    return createGenerationRun({ first: this.#record({}, {}), channel: SILENT, tally: createRunTally(0) });
  }

  #start(run: RunStart): GenerationRun {
    const requested = Number.isSafeInteger(run.requested) ? run.requested : 0;
    const first = this.#record(run, { items_requested: requested, ...configured(run) });
    const channel = this.#channel(first, run.metadata);
    if (run.reportStart !== false) channel.started(first);
    return createGenerationRun({ first, channel, tally: createRunTally(requested), checkpointMillis: run.checkpointMillis });
  }

  /**
   * Reports a run that is over, from a summary of its own counting: keys are the columns of generation_runs, `questions_*` is taken for `items_*`, and
   * `started_at`, `completed_at` and `duration_seconds` say when it was (default: now). What the summary leaves out is computed from the rest.
   */
  async reportRun(summary: ReportedSummary, exitCode: number, config: RunConfig = {}): Promise<ReportOutcome> {
    const runId = randomUUID();
    try {
      const { figures, times, id = runId } = readSummary(summary);
      const counted: RunSummary = { ...configured(config), ...figures };
      const first = { ...this.#record(config, counted), id, startedAtMillis: times.startedAtMillis };
      const done = { ...first, exitCode, status: statusOf(counted, exitCode), completedAtMillis: times.completedAtMillis };
      return await this.#channel(first, config.metadata).finished(done);
    } catch {
      this.#failed("a run was not reported: its summary is no object that can be read");
      return { status: "failed", runId, reason: "the summary is no object that can be read" };
    }
  }

  #record({ kind }: RunConfig, summary: RunSummary): RunRecord {
    const { triggeredBy, environment = environmentOfTelemetry() } = this.#options;
    const begun = { startedAtMillis: Date.now(), completedAtMillis: undefined, status: "running", exitCode: undefined } as const;
    return { id: randomUUID(), kind, triggeredBy, environment, summary, ...begun };
  }

  #channel(first: RunRecord, metadata: RunMetadata | undefined): RunChannel {
    const { reporting } = this;
    if (reporting === "otlp") return createOtlpChannel(first, metadata);
    return reporting === "http" ? createHttpChannel(first.id, this.#options, (message) => this.#failed(message)) : SILENT;
  }

  #failed(message: string): void {
    const { onFailure = warn } = this.#options;
    current().recorder.problems.guard("onFailure", () => onFailure(message), undefined);
  }
}

/** A channel by which nothing leaves. */
const SILENT: RunChannel = {
  started() {},
  progress() {},
  finished: async ({ id }) => ({ status: "off", runId: id }),
  within: (work) => work(),
};

function environmentOfTelemetry(): string | undefined {
  const given = current().settings.resourceAttributes[DEPLOYMENT_ENVIRONMENT_NAME];
  return typeof given === "string" ? given : undefined;
}

function configured({ promptVersion, arbiterConfigVersion, minArbiterScore }: RunConfig): RunSummary {
  return {
    ...(promptVersion === undefined ? {} : { prompt_version: promptVersion }),
    ...(arbiterConfigVersion === undefined ? {} : { arbiter_config_version: arbiterConfigVersion }),
    ...(minArbiterScore === undefined ? {} : { min_arbiter_score_threshold: minArbiterScore }),
  };
}

/** Options come from configuration files, too: a word counts as the flag or the way that it names, as in the environment. */
const wordOf = (value: unknown): string =>
  typeof value === "string" || typeof value === "boolean" ? String(value).trim().toLowerCase() : "";

function wayOf(value: unknown): RunReporting | undefined {
  const word = wordOf(value);
  return word === "otlp" || word === "http" || word === "off" ? word : undefined;
}

function* faultsOf({ via, enabled }: RunReporterOptions): Iterable<string> {
  const isGiven = (value: unknown): boolean => value !== undefined && value !== null;
  if (isGiven(via) && wayOf(via) === undefined) yield "via of a RunReporter has to be otlp or http; it counts as not given";
  if (isGiven(enabled) && !["true", "false"].includes(wordOf(enabled))) {
    yield "enabled of a RunReporter has to be true or false; it counts as not given";
  }
}

const warn = (message: string): void => console.warn(`genspan: ${message}`);
