import type { RowSet } from "../../collector/rows/encoded-request.ts";
import { columnTypes } from "./column-types.ts";

/** A row as JavaScript values: int8 and numeric as bigint or text where a number would lose digits, timestamptz as microseconds since 1970. */
export type Row = Record<string, unknown>;

const PG_EPOCH_US = 946_684_800_000_000n;

/** jsonb as the value it holds, or as its JSON text, in which every digit is still there. */
export type JsonAs = "value" | "text";

const knownTypes = new Map<string, ReadonlyMap<string, string>>();

/** Reads a set of binary COPY rows back, by the column types of the committed schema. Throws on anything PostgreSQL would refuse. */
export function readRows(set: RowSet, jsonAs: JsonAs = "value"): Row[] {
  const { name, columns } = set.table;
  const types = knownTypes.get(name) ?? columnTypes(name);
  knownTypes.set(name, types);
  return set.starts.map((start, i) =>
    readRow(set.bytes.buffer.subarray(start, set.starts[i + 1] ?? set.bytes.length), { columns, types, jsonAs }),
  );
}

interface Shape {
  readonly columns: readonly string[];
  readonly types: ReadonlyMap<string, string>;
  readonly jsonAs: JsonAs;
}

function readRow(bytes: Buffer, { columns, types, jsonAs }: Shape): Row {
  if (bytes.readUInt16BE(0) !== columns.length) throw new Error(`row has ${bytes.readUInt16BE(0)} fields for ${columns.length} columns`);
  const row: Row = {};
  let at = 2;
  for (const column of columns) {
    const size = bytes.readInt32BE(at);
    at += 4;
    const type = types.get(column) ?? "?";
    if (size < 0) row[column] = null;
    else
      row[column] =
        type === "jsonb" ? readJson(bytes.subarray(at, at + size), column, jsonAs) : readValue(bytes.subarray(at, at + size), type, column);
    at += Math.max(0, size);
  }
  if (at !== bytes.length) throw new Error(`row has ${bytes.length - at} bytes too many`);
  return row;
}

function readJson(value: Buffer, column: string, jsonAs: JsonAs): unknown {
  if (value[0] !== 1) throw new Error(`${column} jsonb has version ${value[0]}`);
  const text = utf8(value.subarray(1), column);
  return jsonAs === "text" ? text : (JSON.parse(text) as unknown);
}

function readValue(value: Buffer, type: string, column: string): unknown {
  const sized = (size: number): Buffer => {
    if (value.length !== size) throw new Error(`${column} ${type} has ${value.length} bytes`);
    return value;
  };
  switch (type) {
    case "smallint":
      return sized(2).readInt16BE(0);
    case "integer":
      return sized(4).readInt32BE(0);
    case "bigint": {
      const big = sized(8).readBigInt64BE(0);
      return Number.isSafeInteger(Number(big)) ? Number(big) : big;
    }
    case "double precision":
      return sized(8).readDoubleBE(0);
    case "boolean":
      return sized(1)[0] === 1;
    case "timestamp":
    case "timestamp with time zone":
      return sized(8).readBigInt64BE(0) + PG_EPOCH_US;
    case "uuid":
      return sized(16).toString("hex");
    case "bytea":
      return Buffer.from(value);
    case "numeric":
      return readNumeric(value);
    case "text":
      return utf8(value, column);
    default:
      throw new Error(`${column} has unexpected type ${type}`);
  }
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function utf8(bytes: Buffer, column: string): string {
  if (bytes.includes(0)) throw new Error(`${column} holds NUL`);
  return decoder.decode(bytes);
}

function readNumeric(value: Buffer): string {
  const count = value.readInt16BE(0);
  const weight = value.readInt16BE(2);
  const negative = value.readUInt16BE(4) === 0x4000;
  const scale = value.readInt16BE(6);
  const digits = Array.from({ length: count }, (_, i) => String(value.readInt16BE(8 + i * 2)).padStart(4, "0"));
  const whole =
    digits
      .slice(0, weight + 1)
      .join("")
      .replace(/^0+(?=\d)/, "") || "0";
  const fraction = digits
    .slice(weight + 1)
    .join("")
    .padEnd(scale, "0")
    .slice(0, scale);
  return `${negative ? "-" : ""}${whole}${scale > 0 ? `.${fraction}` : ""}`;
}
