import { randomUUID } from "node:crypto";
import type { Sql } from "postgres";
import { audit } from "../audit.ts";
import { sweepDeletedProjects } from "../delete-project.ts";
import { noteReturned, releaseNoted } from "../origins/release.ts";
import { deleteNamed } from "./delete-named.ts";
import { type Counts, deleteRows, type Erasure, inTransaction } from "./delete-rows.ts";
import { findSpans, type Target } from "./find-spans.ts";
import { entityHash, REMEMBERED } from "./remembered.ts";
import { eraseRules } from "./rules.ts";
import { type Subject, subjectHash } from "./subject.ts";

export interface EraseOptions {
  /** Told when the tombstones are there and before rows go: who knows them by then stores nothing in between. */
  readonly onBuried?: () => Promise<void>;
  /** Connects as the owner of the tables. */
  readonly sql: Sql;
  readonly schema: string;
  readonly projectId: number;
  readonly actor: string;
  /** Takes the same out of files that are kept outside of the database. */
  readonly eraseFiles?: (projectId: number, targets: readonly Target[], subject: Subject) => Promise<ErasedFiles>;
}

/** What went outside of the database. */
export interface ErasedFiles {
  readonly rows: number;
  /** Folders in which more of it may lie, and which are not on this machine. */
  readonly unreached: number;
}

export interface ErasureReport {
  readonly id: string;
  /** Traces that go as a whole, and single spans of traces that others share. */
  readonly traces: number;
  readonly spans: number;
  /** Rows deleted, by table; `archive` counts lines of files. */
  readonly deleted: Counts;
  /** Rows that stay without the name, by table: rules that watch others, too. */
  readonly changed: Counts;
  /** Folders of archived content that are on another machine: erasing again there, within thirty days, takes it out of them. */
  readonly unreached_archives: number;
}

/** How much an erasure would take, without taking it. */
export async function previewErasure(options: EraseOptions, subject: Subject): Promise<Pick<ErasureReport, "traces" | "spans">> {
  return sizes(await findSpans(options, subject));
}

/**
 * Erases everything that speaks of the subject. First the tombstones are there for every collector to see, then the rows go: what is written in between, or
 * by a late retry, is found by `sweepErasures`. The audit log says what was done, not of whom.
 */
export async function erase(options: EraseOptions, subject: Subject): Promise<ErasureReport> {
  const { sql, schema, projectId, actor } = options;
  const erasure: Erasure = { sql, schema, projectId, id: randomUUID() };
  await sql`INSERT INTO ${sql(schema)}.erasures (project_id, id, subject_kind, subject_hash, requested_by, requested_at)
    VALUES (${projectId}, ${erasure.id}, ${subject.kind}, ${subjectHash(subject)}, ${actor}, clock_timestamp())`;
  const targets = await findSpans(options, subject);
  await bury(erasure, targets);
  await options.onBuried?.();
  const rules = await eraseRules(erasure, subject);
  const rows = added(rules.deleted, await deleteRows(erasure), await deleteNamed(erasure, subject, rules.names));
  const deleted = added(rows, await releaseNoted({ sql, schema }, projectId));
  const files = (await options.eraseFiles?.(projectId, await everBuried(erasure, subject), subject)) ?? { rows: 0, unreached: 0 };
  const report = {
    id: erasure.id,
    ...sizes(targets),
    deleted: files.rows > 0 ? { ...deleted, archive: files.rows } : deleted,
    changed: rules.changed,
    unreached_archives: files.unreached,
  };
  await sql.begin(async (tx) => {
    await tx`UPDATE ${tx(schema)}.erasures SET finished_at = clock_timestamp(), counts = ${JSON.stringify(report.deleted)}::text::jsonb
      WHERE project_id = ${projectId} AND id = ${erasure.id}`;
    await audit(tx, schema, { projectId, actor, action: "erase", subject: subject.kind, details: { ...report } });
  });
  return report;
}

