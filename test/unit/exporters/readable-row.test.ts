import { describe, expect, it } from "vitest";
import { readableRow } from "../../../collector/exporters/readable-row.ts";
import * as tables from "../../../collector/rows/table-spec.ts";
import { columnTypes } from "../../support/column-types.ts";
import { type Row, readRows } from "../../support/copy-reader.ts";
import { encodedRequest, generation, type Item, log } from "../../support/encoded-request.ts";
import { encodeBody } from "../../support/encoding.ts";
import { recordingsOf } from "../../support/recordings.ts";

const tableSpecs = Object.values(tables).filter((table): table is tables.TableSpec => typeof table === "object");

/** A value of the other reader in the words of this one. */
function asReadable(value: unknown, type: string): unknown {
  if (Buffer.isBuffer(value)) return `${value.length} bytes`;
  if (type.startsWith("timestamp")) return new Date(Number((value as bigint) / 1000n)).toISOString();
  if (typeof value === "bigint") return String(value);
  return type === "numeric" ? Number(value) : value;
}

const expected = (row: Row, table: string): Row => {
  const types = columnTypes(table);
  const shown = Object.entries(row).filter(([, value]) => value !== null);
  return Object.fromEntries(shown.map(([column, value]) => [column, asReadable(value, types.get(column) ?? "")]));
};

/** jsonb is compared as the value it holds. */
const parsed = (row: object, table: string): Row => {
  const types = columnTypes(table);
  return Object.fromEntries(
    Object.entries(row).map(([column, value]) => [column, types.get(column) === "jsonb" ? JSON.parse(String(value)) : (value as unknown)]),
  );
};

it("every column of every written table has the type of the schema", () => {
  expect(tableSpecs.length).toBeGreaterThan(4);
  for (const table of tableSpecs) {
    const bytes = Buffer.alloc(2 + table.columns.length * 4).fill(0xff, 2);
    expect(readableRow(table, bytes), table.name).toEqual({});
  }
});

describe("rows are read as another reader reads them by the schema's types", () => {
  it.each(["otel-openai", "nodesdk-defaults", "anthropic-native-content"])("of the client %s", (client) => {
    let rows = 0;
    for (const { body, path, contentType } of recordingsOf(client)) {
      if (contentType.includes("json")) continue;
      const request = encodeBody(body, path.endsWith("logs") ? "logs" : "traces");
      for (const set of [...request.fresh, ...request.revisiting]) {
        for (const [i, row] of readRows(set).entries()) {
          const bytes = set.bytes.buffer.subarray(set.starts[i], set.starts[i + 1] ?? set.bytes.length);
          expect(parsed(readableRow(set.table, bytes), set.table.name)).toEqual(expected(row, set.table.name));
          rows++;
        }
      }
    }
    expect(rows).toBeGreaterThan(0);
  });

  it("of rows with values that recordings lack", () => {
    const items: readonly (readonly Item[])[] = [
      generation("a", { model_temperature: 0.25, tokens_prompt: 9_007_199_254_740_993n, model_parameters: '{"a":1}' }),
      log("b", { severity_number: 9, body: '"text"' }),
    ];
    for (const set of encodedRequest(items).fresh) {
      const bytes = set.bytes.buffer.subarray(0, set.starts[1] ?? set.bytes.length);
      expect(parsed(readableRow(set.table, bytes), set.table.name)).toEqual(expected(readRows(set)[0]!, set.table.name));
    }
  });
});
