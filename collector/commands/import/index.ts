import type { Sql } from "postgres";
import type { Outcome } from "../../base/outcome.ts";
import type { Signal } from "../../base/signal.ts";
import { parseStorable } from "../../base/storable-json.ts";
import { type JsonValue, splitJson } from "./json-values.ts";
import { type ImportNoun, type JsonObject, type Shape, shapeOf } from "./shapes.ts";
import { type StagedRow, storeRows } from "./store-rows.ts";

export interface ImportOptions {
  /** Connects as the owner of the tables. */
  readonly sql: Sql;
  readonly schema: string;
  readonly projectId: number;
  /** Takes one OTLP/JSON request, as the receiver would. */
  readonly consume: (signal: Signal, body: Buffer) => Promise<Outcome>;
  readonly now?: () => Date;
  /** Told after every batch. */
  readonly onProgress?: (report: ImportReport) => void;
  readonly signal?: AbortSignal;
}

/** A line that could not be taken, and why, without what it says. */
export interface ImportFault {
  readonly line: number;
  readonly reason: string;
}

export interface ImportReport {
  /** Objects read. */
  readonly read: number;
  /** Rows that are there now and were not before, by noun; requests of OTLP count in `otlpRequests`. */
  readonly stored: Readonly<Partial<Record<ImportNoun, number>>>;
  /** Rows that were there already. */
  readonly known: number;
  readonly otlpRequests: number;
  readonly refused: number;
  /** The first of them. */
  readonly faults: readonly ImportFault[];
}

const BATCH_ROWS = 200;
const BATCH_BYTES = 4 * 1024 * 1024;
const MAX_FAULTS = 100;
/** Busy collectors are asked again; a busy minute is a failure. */
const RETRIES = 20;
const RETRY_MS = 3_000;

interface Batch {
  readonly rows: Map<ImportNoun, StagedRow[]>;
  count: number;
  bytes: number;
}

/**
 * Imports a stream of JSON objects, each for what it turns out to be: OTLP/JSON, lines of an export, or the records of applications. Memory stays flat;
 * what cannot be taken is reported by its line; the same file imported twice changes nothing. Rejects where the database fails or the signal aborts.
 */
export async function importJson(chunks: AsyncIterable<Uint8Array>, options: ImportOptions): Promise<ImportReport> {
  const now = (options.now ?? (() => new Date()))();
  const place = { schema: options.schema, projectId: options.projectId, receivedAt: now.toISOString() };
  const report = {
    read: 0,
    stored: {} as Partial<Record<ImportNoun, number>>,
    known: 0,
    otlpRequests: 0,
    refused: 0,
    faults: [] as ImportFault[],
  };
  const batch: Batch = { rows: new Map(), count: 0, bytes: 0 };
  const refuse = (line: number, reason: string): void => {
    report.refused++;
    if (report.faults.length < MAX_FAULTS) report.faults.push({ line, reason });
  };

  async function flush(): Promise<void> {
    for (const [noun, rows] of batch.rows) {
      const { stored, refused } = await storeRows(options.sql, rows, place);
      report.stored[noun] = (report.stored[noun] ?? 0) + stored;
      report.known += rows.length - stored - refused.length;
      for (const { line, reason } of refused) refuse(line, reason);
    }
    batch.rows.clear();
    batch.count = 0;
    batch.bytes = 0;
    options.onProgress?.(report);
  }

  async function stage(noun: ImportNoun, json: string, line: number): Promise<void> {
    const rows = batch.rows.get(noun) ?? [];
    rows.push({ noun, json, line });
    batch.rows.set(noun, rows);
    batch.count++;
    batch.bytes += json.length;
    if (batch.count >= BATCH_ROWS || batch.bytes >= BATCH_BYTES) await flush();
  }

  async function take(shape: Shape, text: string, line: number): Promise<void> {
    if (shape.kind === "row") await stage(shape.noun, text, line);
    else if (shape.kind === "rows") for (const { noun, values } of shape.rows) await stage(noun, JSON.stringify(values), line);
    else if (shape.kind === "list")
      for (const value of shape.values) await take(shapeOf(value, place.receivedAt), JSON.stringify(value), line);
    else if (shape.kind === "otlp") {
      const fault = await consumed(options, shape.signal, text);
      report.otlpRequests++;
      if (fault !== undefined) refuse(line, fault);
    } else refuse(line, "this is nothing that can be imported");
  }

  for await (const value of splitJson(chunks)) {
    options.signal?.throwIfAborted();
    report.read++;
    const object = parsed(value);
    if (object === undefined) refuse(value.line, "this is not JSON");
    else await take(shapeOf(object, place.receivedAt), value.bytes.toString("utf8"), value.line);
  }
  await flush();
  return report;
}

function parsed({ bytes }: JsonValue): JsonObject | undefined {
  try {
    return parseStorable(bytes.toString("utf8")) as JsonObject;
  } catch {
    return undefined;
  }
}

/** Why the request was not stored in full, or undefined. */
async function consumed({ consume, signal: stop }: ImportOptions, signal: Signal, text: string): Promise<string | undefined> {
  for (let attempt = 1; ; attempt++) {
    const outcome = await consume(signal, Buffer.from(text, "utf8"));
    if (outcome.kind === "accepted") return undefined;
    if (outcome.kind !== "retryable") return outcome.message;
    if (attempt === RETRIES) throw new Error(`the collector takes nothing at the moment: ${outcome.message}`);
    stop?.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, Math.min(RETRY_MS, outcome.retryAfterSeconds * 1_000)));
  }
}