const sizes = (targets: readonly Target[]): Pick<ErasureReport, "traces" | "spans"> => ({
  traces: targets.filter((target) => target.span_id === "").length,
  spans: targets.filter((target) => target.span_id !== "").length,
});

const BATCH = 5_000;

async function bury({ sql, schema, projectId, id }: Erasure, targets: readonly Target[]): Promise<void> {
  for (let from = 0; from < targets.length; from += BATCH) {
    const batch = targets.slice(from, from + BATCH);
    await sql`
      INSERT INTO ${sql(schema)}.tombstones AS t (project_id, trace_id, span_id, erasure_id, erased_at)
      SELECT ${projectId}, trace_id, span_id, ${id}, clock_timestamp()
      FROM unnest(${batch.map((each) => each.trace_id)}::text[], ${batch.map((each) => each.span_id)}::text[]) AS given (trace_id, span_id)
      ON CONFLICT (project_id, trace_id, span_id) DO UPDATE SET erasure_id = excluded.erasure_id, erased_at = excluded.erased_at`;
  }
}

/** What this erasure and earlier ones of the same subject found: files that were out of reach then still hold it. */
const everBuried = async ({ sql, schema, projectId }: Erasure, subject: Subject): Promise<Target[]> => [
  ...(await sql<Target[]>`
    SELECT t.trace_id, t.span_id FROM ${sql(schema)}.tombstones t JOIN ${sql(schema)}.erasures e ON e.project_id = t.project_id AND e.id = t.erasure_id
    WHERE e.project_id = ${projectId} AND e.subject_kind = ${subject.kind} AND e.subject_hash = ${subjectHash(subject)}`),
];

function added(...counts: readonly Counts[]): Counts {
  const sum: Counts = {};
  for (const each of counts) for (const [table, rows] of Object.entries(each)) if (rows > 0) sum[table] = (sum[table] ?? 0) + rows;
  return sum;
}

export interface SweepOptions {
  readonly sql: Sql;
  readonly schema: string;
  /** Erasures of this long ago are looked at again. */
  readonly withinMillis: number;
}

/** Calls that name a record of the application which was erased before they came: whoever deleted the record meant them, too. */
const buryLateCalls = ({ sql, schema, withinMillis }: SweepOptions): Promise<void> =>
  inTransaction({ sql, schema }, async (tx) => {
    await tx`
      INSERT INTO tombstones (project_id, trace_id, span_id, erasure_id, erased_at)
      SELECT DISTINCT ON (g.project_id, g.trace_id, g.span_id) g.project_id, g.trace_id, g.span_id, e.id, clock_timestamp()
      FROM generation_logs g JOIN erasures e ON e.project_id = g.project_id AND e.subject_kind = 'entity'
        AND e.subject_hash = ${entityHash(tx, "g")}
      WHERE g.received_at > clock_timestamp() - make_interval(secs => ${withinMillis / 1_000}) AND g.entity_id IS NOT NULL
        AND e.requested_at > clock_timestamp() - ${REMEMBERED}::interval
      ON CONFLICT DO NOTHING`;
  });

/**
 * Deletes rows of erased spans that came after all: of a collector that had not heard of the erasure yet, or that was writing them in that moment; and
 * calls that name an erased record; and what came into projects that were deleted.
 */
export async function sweepErasures(options: SweepOptions): Promise<number> {
  const { sql, schema, withinMillis } = options;
  await buryLateCalls(options);
  const recent = await inTransaction(
    options,
    (tx) => tx<{ project_id: number; erasure_id: string }[]>`
      SELECT DISTINCT project_id, erasure_id FROM tombstones WHERE erased_at > clock_timestamp() - make_interval(secs => ${withinMillis / 1000})`,
  );
  let rows = await sweepDeletedProjects({ sql, schema });
  for (const { project_id: projectId, erasure_id: id } of recent)
    rows += Object.values(await deleteRows({ sql, schema, projectId, id })).reduce((sum, each) => sum + each, 0);
  await noteReturned({ sql, schema }, withinMillis);
  await releaseNoted({ sql, schema });
  return rows;
}
