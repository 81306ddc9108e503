import { rmSync } from "node:fs";
import { type ArchivedRow, archiveFiles, readRows, removeRows } from "./archive-file.ts";

/** What was erased from the database. */
export interface ErasedContent {
  /** An empty `span_id` is the whole trace. */
  readonly spans: readonly { readonly trace_id: string; readonly span_id: string }[];
  /** `type:id`, where an entity was erased. */
  readonly entity: string | undefined;
}

/** Takes erased content out of a project's files, the items too whose story names an erased call. Gives the number of rows that went. */
export async function eraseFromArchive(folder: string, projectId: number, content: ErasedContent): Promise<number> {
  const isGone = belongsTo(content);
  let gone = 0;
  for (const file of archiveFiles(folder)) if (file.projectId === projectId) gone += await removeRows(file.path, isGone);
  return gone;
}

/** The same rows, to be told. */
export async function* readFromArchive(folder: string, projectId: number, content: ErasedContent): AsyncGenerator<ArchivedRow> {
  const isTold = belongsTo(content);
  for (const file of archiveFiles(folder)) {
    if (file.projectId !== projectId) continue;
    for await (const row of readRows(file.path)) if (isTold(row)) yield row;
  }
}

function belongsTo({ spans, entity }: ErasedContent): (row: ArchivedRow) => boolean {
  const traces = new Set(spans.filter((span) => span.span_id === "").map((span) => span.trace_id));
  const calls = new Set(spans.map((span) => `${span.trace_id}-${span.span_id}`));
  return ({ table, about, columns }) => {
    const { trace_id: traceId, span_id: spanId } = about;
    if (traceId !== null && (traces.has(traceId) || calls.has(`${traceId}-${spanId}`))) return true;
    if (entity !== undefined && about.entity === entity) return true;
    return table === "generation_items" && namesCall(columns["generation_trace"] ?? "", { traces, calls });
  };
}

/** Takes a project's files away as a whole. Gives how many those were. */
export function eraseProjectFiles(folder: string, projectId: number): number {
  const files = archiveFiles(folder).filter((file) => file.projectId === projectId);
  for (const { path } of files) rmSync(path, { force: true });
  return files.length;
}

const REFERENCE = /\b([0-9a-f]{32})-[0-9a-f]{16}\b/g;

const namesCall = (text: string, erased: { readonly traces: ReadonlySet<string>; readonly calls: ReadonlySet<string> }): boolean =>
  [...text.matchAll(REFERENCE)].some(([call, traceId = ""]) => erased.traces.has(traceId) || erased.calls.has(call));
