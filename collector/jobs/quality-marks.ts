import type { Sql } from "../../schema/connect.ts";
import type { Refine } from "../commands/generations/change.ts";
import { markFindings } from "../commands/mark-findings.ts";
import { judgeOf, readRules } from "../commands/quality-rules.ts";
import { createLeasedJob, type Job, type JobOptions } from "./leased-job.ts";

export interface QualityMarksOptions extends JobOptions {
  readonly refine: Refine;
  /** Calls are judged when they were received this long ago: content that comes in log events has met them by then. */
  readonly settleMillis?: number;
}

const INTERVAL_MS = 60_000;
const SETTLE_MS = 15_000;
const LEASE_TTL_MS = 120_000;
/** Who the audit log says it was. */
const ACTOR = "quality-marks";

/** Lets the rules that mark look at what was received since they looked last, project by project. Counts the calls that were sent to review. */
export const createQualityMarks = (options: QualityMarksOptions): Job<number> =>
  createLeasedJob(options, {
    name: "quality-marks",
    everyMillis: INTERVAL_MS,
    leaseTtlMillis: LEASE_TTL_MS,
    failure: "new calls could not be judged by rules; it is tried again",
    async work(signal) {
      let marked = 0;
      for (const projectId of await markingProjects(options.sql, options.schema)) {
        if (!signal.aborted) marked += await judgeProject(options, projectId, signal);
      }
      return marked;
    },
  });

async function markingProjects(sql: Sql, schema: string): Promise<number[]> {
  const rows = await sql`SELECT DISTINCT project_id FROM ${sql(schema)}.quality_rules WHERE marks ORDER BY project_id`;
  return rows.map((row) => Number(row["project_id"]));
}

async function judgeProject(options: QualityMarksOptions, projectId: number, signal: AbortSignal): Promise<number> {
  const { sql, schema, refine, settleMillis = SETTLE_MS } = options;
  const to = new Date(Date.now() - settleMillis);
  const [progress] = await sql<
    { judged_until: Date }[]
  >`SELECT judged_until FROM ${sql(schema)}.quality_progress WHERE project_id = ${projectId}`;
  const from = progress?.judged_until ?? to;
  if (from >= to) return 0;
  const context = { writer: { sql, schema }, refine, projectId, actor: ACTOR };
  const { marked } = await markFindings(context, judgeOf(await readRules(sql, schema, projectId)), { from, to, signal });
  // Broken off in the middle: the next turn looks at the same calls again, which changes nothing about those that are marked.
  if (!signal.aborted) {
    await sql`INSERT INTO ${sql(schema)}.quality_progress (project_id, judged_until) VALUES (${projectId}, ${to})
      ON CONFLICT (project_id) DO UPDATE SET judged_until = excluded.judged_until`;
  }
  return marked;
}
