import { createHash } from "node:crypto";
import type { Ask, Reader } from "../reader.ts";
import { sql } from "../sql.ts";
import { type GenerationRef, notFound } from "./reference.ts";

/** A row by column. */
export type Row = Readonly<Record<string, unknown>>;

/** Everything known about one call. */
export interface GenerationDetail extends Row {
  readonly id: string;
  readonly start_time: string;
  /** SHA-256 of prompt_full_text in UTF-8, so that two systems can compare what was sent; null without a prompt. */
  readonly prompt_sha256: string | null;
  readonly attempts: readonly Row[];
  readonly scores: readonly Row[];
  /** Images, audio and files of prompt and answer, without their bytes. */
  readonly outputs: readonly Row[];
  /** What people and programs did to it, newest first. */
  readonly history: readonly Row[];
  /** Who looks at it for review right now. */
  readonly claim: Row | null;
}

/** Columns that mean nothing outside. */
const HIDDEN = ["project_id", "filled_from", "own_values"];
const MAX_HISTORY = 100;

/** One call with its attempts, scores, media and history. Throws RequestError where there is none. */
export function readGeneration(reader: Reader, projectId: number, ref: GenerationRef): Promise<GenerationDetail> {
  return reader.read({ projectId }, async (ask) => {
    const call = await readRow(ask, projectId, ref);
    const around = { projectId, ref };
    const [attempts, scores, outputs] = [await attemptsOf(ask, around), await scoresOf(ask, around), await outputsOf(ask, around)];
    const prompt = call["prompt_full_text"];
    const prompt_sha256 = typeof prompt === "string" ? createHash("sha256").update(prompt).digest("hex") : null;
    const history = await historyOf(ask, projectId, String(call["id"]));
    const [claim] = await claimOf(ask, around);
    return { ...call, prompt_sha256, attempts, scores, outputs, history, claim: claim ?? null };
  });
}

/** The call's own row; the latest where one id was used at two times. */
export async function readRow(
  ask: Ask,
  projectId: number,
  { traceId, spanId }: GenerationRef,
): Promise<{ readonly id: string; readonly start_time: string } & Row> {
  const [row] = await ask<{ id: string; start_time: string } & Record<string, unknown>>(sql`
    SELECT * FROM generation_logs WHERE project_id = ${projectId} AND trace_id = ${traceId} AND span_id = ${spanId} ORDER BY start_time DESC LIMIT 1`);
  if (row === undefined) throw notFound();
  for (const column of HIDDEN) delete row[column];
  return row;
}

interface Around {
  readonly projectId: number;
  readonly ref: GenerationRef;
}

const attemptsOf = (ask: Ask, { projectId, ref }: Around): Promise<Row[]> =>
  ask<Row>(sql`
    SELECT attempt_number, provider_name, model_name, started_at, duration_ms, success, http_status, error_type, error_message, request, response
    FROM generation_attempts WHERE project_id = ${projectId} AND trace_id = ${ref.traceId} AND span_id = ${ref.spanId} ORDER BY attempt_number`);

const scoresOf = (ask: Ask, { projectId, ref }: Around): Promise<Row[]> =>
  ask<Row>(sql`
    SELECT id, "time", name, value, label, explanation, source, scored_by
    FROM generation_scores WHERE project_id = ${projectId} AND trace_id = ${ref.traceId} AND span_id = ${ref.spanId} ORDER BY "time", name`);

const outputsOf = (ask: Ask, { projectId, ref }: Around): Promise<Row[]> =>
  ask<Row>(sql`
    SELECT o.output_number, o.direction, o.modality, o.media_type, o.uri, encode(o.blob_hash, 'hex') AS blob_hash, b.size_bytes
    FROM outputs o LEFT JOIN blobs b ON b.project_id = o.project_id AND b.hash = o.blob_hash
    WHERE o.project_id = ${projectId} AND o.trace_id = ${ref.traceId} AND o.span_id = ${ref.spanId} ORDER BY o.output_number`);

const historyOf = (ask: Ask, projectId: number, id: string): Promise<Row[]> =>
  ask<Row>(sql`
    SELECT id, "time", actor, action, details FROM audit_log
    WHERE project_id = ${projectId} AND subject = ${`generation:${id}`} ORDER BY "time" DESC LIMIT ${MAX_HISTORY}`);

const claimOf = (ask: Ask, { projectId, ref }: Around): Promise<Row[]> =>
  ask<Row>(sql`
    SELECT claimed_by, expires_at FROM review_claims
    WHERE project_id = ${projectId} AND trace_id = ${ref.traceId} AND span_id = ${ref.spanId} AND expires_at > now()`);

/** Where a call's values came from, besides its own span. */
export interface CallSources {
  /** What other spans and log records added, by group of columns. */
  readonly filled_from: Readonly<Record<string, string>>;
  /** It was announced, and its own span has not come. */
  readonly announced: boolean;
}

/** Throws RequestError where there is no such call. */
export function readSources(reader: Reader, projectId: number, { traceId, spanId }: GenerationRef): Promise<CallSources> {
  return reader.read({ projectId }, async (ask) => {
    const [row] = await ask<{ filled_from: Record<string, string> | null; announced: boolean }>(sql`
      SELECT filled_from, generation_status IN ('pending', 'timeout') AS announced FROM generation_logs
      WHERE project_id = ${projectId} AND trace_id = ${traceId} AND span_id = ${spanId} ORDER BY start_time DESC LIMIT 1`);
    if (row === undefined) throw notFound();
    return { filled_from: row.filled_from ?? {}, announced: row.announced };
  });
}
