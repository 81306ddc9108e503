import { isUtf8 } from "node:buffer";
import { isDeepStrictEqual } from "node:util";
import { DecodeError } from "../../collector/otlp/decode-error.ts";
import { transcodeJson } from "../../collector/otlp/decode-json.ts";
import type { EncodedRequest, RowSet, SharedRow } from "../../collector/rows/encoded-request.ts";
import { type Row, readRows } from "./copy-reader.ts";
import { createBodyEncoder, RECEIVED_AT_MS } from "./encoding.ts";
import { COMPARED_APART, type Expected, type ExpectedItem, type ExpectedOrigin, expectedLogs, expectedSpans } from "./otlp-oracle.ts";
import { expectedGeneration } from "./otlp-oracle-generation.ts";
import { KeyTwice, protobufOfJson } from "./otlp-oracle-json.ts";
import { strictTypes } from "./otlp-oracle-types.ts";
import { type Attributes, jsonObjectOf, jsonOf, textOf } from "./otlp-oracle-values.ts";

const ARRIVAL = { projectId: 1, receivedAtMs: RECEIVED_AT_MS };

/** A difference between what was stored and what protobufjs says. */
export class Mismatch extends Error {}

/**
 * What became of a body. `whole`: protobufjs reads it and every row was compared. The others are our deliberate leniencies, each by the case that
 * asks for it; rows are compared there as well, unless the line says otherwise.
 */
export type Verdict =
  | "whole"
  /** protobufjs refuses the request, we do too. */
  | "refused by both"
  /** ENC-04 ENC-06: protobufjs refuses the request for text that is not UTF-8; it is mended. */
  | "ENC-04 text that is not UTF-8"
  /** SIZ-15: protobufjs refuses the request for one broken item; only that item is refused. */
  | "SIZ-15 a broken item among others"
  /** A broken value that a later one of the same key replaces is never read. */
  | "ENC-22 a broken value that is replaced"
  /** SIZ-06: beyond the depth that protobufjs can walk. Only looked at for survival. */
  | "SIZ-06 nested too deep for protobufjs"
  /** Tags and lengths in more bytes than they need: protobufjs refuses more than five, protobuf allows ten. Only looked at for survival. */
  | "SIZ-15 overlong varints"
  /** SIZ-08: groups are skipped by counting, so that one may end under another's number. Only looked at for survival. */
  | "SIZ-08 groups that do not match"
  /** ENC-09: of equal keys in one JSON object either wins. Only looked at for survival. */
  | "JSON with a key twice"
  /** A value of one kind, another, and the first again: protobufjs joins the first and the last. Only looked at for survival. */
  | "kinds of one value mixed";

export const LOOSELY_JUDGED: ReadonlySet<Verdict> = new Set<Verdict>([
  "SIZ-06 nested too deep for protobufjs",
  "SIZ-15 overlong varints",
  "SIZ-08 groups that do not match",
  "JSON with a key twice",
  "kinds of one value mixed",
]);

/** What one comparison saw, for the shares that a fuzzer prints. */
export interface Comparison {
  readonly verdict: Verdict;
  readonly items: number;
  readonly generations: number;
}

interface Ours {
  readonly request: EncodedRequest;
  readonly tables: ReadonlyMap<string, ReadonlyMap<number, Row[]>>;
}

export interface CompareOptions {
  readonly signal: "traces" | "logs";
  /** A body that says the same, for protobufjs: where ours came from JSON. */
  readonly oracleBody?: Uint8Array;
  /** Columns that are not compared: what JSON cannot tell. */
  readonly except?: readonly string[];
}

/** Stores a body by our code and by the oracle and compares all rows. Throws Mismatch where they differ and anything that our code throws. */
export function compareWithOracle(body: Buffer, options: CompareOptions): Comparison {
  const ours = storedBy(body, options.signal);
  const theirs = Buffer.from(options.oracleBody ?? body);
  let expected: ExpectedItem[];
  try {
    expected = (options.signal === "logs" ? expectedLogs : expectedSpans)(theirs, ARRIVAL);
  } catch (error) {
    if (ours === undefined) return uncompared("refused by both");
    const rule = looseRule(String(error));
    if (rule !== undefined) return uncompared(rule);
    throw new Mismatch(`protobufjs refuses the request (${String(error)}), we store it`);
  }
  for (const { refusal, unsound } of expected) {
    const rule = unsound ? "kinds of one value mixed" : looseRule(refusal ?? "");
    if (rule !== undefined) return uncompared(rule);
  }
  if (ours === undefined) throw new Mismatch("protobufjs reads the request, we refuse it");
  const strict = refusalOf(theirs, options.signal);
  const generations = compareRows(ours, expected, options);
  return { verdict: verdictOf(strict, expected), items: expected.length, generations };
}

