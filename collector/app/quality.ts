import type { Sql } from "../../schema/connect.ts";
import type { Log } from "../base/log.ts";
import { createQualityMarks } from "../jobs/quality-marks.ts";
import { refineTraces } from "../refinement/store.ts";

export interface QualityInput {
  /** Connects as the owner of the tables. */
  readonly sql: Sql;
  readonly schema: string;
  /** Unique per collector. */
  readonly holder: string;
  readonly log: Log;
  readonly started: AsyncDisposableStack;
}

/** Lets rules that mark look at new calls, until the collector stops. */
export function startQualityMarks({ sql, schema, holder, log, started }: QualityInput): void {
  const marks = createQualityMarks({
    sql,
    schema,
    holder,
    log,
    refine: async (trace) => void (await refineTraces({ sql, schema }, [trace])),
  });
  marks.start();
  started.defer(() => marks.stop());
}
