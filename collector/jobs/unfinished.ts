import { isLockConflict } from "../../schema/brief-locks.ts";
import { errorCode } from "../base/error-code.ts";

/** Something that could not be done; everything else was. */
export interface PartitionFailure {
  /** A partition, or a whole table. */
  readonly relation: string;
  /** SQLSTATE, or the system's code. */
  readonly code: string;
}

/** What a run over many relations leaves to the next one; nothing stands there twice. */
export interface Unfinished {
  /** Tables that could not be locked; the next run tries again. */
  readonly busy: string[];
  /** What could not be done for another reason. */
  readonly failed: PartitionFailure[];
}

export function noteBusy({ busy }: Unfinished, table: string): void {
  if (!busy.includes(table)) busy.push(table);
}

export function noteFailure({ failed }: Unfinished, { relation, code }: PartitionFailure): void {
  if (!failed.some((each) => each.relation === relation && each.code === code)) failed.push({ relation, code });
}

export interface Step {
  readonly report: Unfinished;
  readonly table: string;
  /** What a failure is told of: the table, or one partition of it. */
  readonly relation: string;
  readonly signal: AbortSignal | undefined;
}

/** Does the work, or reports that it failed. After the run was told to end nothing is begun, and an error is that end: it is thrown. */
export async function unlessFailed({ report, table, relation, signal }: Step, work: () => Promise<void>): Promise<void> {
  if (signal?.aborted) return;
  try {
    await work();
  } catch (error) {
    if (signal?.aborted) throw error;
    if (isLockConflict(error)) noteBusy(report, table);
    else noteFailure(report, { relation, code: errorCode(error) });
  }
}
