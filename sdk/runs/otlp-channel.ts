import type { Attributes } from "@opentelemetry/api";
import * as A from "../attributes.ts";
import { microsOf } from "../core/clock.ts";
import { current } from "../core/current.ts";
import type { OpenRecord } from "../core/recorder.ts";
import { safeJson } from "../core/safe-json.ts";
import { known, numberOf, textOf } from "../generation/shape.ts";
import type { RunChannel, RunRecord } from "./run-record.ts";

/** How long the end of a run waits for its record to leave. */
const FLUSH_TIMEOUT_MS = 5_000;

/** Metadata of the application's own that the run's span carries. */
export type RunMetadata = Readonly<Record<string, unknown>>;

/** Reports a run as a record among the telemetry: what is generated within it becomes its child and names it. */
export function createOtlpChannel(first: RunRecord, metadata?: RunMetadata): RunChannel {
  const now = current();
  const kept = metadata === undefined ? undefined : now.content.text(safeJson(metadata), "metadata");
  const open = now.recorder.start({
    name: ["run", textOf(first.kind)].join(" ").trim(),
    startMicros: microsOf(first.startedAtMillis),
    inherited: { [A.GENSPAN_RUN_ID]: first.id },
    attributes: { ...attributesOf(first), ...(kept === undefined ? {} : { [A.GENSPAN_RUN_METADATA]: kept }) },
  });
  return {
    started: () => open.announce(),
    progress(run) {
      now.recorder.update(open.ref, { [A.GENSPAN_RUN_ID]: run.id, ...attributesOf(run) });
    },
    async finished(run) {
      end(open, run);
      if (!now.recorder.enabled) return { status: "off", runId: run.id };
      const { complete } = await now.recorder.flush(FLUSH_TIMEOUT_MS);
      return { status: complete ? "sent" : "queued", runId: run.id };
    },
    within: (work) => open.run(work),
  };
}

function end(open: OpenRecord, run: RunRecord): void {
  open.end({
    attributes: { ...attributesOf(run), [A.GENSPAN_RECORD]: "run" },
    endMicros: microsOf(run.completedAtMillis),
    ...(run.status === "failed" ? { error: { message: exitText(run) } } : {}),
  });
}

const exitText = ({ exitCode }: RunRecord): string =>
  numberOf(exitCode) === undefined ? "the run failed" : `the run ended with exit code ${exitCode}`;

function attributesOf(run: RunRecord): Attributes {
  const { summary } = run;
  const environment = run.environment === undefined ? {} : { environment: run.environment };
  return known({
    [A.GENSPAN_RUN_KIND]: textOf(run.kind),
    [A.GENSPAN_RUN_STATUS]: textOf(run.status),
    [A.GENSPAN_RUN_EXIT_CODE]: numberOf(run.exitCode),
    [A.GENSPAN_RUN_REQUESTED]: numberOf(summary.items_requested),
    [A.GENSPAN_RUN_TRIGGERED_BY]: textOf(run.triggeredBy),
    [A.GEN_AI_PROMPT_VERSION]: textOf(summary.prompt_version),
    [A.GENSPAN_RUN_SUMMARY]: safeJson({ ...summary, ...environment }),
  });
}
