import { openExport } from "../export/index.ts";
import type { Reader } from "../reader.ts";
import { sql } from "../sql.ts";

export interface SpansWanted {
  readonly traceId: string;
  /** Without it, every span of the trace. */
  readonly spanId?: string;
}

const BEGIN = '{"resourceSpans":[';
const END = "]}";

/** The spans as one export request of OTLP/JSON, with everything that was received, in pieces; undefined where there is none. */
export async function readOtlp(
  reader: Reader,
  projectId: number,
  { traceId, spanId }: SpansWanted,
): Promise<AsyncGenerator<string> | undefined> {
  const where = [sql`trace_id = ${traceId}`, ...(spanId === undefined ? [] : [sql`span_id = ${spanId}`])];
  const chunks = await openExport(reader, { scope: { projectId }, noun: "traces", format: "otlp", where });
  const first = await chunks.next();
  if (first.done === true || first.value.rows === 0) return undefined;
  const inner = (text: string): string => text.trim().slice(BEGIN.length, -END.length);
  return (async function* () {
    yield BEGIN + inner(first.value.text);
    for await (const { text, rows } of chunks) if (rows > 0) yield `,${inner(text)}`;
    yield END;
  })();
}

/** The same as one text, for a few spans. */
export async function readOtlpText(reader: Reader, projectId: number, wanted: SpansWanted): Promise<string | undefined> {
  const chunks = await readOtlp(reader, projectId, wanted);
  if (chunks === undefined) return undefined;
  let text = "";
  for await (const chunk of chunks) text += chunk;
  return text;
}