/** The same for OTLP/JSON: our transcoder, then our rows, against JSON.parse and protobufjs. */
export function compareJsonWithOracle(body: Buffer, signal: CompareOptions["signal"]): Comparison {
  let ours: Buffer | undefined;
  try {
    ours = transcodeJson(body, signal);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
  }
  let theirs: Buffer;
  try {
    theirs = protobufOfJson(body, signal);
  } catch (error) {
    if (error instanceof KeyTwice) return uncompared("JSON with a key twice");
    if (ours === undefined) return uncompared("refused by both");
    throw new Mismatch(`JSON.parse and protobufjs refuse the body (${String(error)}), we store it`);
  }
  if (ours === undefined) throw new Mismatch("JSON.parse and protobufjs read the body, we refuse it");
  // JSON.parse mends what is not UTF-8 before anybody can note it, or see the bytes of a link's wrong id.
  const valid = isUtf8(body);
  const comparison = compareWithOracle(ours, { signal, oracleBody: theirs, except: valid ? [] : ["ingest_notes", "links"] });
  return valid || comparison.verdict !== "whole" ? comparison : { ...comparison, verdict: "ENC-04 text that is not UTF-8" };
}

const uncompared = (verdict: Verdict): Comparison => ({ verdict, items: 0, generations: 0 });

const encoders: Readonly<Record<"traces" | "logs", (body: Buffer) => EncodedRequest>> = {
  traces: createBodyEncoder("traces"),
  logs: createBodyEncoder("logs"),
};

