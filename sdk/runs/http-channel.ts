import { setTimeout as sleep } from "node:timers/promises";
import { GENSPAN_RUN_ID } from "../attributes.ts";
import { runInheriting } from "../core/recorder.ts";
import { ApiError, type ApiOptions, callApi } from "../rest/api-client.ts";
import { type ReportOutcome, type RunChannel, type RunRecord, runPayload } from "./run-record.ts";

const TRIES = 3;
const FIRST_WAIT_MS = 500;
/** The collector never asks for more; a proxy that does is not waited for. */
const LONGEST_WAIT_MS = 3_000;
const TOO_MANY_REQUESTS = 429;

/** Told of a report that was given up. */
export type OnFailure = (reason: string) => void;

/**
 * Reports runs by POST /v1/admin/generation-runs. Reports of one run leave one after the other; a progress report that has not left yet gives way to a
 * newer one. Each is tried three times, then given up and told. What is generated within the run and recorded all the same names the run.
 */
export function createHttpChannel(runId: string, api: ApiOptions, onFailure: OnFailure): RunChannel {
  let waiting: RunRecord | undefined;
  let last: Promise<ReportOutcome | undefined> = Promise.resolve(undefined);

  function send(take: () => RunRecord | undefined): Promise<ReportOutcome | undefined> {
    last = last.then(() => {
      const run = take();
      return run === undefined ? undefined : report(run, api, onFailure);
    });
    return last;
  }

  function sendLatest(run: RunRecord): void {
    const queued = waiting !== undefined;
    waiting = run;
    if (queued) return;
    void send(() => {
      const latest = waiting;
      waiting = undefined;
      return latest;
    });
  }

  return {
    started: sendLatest,
    progress: sendLatest,
    async finished(run) {
      waiting = undefined;
      return (await send(() => run)) ?? { status: "failed", runId: run.id };
    },
    within: (work) => runInheriting({ [GENSPAN_RUN_ID]: runId }, work),
  };
}

async function report(run: RunRecord, api: ApiOptions, onFailure: OnFailure): Promise<ReportOutcome> {
  for (let attempt = 1; ; attempt++) {
    try {
      const answer = await callApi({ method: "POST", path: "/v1/admin/generation-runs", body: runPayload(run) }, api);
      if (answer === null) throw new ApiError("the address of the API has no runs: is it the one of a genspan collector?", 404);
      return { status: "accepted", runId: run.id };
    } catch (error) {
      const wait = waitBefore(attempt, error);
      if (wait === undefined) return givenUp(run, error, onFailure);
      await sleep(wait);
    }
  }
}

/** Milliseconds to wait before the next try; undefined where there is none, or it would be in vain. */
function waitBefore(attempt: number, error: unknown): number | undefined {
  const { status = 400, retryAfterSeconds } = error instanceof ApiError ? error : {};
  const temporary = status === 0 || status === TOO_MANY_REQUESTS || status >= 500;
  if (attempt >= TRIES || !temporary) return undefined;
  const asked = retryAfterSeconds === undefined ? FIRST_WAIT_MS * 2 ** (attempt - 1) : retryAfterSeconds * 1000;
  return Math.min(asked, LONGEST_WAIT_MS);
}

function givenUp(run: RunRecord, error: unknown, onFailure: OnFailure): ReportOutcome {
  const reason = error instanceof ApiError ? error.message : "the report could not be written as JSON";
  onFailure(`a run was not reported: ${reason}`);
  return { status: "failed", runId: run.id, reason };
}
