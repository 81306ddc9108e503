import { isObject } from "../../base/json-values.ts";
import { namingOf, type Subject } from "../../commands/erase/subject.ts";
import { type ArchivedRow, type ArchiveFile, readRows } from "./archive-file.ts";
import type { ErasedSpan } from "./erase-files.ts";

interface NamedTrace {
  readonly spans: Set<string>;
  /** Whether a call in it is another one's. */
  isShared: boolean;
}

/**
 * The archived spans that name a subject, which the database may know nothing of any more: a trace as a whole where no archived call in it is another one's, else those
 * that name it, as an erasure of rows goes by.
 */
export async function namedSpans(files: readonly ArchiveFile[], subject: Subject): Promise<ErasedSpan[]> {
  if (subject.kind === "trace" || subject.kind === "generation") return [];
  const nameIn = namer(subject);
  const traces = new Map<string, NamedTrace>();
  for (const { path } of files) {
    for await (const row of readRows(path)) {
      const { trace_id: traceId, span_id: spanId } = row.about;
      if (traceId === null) continue;
      const trace = traces.get(traceId) ?? { spans: new Set(), isShared: false };
      const named = nameIn(row);
      if (named === subject.value) trace.spans.add(spanId ?? "");
      else if (isCall(row) && (named !== undefined || subject.kind === "entity")) trace.isShared = true;
      traces.set(traceId, trace);
    }
  }
  return [...traces].flatMap(([trace_id, { spans, isShared }]) =>
    spans.size === 0 ? [] : isShared ? [...spans].map((span_id) => ({ trace_id, span_id })) : [{ trace_id, span_id: "" }],
  );
}

const isCall = ({ table }: ArchivedRow): boolean => table === "generation_logs";

/** Whom a row names: by the columns of its call, else by an attribute that says the subject itself. */
function namer(subject: Subject): (row: ArchivedRow) => string | undefined {
  const { kind, value } = subject;
  const naming = namingOf(subject);
  const isName = naming === undefined ? undefined : new RegExp(naming.attributes, "i");
  return ({ about, columns }) => {
    const named = kind === "entity" ? about.entity : kind === "user" ? about.user : about.conversation;
    if (named != null) return named;
    return isName !== undefined && attributesOf(columns).some((attributes) => hasNamed(attributes, value, isName)) ? value : undefined;
  };
}

/** The attributes of a row, and those of its events. */
function attributesOf(columns: ArchivedRow["columns"]): unknown[] {
  const told = (column: string): unknown => JSON.parse(columns[column] ?? "null");
  const events = told("events");
  return [told("attributes"), ...(Array.isArray(events) ? events.map((event: unknown) => isObject(event) && event["attributes"]) : [])];
}

const hasNamed = (attributes: unknown, value: string, isName: RegExp): boolean =>
  isObject(attributes) && Object.entries(attributes).some(([name, each]) => isName.test(name) && String(each) === value);