function storedBy(body: Buffer, signal: CompareOptions["signal"]): Ours | undefined {
  let request: EncodedRequest;
  try {
    request = encoders[signal](body);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
  const tables = new Map<string, Map<number, Row[]>>();
  for (const set of [...request.fresh, ...request.revisiting]) addRows(tables, set);
  return { request, tables };
}

function addRows(tables: Map<string, Map<number, Row[]>>, set: RowSet): void {
  const { name } = set.table;
  const byItem = tables.get(name) ?? new Map<number, Row[]>();
  tables.set(name, byItem);
  for (const [i, row] of readRows(set, "text").entries()) byItem.set(set.items[i]!, [...(byItem.get(set.items[i]!) ?? []), row]);
}

/** Where protobufjs is stricter than protobuf, or we are more lenient on purpose: the rule that its message stands for. */
function looseRule(message: string): Verdict | undefined {
  if (/max depth|call stack/.test(message)) return "SIZ-06 nested too deep for protobufjs";
  if (/invalid (tag|length) encoding/.test(message)) return "SIZ-15 overlong varints";
  return /end group/.test(message) ? "SIZ-08 groups that do not match" : undefined;
}

/** Whether the official messages of protobufjs do not take the body for its text, or for something else that we can step over. */
function refusalOf(body: Buffer, signal: CompareOptions["signal"]): "text" | "broken" | undefined {
  try {
    strictTypes.lookupType(signal === "logs" ? "LogsData" : "TracesData").decode(body);
    return undefined;
  } catch (error) {
    return /not valid for encoding/.test(String(error)) ? "text" : "broken";
  }
}

function verdictOf(strict: "text" | "broken" | undefined, expected: readonly ExpectedItem[]): Verdict {
  if (strict === undefined) return "whole";
  if (strict === "text") return "ENC-04 text that is not UTF-8";
  return expected.some(({ row }) => row === undefined) ? "SIZ-15 a broken item among others" : "ENC-22 a broken value that is replaced";
}

function compareRows(ours: Ours, expected: readonly ExpectedItem[], options: CompareOptions): number {
  const { request, tables } = ours;
  if (request.received !== expected.length) throw new Mismatch(`${request.received} items, protobufjs sees ${expected.length}`);
  const table = options.signal === "logs" ? "log_records" : "spans";
  const shared = new Map(request.shared.map((row) => [`${row.table} ${row.id}`, row]));
  let generations = 0;
  for (const [i, item] of expected.entries()) {
    const rows = tables.get(table)?.get(i) ?? [];
    const refused = request.refusedItems.some((refusal) => refusal.item === i);
    if ((item.row === undefined) !== refused || rows.length !== (refused ? 0 : 1)) {
      throw new Mismatch(
        `item ${i}: ${refused ? "refused" : `${rows.length} rows`}, protobufjs ${item.row === undefined ? "refuses" : "stores"} it`,
      );
    }
    if (item.row === undefined) continue;
    const row = rows[0]!;
    const generation = tables.get("generation_logs")?.get(i) ?? [];
    const moved = table === "spans" ? movedFrom(row) : [];
    const wanted = moved.length === 0 ? item.row : { ...item.row, attributes: without(item.attributes, moved) };
    // References stand in the place of binary content (its own tests: media-matrix.test.ts).
    const stripped = tables.get("blobs")?.has(i) === true ? ["attributes", "events", "body"] : [];
    const except = [...(options.except ?? []), ...stripped, ...(generation.length > 0 ? ["ingest_notes"] : [])];
    compareRow(row, wanted, { what: `${table} ${i}`, except });
    compareOrigins(row, item, shared);
    if (table === "spans")
      generations += compareGeneration(generation, { item, row, moved, media: tables.get("outputs")?.has(i) === true });
  }
  return generations;
}

interface RowComparison {
  readonly what: string;
  readonly except: readonly string[];
}

function compareRow(actual: Row, expected: Expected, { what, except }: RowComparison): void {
  for (const [column, value] of Object.entries(expected)) {
    if (except.includes(column) || same(actual[column], value)) continue;
    throw new Mismatch(`${what}.${column}: ${show(actual[column])}, expected ${show(value)}`);
  }
  const silent = Object.keys(actual).filter((column) => !(column in expected) && !COMPARED_APART.has(column));
  if (what.startsWith("spans") && silent.length > 0) throw new Mismatch(`the oracle says nothing of ${silent.join(", ")}`);
}

const show = (value: unknown): string => String(typeof value === "bigint" ? value : JSON.stringify(value)).slice(0, 600);

function same(actual: unknown, expected: unknown): boolean {
  if (actual === expected || Object.is(actual, expected)) return true;
  if (typeof actual === "bigint" || typeof expected === "bigint") {
    return (
      typeof actual !== "string" &&
      typeof expected !== "string" &&
      actual !== null &&
      expected !== null &&
      BigInt(actual as number) === BigInt(expected as number)
    );
  }
  if (typeof actual !== "string" || typeof expected !== "string" || !/^[{["]/.test(expected)) return false;
  return sameJson(actual, expected);
}

/** Order of members does not count in jsonb, and the last of equal ones wins; digits do count. */
function sameJson(actual: string, expected: string): boolean {
  try {
    return isDeepStrictEqual(exactJson(actual), exactJson(expected));
  } catch {
    return false;
  }
}

const exactJson = (text: string): unknown =>
  JSON.parse(text, (_key: string, value: unknown, context?: { source?: string }) =>
    typeof value === "number" ? { number: context?.source } : value,
  ) as unknown;

function compareOrigins(row: Row, item: ExpectedItem, shared: ReadonlyMap<string, SharedRow>): void {
  for (const [table, column, origin] of [
    ["resources", "resource_id", item.resource],
    ["scopes", "scope_id", item.scope],
  ] as const) {
    const id = row[column] as string | null;
    if ((id === null) !== (origin === undefined)) throw new Mismatch(`${column} is ${id}, protobufjs has ${show(origin)}`);
    if (id === null || origin === undefined) continue;
    const found = shared.get(`${table} ${id}`);
    if (found === undefined) throw new Mismatch(`${column} names no row`);
    compareOrigin(found, origin);
  }
}

function compareOrigin(found: SharedRow, origin: ExpectedOrigin): void {
  for (const [member, value] of Object.entries(origin)) {
    if (found.table === "resources" && (member === "name" || member === "version")) continue;
    const actual = found[member as keyof ExpectedOrigin];
    if (!same(actual, value)) throw new Mismatch(`${found.table}.${member}: ${show(actual)}, expected ${show(value)}`);
  }
}

/** Attributes that a generation row holds instead of the span, by the bits of spans.content_moved; the same shifted by four: as a structure. */
const MOVED = [
  [1, "gen_ai.input.messages", "prompt_full_text"],
  [2, "gen_ai.output.messages", "response_full_text"],
  [4, "gen_ai.system_instructions", "system_instructions"],
  [8, "gen_ai.tool.definitions", "tool_definitions"],
] as const;

interface Moved {
  readonly attribute: string;
  readonly column: string;
  readonly structured: boolean;
}

function movedFrom(row: Row): Moved[] {
  const bits = (row["content_moved"] as number | null) ?? 0;
  return MOVED.filter(([bit]) => (bits & bit) !== 0).map(([bit, attribute, column]) => ({
    attribute,
    column,
    structured: (bits & (bit << 4)) !== 0,
  }));
}

const without = ({ list, ...more }: Attributes, moved: readonly Moved[]): string =>
  jsonObjectOf({ list: list.filter(({ key }) => moved.every(({ attribute }) => attribute !== key.text)), ...more });

interface CallComparison {
  readonly item: ExpectedItem;
  readonly row: Row;
  readonly moved: readonly Moved[];
  /** Binary content has left the messages for a table of its own. */
  readonly media: boolean;
}

/** What left the span stands in the generation row, and where the conventions alone speak its columns are as they say. Returns 1 for a judged row. */
function compareGeneration(rows: readonly Row[], { item, moved, media }: CallComparison): number {
  if (rows.length > 1) throw new Mismatch(`${rows.length} generation rows of one span`);
  const [generation] = rows;
  for (const { attribute, column, structured } of moved) {
    const value = item.attributes.list.find(({ key }) => key.text === attribute)?.value;
    const text = structured ? jsonOf(value).text : textOf(value?.stringValue).text;
    const kept = generation?.[column];
    const lost = typeof kept !== "string" || (!media && kept !== text && !(structured && sameJson(kept, text)));
    if (lost) throw new Mismatch(`${attribute} has left the span, and ${column} is ${show(kept)}`);
  }
  const expected = expectedGeneration(item);
  if (expected === undefined) return 0;
  if (expected === null) {
    if (generation !== undefined) throw new Mismatch("a generation row of a span that is no call");
    return 1;
  }
  if (generation === undefined) throw new Mismatch("no generation row of a plain call");
  compareRow(generation, expected, { what: "generation", except: media ? ["prompt_full_text", "response_full_text"] : [] });
  return 1;
}
