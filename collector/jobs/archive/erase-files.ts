import { rmSync } from "node:fs";
import type { Subject } from "../../commands/erase/subject.ts";
import { type ArchivedRow, type ArchiveFile, archiveFiles, readRows, removeRows } from "./archive-file.ts";
import { namedSpans } from "./named-rows.ts";

/** What was erased from the database. */
export interface ErasedContent {
  readonly spans: readonly ErasedSpan[];
  readonly subject: Subject;
}

/** An empty `span_id` is the whole trace. */
export interface ErasedSpan {
  readonly trace_id: string;
  readonly span_id: string;
}

/**
 * Takes erased content out of a project's files, the items too whose story names an erased call, and what names the subject and has left the database
 * before. Gives the number of rows that went.
 */
export async function eraseFromArchive(folder: string, projectId: number, content: ErasedContent): Promise<number> {
  const isGone = await belongsTo(folder, projectId, content);
  let gone = 0;
  for (const { path } of filesOf(folder, projectId)) gone += await removeRows(path, isGone);
  return gone;
}

/** The same rows, to be told. */
export async function* readFromArchive(folder: string, projectId: number, content: ErasedContent): AsyncGenerator<ArchivedRow> {
  const isTold = await belongsTo(folder, projectId, content);
  for (const { path } of filesOf(folder, projectId)) for await (const row of readRows(path)) if (isTold(row)) yield row;
}

const filesOf = (folder: string, projectId: number): ArchiveFile[] => archiveFiles(folder).filter((file) => file.projectId === projectId);

async function belongsTo(folder: string, projectId: number, content: ErasedContent): Promise<(row: ArchivedRow) => boolean> {
  const { subject } = content;
  const spans = [...content.spans, ...(await namedSpans(filesOf(folder, projectId), subject))];
  const traces = new Set(spans.filter((span) => span.span_id === "").map((span) => span.trace_id));
  const calls = new Set(spans.map((span) => `${span.trace_id}-${span.span_id}`));
  return ({ table, about, columns }) => {
    const { trace_id: traceId, span_id: spanId } = about;
    if (traceId !== null && (traces.has(traceId) || calls.has(`${traceId}-${spanId}`))) return true;
    if (subject.kind === "entity" && about.entity === subject.value) return true;
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
