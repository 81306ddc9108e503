import { sharedBuffers } from "../base/buffer-pool.ts";
import { ByteWriter } from "../base/byte-writer.ts";
import type { Signal } from "../base/signal.ts";
import type { EncodedRequest, ItemRefusal, RowSet, SharedRow } from "./encoded-request.ts";
import { encodeRejectedRow, rejectedId } from "./ingest-rejected.ts";
import { type CallSign, standApart } from "./sibling-calls.ts";
import { INGEST_REJECTED, type TableSpec } from "./table-spec.ts";
import { joinMarks, MARK_CALL, MARK_SECOND_CALL, type TraceMark } from "./trace-marks.ts";

/** Bytes that a row takes beside its encoded form: its offset, its item, its part of the lists. */
const ROW_OVERHEAD_BYTES = 64;

/** Collects the rows of one request while its items are walked. */
export interface RequestBuilder {
  readonly projectId: number;
  readonly raw: Buffer;
  readonly receivedAtMs: number;
  /** Opens the next item; its number is used for all its rows. */
  addItem(start: number, end: number): void;
  /** The writer for one row of the current item in `table`. */
  row(table: TableSpec, revisiting?: boolean): ByteWriter;
  share(row: SharedRow): void;
  /** Says of the current item's generation row that it only announces a call, or that its call was announced. */
  notePending(role: "announcing" | "announced"): void;
  /** Notes what the request brings for a trace, for those who bring together what came apart. `call` is the sign of a plain call. */
  mark(traceId: string, bits: number, at: { readonly millis: number; readonly call?: CallSign | undefined }): void;
  /** Refuses the current item for good, dropping what was written of its rows. */
  refuse(reason: string): void;
  finish(): EncodedRequest;
}

export interface BuilderInput {
  readonly signal: Signal;
  readonly projectId: number;
  readonly raw: Buffer;
  readonly receivedAtMs: number;
}

export function createRequestBuilder(input: BuilderInput): RequestBuilder {
  const { signal, projectId, raw, receivedAtMs } = input;
  const itemAt: number[] = [];
  const shared = new Map<string, SharedRow>();
  const refusedItems: ItemRefusal[] = [];
  /** Of several items with the same bytes one row is kept. */
  const rejected = new Set<string>();
  const fresh = new Map<TableSpec, RowSet>();
  const revisiting = new Map<TableSpec, RowSet>();
  const traces = new Map<string, MarkedTrace>();
  const pending = { announcing: new Set<number>(), announced: new Set<number>() };
  const current = (): number => itemAt.length / 2 - 1;

  const setFor = (sets: Map<TableSpec, RowSet>, table: TableSpec): RowSet => {
    const known = sets.get(table);
    if (known !== undefined) return known;
    const share = (sharesSeen.get(table) ?? UNSEEN_SHARE) * ROOM;
    const bytes = new ByteWriter(sharedBuffers.take(Math.max(MIN_ROWS_BYTES, Math.ceil(raw.length * share))));
    const set: RowSet = { table, bytes, starts: [], items: [] };
    sets.set(table, set);
    return set;
  };
  const row = (table: TableSpec, revisits = false): ByteWriter => {
    const set = setFor(revisits ? revisiting : fresh, table);
    set.starts.push(set.bytes.length);
    set.items.push(current());
    return set.bytes;
  };
  return {
    projectId,
    raw,
    receivedAtMs,
    row,
    addItem(start, end) {
      itemAt.push(start, end);
    },
    notePending(role) {
      pending[role].add(current());
    },
    mark(traceId, bits, { millis, call }) {
      const mark = { traceId, bits, fromMillis: millis, toMillis: millis };
      const marked = traces.get(traceId) ?? { mark, calls: [] };
      marked.mark = joinMarks(marked.mark, mark);
      if ((bits & MARK_CALL) !== 0) marked.calls.push(call);
      traces.set(traceId, marked);
    },
    share(sharedRow) {
      shared.set(sharedRow.id, sharedRow);
    },
    refuse(reason) {
      const item = current();
      for (const set of [...fresh.values(), ...revisiting.values()]) dropRows(set, item);
      pending.announcing.delete(item);
      pending.announced.delete(item);
      refusedItems.push({ item, reason });
      const itemBytes = raw.subarray(itemAt[item * 2], itemAt[item * 2 + 1]);
      const id = rejectedId({ signal, raw: itemBytes });
      if (rejected.has(id)) return;
      rejected.add(id);
      encodeRejectedRow(row(INGEST_REJECTED), { projectId, signal, reason, sqlstate: undefined, raw: itemBytes, receivedAtMs }, id);
    },
    finish() {
      const sets = [...fresh.values(), ...revisiting.values()];
      if (raw.length >= TELLING_BYTES) for (const { table, bytes } of sets) noteShare(table, bytes.length / raw.length);
      const sizeBytes = sets.reduce((sum, set) => sum + set.bytes.buffer.length + set.starts.length * ROW_OVERHEAD_BYTES, raw.length);
      return {
        signal,
        projectId,
        received: itemAt.length / 2,
        raw,
        itemAt,
        fresh: [...fresh.values()],
        revisiting: [...revisiting.values()],
        shared: [...shared.values()],
        ...pending,
        traces: [...traces.values()].map((trace) => markOf(raw, trace)),
        refusedItems,
        sizeBytes,
      };
    },
  };
}

interface MarkedTrace {
  mark: TraceMark;
  /** A sign for each call; undefined for one that must be compared with the others. */
  readonly calls: (CallSign | undefined)[];
}

/** Several calls are a reason to look at the trace, unless they are seen here to be calls of their own. */
const markOf = (raw: Buffer, { mark, calls }: MarkedTrace): TraceMark =>
  calls.length > 1 && !standApart(raw, calls) ? { ...mark, bits: mark.bits | MARK_SECOND_CALL } : mark;

/** Takes back the rows of the item that was written last. */
function dropRows(set: RowSet, item: number): void {
  while (set.items.at(-1) === item) {
    set.items.pop();
    set.bytes.length = set.starts.pop() ?? 0;
  }
}

/**
 * Bytes of a table's rows per byte of request, as lately seen: dialects differ by a factor of three. A buffer that is large enough is never copied into a
 * larger one, and one that is too large only takes memory.
 */
const sharesSeen = new Map<TableSpec, number>();
const UNSEEN_SHARE = 0.5;
const ROOM = 1.1;
/** How fast a share follows smaller ones; larger ones it follows at once. */
const FOLLOW = 0.1;
/** What a share says of larger requests: one that is odd must not make them take memory without measure. */
const LARGEST_SHARE = 2;
/** Requests from which shares are learnt; in smaller ones what every row has in common outweighs the rest. */
const TELLING_BYTES = 16 * 1024;
const MIN_ROWS_BYTES = 2 * 1024;

function noteShare(table: TableSpec, seen: number): void {
  const share = Math.min(seen, LARGEST_SHARE);
  const before = sharesSeen.get(table) ?? share;
  sharesSeen.set(table, share > before ? share : before + (share - before) * FOLLOW);
}
