import { isUtf8 } from "node:buffer";
import type { Sql } from "postgres";
import type { Outcome } from "../../base/outcome.ts";
import type { Signal } from "../../base/signal.ts";
import { parseStorable } from "../../base/storable-json.ts";
import { splitJson } from "./json-values.ts";
import { type StagedSpan, sendRequest, sendSpans } from "./send-spans.ts";
import { type ImportNoun, type ImportRow, type JsonObject, type Shape, shapeOf } from "./shapes.ts";
import { columnsByNoun, type StagedRow, storeRows } from "./store-rows.ts";

export interface ImportOptions {
  /** Connects as the owner of the tables. */
  readonly sql: Sql;
  readonly schema: string;
  readonly projectId: number;
  /** Takes one OTLP/JSON request, as the receiver would. */
  readonly consume: (signal: Signal, body: Buffer) => Promise<Outcome>;
  /** Lines of an export of traces as one request of OTLP/JSON; throws for a line that is none. */
  readonly requestOf: (spans: readonly string[]) => string;
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

/** What an object says beside what was stored of it. */
export interface IgnoredNames {
  readonly line: number;
  readonly names: readonly string[];
}

export interface ImportReport {
  /** Values read: objects, and what is none. */
  readonly read: number;
  /** Rows that are there now and were not before, by noun; requests of OTLP count in `otlpRequests`. */
  readonly stored: Readonly<Partial<Record<ImportNoun, number>>>;
  /** Rows that were there already, or were erased in the last thirty days. */
  readonly known: number;
  readonly otlpRequests: number;
  readonly refused: number;
  /** The first of them. */
  readonly faults: readonly ImportFault[];
  /** Of objects that were taken: names that no column takes; the first of them. */
  readonly ignored: readonly IgnoredNames[];
}

const BATCH_ROWS = 200;
const BATCH_BYTES = 4 * 1024 * 1024;
const MAX_FAULTS = 100;
const MAX_IGNORED_NAMES = 20;

interface Batch {
  readonly rows: Map<ImportNoun, StagedRow[]>;
  readonly spans: StagedSpan[];
  count: number;
  bytes: number;
}

/**
 * Imports a stream of JSON objects, each for what it turns out to be: OTLP/JSON, lines of an export, or the records of applications. Memory stays flat;
 * what cannot be taken is reported by its line; the same file imported twice changes nothing. Rejects where the database fails or the signal aborts.
 */
export async function importJson(chunks: AsyncIterable<Uint8Array>, options: ImportOptions): Promise<ImportReport> {
  const now = (options.now ?? (() => new Date()))();
  const columns = await columnsByNoun(options.sql, options.schema);
  const place = { schema: options.schema, projectId: options.projectId, receivedAt: now.toISOString() };
  const report = {
    read: 0,
    stored: {} as Partial<Record<ImportNoun, number>>,
    known: 0,
    otlpRequests: 0,
    refused: 0,
    faults: [] as ImportFault[],
    ignored: [] as IgnoredNames[],
  };
  const batch: Batch = { rows: new Map(), spans: [], count: 0, bytes: 0 };
  const refuse = (line: number, reason: string): void => {
    report.refused++;
    if (report.faults.length < MAX_FAULTS) report.faults.push({ line, reason });
  };

  async function flush(): Promise<void> {
    for (const [noun, rows] of batch.rows) {
      const { stored, refused } = await storeRows(options.sql, rows, { ...place, columns: columns.get(noun)! });
      report.stored[noun] = (report.stored[noun] ?? 0) + stored;
      report.known += rows.length - stored - refused.length;
      for (const { line, reason } of refused) refuse(line, reason);
    }
    if (batch.spans.length > 0) for (const { line, reason } of await sendSpans(options, batch.spans, report)) refuse(line, reason);
    batch.rows.clear();
    batch.spans.length = 0;
    batch.count = 0;
    batch.bytes = 0;
    options.onProgress?.(report);
  }

  async function stage({ noun, ...row }: StagedRow): Promise<void> {
    const rows = batch.rows.get(noun) ?? [];
    rows.push({ noun, ...row });
    batch.rows.set(noun, rows);
    await staged(row.json.length);
  }

  async function staged(bytes: number): Promise<void> {
    batch.count++;
    batch.bytes += bytes;
    if (batch.count >= BATCH_ROWS || batch.bytes >= BATCH_BYTES) await flush();
  }

  async function takeRow({ noun, values, ignored = [], isUntimed = false }: ImportRow, line: number, text?: string): Promise<void> {
    const { names, times } = columns.get(noun)!;
    const json = text ?? textOf(values);
    const noTime = times.find((name) => values[name] != null && !TIME.test(String(values[name])));
    if (json === undefined) return refuse(line, TOO_DEEP);
    if (noTime !== undefined) return refuse(line, `${noTime} is no time`);
    const unused = [...ignored, ...Object.keys(values).filter((name) => values[name] != null && !names.has(name))];
    if (unused.length > 0 && report.ignored.length < MAX_FAULTS) report.ignored.push({ line, names: unused.slice(0, MAX_IGNORED_NAMES) });
    await stage({ noun, json, line, isUntimed });
  }

  async function take(object: JsonObject, text: string, line: number): Promise<void> {
    const shape = recognised(object, place.receivedAt);
    if (shape.kind === "row") await takeRow({ noun: shape.noun, values: object }, line, text);
    else if (shape.kind === "rows") for (const row of shape.rows) await takeRow(row, line);
    else if (shape.kind === "list") for (const value of shape.values) await take(value, JSON.stringify(value), line);
    else if (shape.kind === "span") {
      batch.spans.push({ json: text, line });
      await staged(text.length);
    } else if (shape.kind === "otlp") {
      const fault = await sendRequest(options, shape.signal, text);
      report.otlpRequests++;
      if (fault !== undefined) refuse(line, fault);
    } else refuse(line, shape.reason);
  }

  for await (const { bytes, line } of splitJson(chunks)) {
    options.signal?.throwIfAborted();
    report.read++;
    const text = bytes?.toString("utf8");
    const object = text === undefined ? undefined : parsed(text);
    if (bytes === undefined || text === undefined) refuse(line, "this is no object");
    else if (object === undefined) refuse(line, "this is not JSON");
    else if (!isUtf8(bytes) && recognised(object, place.receivedAt).kind !== "otlp") refuse(line, "this is not UTF-8");
    else await take(object, text, line);
  }
  await flush();
  return report;
}

/** Of what PostgreSQL takes for a time; others, such as `now` and `infinity`, are none that a record can have. */
const TIME = /^\d{4,6}-\d{1,2}-\d{1,2}(?!.*BC)/;

const TOO_DEEP = "this is nested too deeply";

function recognised(object: JsonObject, receivedAt: string): Shape {
  try {
    return shapeOf(object, receivedAt);
  } catch (error) {
    if (error instanceof RangeError) return { kind: "unknown", reason: TOO_DEEP };
    throw error;
  }
}

/** Undefined for what is nested more deeply than can be written. */
function textOf(value: JsonObject): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

/** More digits than a double holds, or more than it can be. */
const LONG_NUMBER = /[:,[]\s*-?\d[\d.]{15}|\d[eE]\+?\d{3}/;
const MAX_DIGITS = 15;

/** The reviver's third argument is not in TypeScript's library yet. */
type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;

const keepDigits: Reviver = (_key, value, { source = "" }) =>
  typeof value === "number" && (source.replace(/e.*$|\D/gi, "").length > MAX_DIGITS || !Number.isFinite(value)) ? source : value;

/** Long numbers become text, as the columns that they are for take them, too. */
function parsed(text: string): JsonObject | undefined {
  try {
    const exact = LONG_NUMBER.test(text) ? JSON.stringify(JSON.parse(text, keepDigits as (key: string, value: unknown) => unknown)) : text;
    return parseStorable(exact) as JsonObject;
  } catch {
    return undefined;
  }
}
