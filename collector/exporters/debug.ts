import type { Log } from "../base/log.ts";
import type { EncodedRequest, RowSet } from "../rows/encoded-request.ts";
import { type ReadableRow, readableRow } from "./readable-row.ts";

/** Options of the Collector's debug exporter. */
export interface DebugOptions {
  /** basic: a line per request · normal: also one per row, without content · detailed: one per row with everything in it, prompts and answers too. */
  readonly verbosity: "basic" | "normal" | "detailed";
  /** Requests written in full each second … */
  readonly sampling_initial: number;
  /** … and then every so manieth; 1 is every one, 0 none. */
  readonly sampling_thereafter: number;
}

/** Columns without content: what a line of verbosity `normal` shows. */
const PLAIN_COLUMNS: ReadonlySet<string> = new Set(
  `trace_id span_id parent_span_id start_time time name kind service_name status_code duration_ns severity_text event_name
  dialect operation_name provider_name model_name response_model generation_status error_type tokens_prompt tokens_completion tokens_total
  duration_ms response_finish_reason`.split(/\s+/),
);

/** Writes what arrives to the log, as its rows will be stored: after all processors. Source: debugexporter of the OpenTelemetry Collector. */
export function createDebugExporter(options: DebugOptions, log: Log, now: () => number = Date.now): (request: EncodedRequest) => void {
  const isSampled = createSampler(options, now);
  const { verbosity } = options;
  return (request) => {
    if (!isSampled()) return;
    const basic = { signal: request.signal, items: request.received, bytes: request.raw.length };
    if (verbosity === "basic") {
      log.info(basic, "received");
      return;
    }
    const sets = [...request.fresh, ...request.revisiting];
    log.info({ ...basic, rows: rowCounts(sets), refused: request.refusedItems.length }, "received");
    for (const set of sets) {
      for (const row of readableRows(set))
        log.info({ table: set.table.name, ...(verbosity === "detailed" ? row : withoutContent(row)) }, "row");
    }
  };
}

/** The first few of each second, then every so manieth. Source: zapcore.NewSamplerWithOptions, which the Collector uses. */
function createSampler({ sampling_initial: initial, sampling_thereafter: thereafter }: DebugOptions, now: () => number): () => boolean {
  let second = Number.NaN;
  let count = 0;
  return () => {
    const current = Math.floor(now() / 1000);
    if (current !== second) count = 0;
    second = current;
    count++;
    return count <= initial || (thereafter > 0 && (count - initial) % thereafter === 0);
  };
}

function rowCounts(sets: readonly RowSet[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { table, starts } of sets) counts[table.name] = (counts[table.name] ?? 0) + starts.length;
  return counts;
}

function* readableRows({ table, bytes, starts }: RowSet): Iterable<ReadableRow> {
  for (const [i, start] of starts.entries()) yield readableRow(table, bytes.buffer.subarray(start, starts[i + 1] ?? bytes.length));
}

const withoutContent = (row: ReadableRow): ReadableRow =>
  Object.fromEntries(Object.entries(row).filter(([column]) => PLAIN_COLUMNS.has(column)));
