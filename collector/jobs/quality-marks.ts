import type { Sql } from "../../schema/connect.ts";
import { errorCode } from "../base/error-code.ts";
import type { Log } from "../base/log.ts";
import type { Refine } from "../commands/generations/change.ts";
import { markFindings } from "../commands/mark-findings.ts";
import { judgeOf, readRules } from "../commands/quality-rules.ts";
import { runUnderLease } from "./lease.ts";

export interface QualityMarksOptions {
  /** Connects as the owner of the tables. */
  readonly sql: Sql;
  readonly schema: string;
  /** Unique per collector. */
  readonly holder: string;
  readonly log: Log;
  readonly refine: Refine;
  readonly intervalMillis?: number;
  /** Calls are judged when they were received this long ago: content that comes in log events has met them by then. */
  readonly settleMillis?: number;
}

export interface QualityMarks {
  /** Calls that were sent to review; undefined where another collector is at it. */
  runOnce(): Promise<number | undefined>;
  start(): void;
  stop(): Promise<void>;
}

const INTERVAL_MS = 60_000;
const SETTLE_MS = 15_000;
const LEASE_TTL_MS = 120_000;
/** Who the audit log says it was. */
const ACTOR = "quality-marks";

/** Lets the rules that mark look at what was received since they looked last, project by project. */
export function createQualityMarks(options: QualityMarksOptions): QualityMarks {
  const { sql, schema, holder, log } = options;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<unknown> = Promise.resolve();
  const stopping = new AbortController();

  const runOnce = (): Promise<number | undefined> =>
    runUnderLease(sql, { schema, holder, job: "quality-marks", ttlMillis: LEASE_TTL_MS }, async (lost) => {
      const signal = AbortSignal.any([lost, stopping.signal]);
      let marked = 0;
      for (const projectId of await markingProjects(sql, schema)) {
        if (!signal.aborted) marked += await judgeProject(options, projectId, signal);
      }
      return marked;
    });

  const runLogged = (): void => {
    running = running
      .then(runOnce)
      .catch((error: unknown) => log.warn({ code: errorCode(error) }, "new calls could not be judged by rules; it is tried again"));
  };

  return {
    runOnce,
    start() {
      runLogged();
      timer = setInterval(runLogged, options.intervalMillis ?? INTERVAL_MS);
      timer.unref();
    },
    async stop() {
      clearInterval(timer);
      stopping.abort();
      await running;
    },
  };
}

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
