import { SpanKind } from "@opentelemetry/api";
import * as A from "../attributes.ts";
import { microsOf, nowMicros } from "../core/clock.ts";
import type { Current } from "../core/current.ts";
import type { OpenRecord, RecordEnd, RecordStart } from "../core/recorder.ts";
import { exceptionEvent, type Failure, readFailure } from "./failure.ts";
import { known, numberAt, numberOf, textOf } from "./shape.ts";
import { whole } from "./start-attributes.ts";
import type { Attempt, AttemptInfo, AttemptRecord } from "./types.ts";

const ATTEMPT = "attempt";
const SUCCESS = "success";

/** The tries of one generation. */
export interface Attempts {
  start(info: AttemptInfo): Attempt;
  add(done: AttemptRecord): void;
  /** Ends the tries that are still open, with what ended the generation. */
  close(failure: Failure | undefined): void;
  /** The model of the last try that succeeded, where it is another than the generation's. */
  fallbackModel(): string | undefined;
}

export interface AttemptsOf {
  readonly parent: OpenRecord;
  readonly model: string;
  readonly provider: string | undefined;
  readonly now: Current;
}

interface Ending {
  readonly failure: Failure | undefined;
  readonly httpStatus: number | undefined;
  readonly endMicros?: number | undefined;
}

export function createAttempts({ parent, model, provider, now }: AttemptsOf): Attempts {
  const { recorder, settings, content } = now;
  const open = new Map<OpenRecord, string>();
  let count = 0;
  let succeededModel: string | undefined;

  function begin(info: AttemptInfo, startMicros?: number): { record: OpenRecord | undefined; number: number } {
    const number = count + 1;
    const start = number > settings.limits.attemptsPerRecord ? undefined : attemptStart({ info, number, startMicros });
    count = number;
    if (start === undefined) return { record: undefined, number };
    const record = recorder.start(start);
    open.set(record, textOf(info.model) ?? model);
    return { record, number };
  }

  const attemptStart = ({
    info,
    number,
    startMicros,
  }: {
    info: AttemptInfo;
    number: number;
    startMicros: number | undefined;
  }): RecordStart => ({
    name: `${ATTEMPT} ${number}`,
    kind: SpanKind.INTERNAL,
    parent: parent.context,
    startMicros,
    attributes: known({
      [A.GENSPAN_RECORD]: ATTEMPT,
      [A.GENSPAN_ATTEMPT_NUMBER]: number,
      [A.GEN_AI_REQUEST_MODEL]: textOf(info.model) ?? model,
      [A.GEN_AI_PROVIDER_NAME]: textOf(info.provider) ?? provider,
      [A.GENSPAN_ATTEMPT_DELAY_MS]: whole(info.delayMillis),
      [A.GENSPAN_ATTEMPT_REASON]: textOf(info.reason),
    }),
  });

  function finish(record: OpenRecord | undefined, ending: Ending): void {
    if (record === undefined || record.ended) return;
    if (ending.failure === undefined) succeededModel = open.get(record);
    open.delete(record);
    record.end(attemptEnd(ending));
  }

  return {
    start(info) {
      const { record, number } = recorder.problems.guard("beginning an attempt", () => begin(info), undefined) ?? begin({});
      const end = (error: unknown, failed: boolean, told: unknown): void =>
        recorder.problems.guard(
          "ending an attempt",
          () => {
            const failure = failed ? readFailure(error, content) : undefined;
            finish(record, { failure, httpStatus: numberAt(told, "httpStatus") ?? failure?.httpStatus });
          },
          undefined,
        );
      return {
        number,
        run: (work) => (record === undefined ? work() : record.run(work)),
        succeed: (told) => end(undefined, false, told),
        fail: (error, told) => end(error, true, told),
      };
    },
    add(done) {
      const { record } = begin(done, startOf(done));
      const failure = done.success ? undefined : readFailure(done.error, content);
      finish(record, { failure, httpStatus: done.httpStatus ?? failure?.httpStatus, endMicros: endOf(done) });
    },
    close(failure) {
      for (const record of [...open.keys()]) finish(record, { failure, httpStatus: failure?.httpStatus });
    },
    fallbackModel: () => (succeededModel === model ? undefined : succeededModel),
  };
}

function attemptEnd({ failure, httpStatus, endMicros }: Ending): RecordEnd {
  const attributes = known({
    [A.GENSPAN_ATTEMPT_OUTCOME]: failure?.type ?? SUCCESS,
    [A.GENSPAN_ATTEMPT_HTTP_STATUS]: whole(httpStatus),
    [A.ERROR_TYPE]: failure?.type,
  });
  return failure === undefined
    ? { attributes, endMicros }
    : { attributes, endMicros, error: { message: failure.message }, events: exceptionEvent(failure) };
}

/** A longer try is a mistake of the one who says it. */
const MAX_DURATION_MS = 366 * 24 * 3_600_000;

const durationMicros = ({ durationMillis }: AttemptRecord): number =>
  Math.min(Math.max(0, numberOf(durationMillis) ?? 0), MAX_DURATION_MS) * 1000;
const startOf = (done: AttemptRecord): number => microsOf(done.startedAt) ?? nowMicros() - durationMicros(done);
const endOf = (done: AttemptRecord): number => startOf(done) + durationMicros(done);
