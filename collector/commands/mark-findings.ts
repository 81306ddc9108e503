import { readableText } from "../quality/message-text.ts";
import { type CommandContext, changeCall } from "./generations/change.ts";
import type { ProjectJudge } from "./quality-rules.ts";

/** Which calls are looked at. */
export interface MarkRange {
  /** Received at or after this. */
  readonly from: Date;
  /** Received before this. */
  readonly to: Date;
  readonly signal?: AbortSignal;
}

export interface Marked {
  readonly looked_at: number;
  readonly marked: number;
}

interface Row {
  readonly trace_id: string;
  readonly span_id: string;
  readonly response_full_text: string | null;
  readonly response_format: string | null;
  readonly reasoning_content: string | null;
  readonly response_finish_reason: string | null;
  readonly content_state: string | null;
  readonly received: string;
}

const BATCH = 200;

/**
 * Sends calls to review in which a rule that marks sees something, with the issues that it saw. Calls that somebody or their application has judged stay as
 * they are, so that looking again changes nothing.
 */
export async function markFindings(context: CommandContext, { judge, marking }: ProjectJudge, range: MarkRange): Promise<Marked> {
  const { writer, projectId } = context;
  const { sql, schema } = writer;
  let place = { received: range.from.toISOString(), trace_id: "", span_id: "" };
  const done = { looked_at: 0, marked: 0 };
  while (range.signal?.aborted !== true && marking.size > 0) {
    const rows = await sql<Row[]>`
      SELECT trace_id, span_id, response_full_text, response_format, reasoning_content, response_finish_reason, content_state, received_at::text AS received
      FROM ${sql(schema)}.generation_logs
      WHERE project_id = ${projectId} AND generation_status = 'success' AND quality_status IS NULL
        AND received_at >= ${place.received}::text::timestamptz AND received_at < ${range.to}
        AND (received_at, trace_id, span_id) > (${place.received}::text::timestamptz, ${place.trace_id}, ${place.span_id})
      ORDER BY received_at, trace_id, span_id LIMIT ${BATCH}`;
    for (const row of rows) done.marked += Number(await markOne(context, { judge, marking }, row));
    done.looked_at += rows.length;
    const last = rows.at(-1);
    if (last === undefined || rows.length < BATCH) break;
    place = last;
  }
  return done;
}

async function markOne(context: CommandContext, { judge, marking }: ProjectJudge, row: Row): Promise<boolean> {
  const findings = judge({
    output: readableText(row.response_full_text, row.response_format),
    reasoning: row.reasoning_content ?? "",
    finishReason: row.response_finish_reason,
    hasContent: row.content_state === "captured",
  });
  const issues = findings.map(({ issue }) => issue).filter((issue) => marking.has(issue));
  if (issues.length === 0) return false;
  await changeCall(context, { traceId: row.trace_id, spanId: row.span_id }, () => ({
    attributes: { "genspan.quality.status": "pending_review", "genspan.quality.issues": issues, "genspan.quality.by": "rules" },
    action: "generation.mark",
    details: { issues },
  }));
  return true;
}
