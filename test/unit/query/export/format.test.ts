import { describe, expect, it } from "vitest";
import type { ColumnKind, ExportColumn } from "../../../../collector/query/export/columns.ts";
import { csvHeader, csvLine, jsonLine } from "../../../../collector/query/export/format.ts";

const column = (name: string, kind: ColumnKind): ExportColumn => ({ name, kind, type: kind, large: false });
const text = [column("t", "text")];
const number = [column("n", "number")];

/** After RFC 4180, strictly: quotes only around whole fields. */
function parseCsv(csv: string): string[][] {
  const rows: string[][] = [];
  let rest = csv;
  let row: string[] = [];
  while (rest !== "") {
    const field = /^(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/.exec(rest);
    if (field === null) throw new Error(`not RFC 4180 at ${rest.slice(0, 20)}`);
    row.push(field[1]?.replaceAll('""', '"') ?? field[2] ?? "");
    if (field[3] === "\r\n") {
      rows.push(row);
      row = [];
    }
    rest = rest.slice(field[0].length);
  }
  return rows;
}

describe("CSV", () => {
  it.each(["=cmd|' /C calc'!A0", "+1", "-1+2", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uFEFF=1", '=1,"2"\n3'])(
    "EXP-01 text that a spreadsheet would run begins with an apostrophe: %j",
    (value) => {
      expect(parseCsv(csvLine(text, [value]))).toEqual([[`'${value}`]]);
    },
  );

  it.each(["plain", "a=b", "with, comma", 'with "quotes"', "two\nlines", "two\r\nlines", "\uFEFFmark", "日本語", " =1"])(
    "EXP-01 other text comes back as it was: %j",
    (value) => {
      expect(parseCsv(csvLine(text, [value]))).toEqual([[value]]);
    },
  );

  it.each(["-1", "-1.5", "1e21", "12345678901234567890.000001", "0"])("EXP-01 numbers of number columns stay numbers: %s", (value) => {
    expect(csvLine(number, [value])).toBe(`${value}\r\n`);
  });

  it("leaves NULL empty, and guards what only a float can be", () => {
    expect(csvLine([...text, ...number, ...number], [null, null, "-Infinity"])).toBe(",,'-Infinity\r\n");
  });

  it("names its columns", () => {
    expect(csvHeader([column("a", "text"), column("=b", "text")])).toBe("a,'=b\r\n");
  });
});

describe("JSON lines", () => {
  it("keep text byte for byte, and JSON and numbers as the database wrote them", () => {
    const columns = [column("t", "text"), column("j", "json"), column("n", "number"), column("b", "boolean"), column("x", "text")];
    const line = jsonLine(columns, ['=1 "q"\n\u0007é', '{"a": 5.0, "b": [1]}', "0.10", "true", null]);
    expect(line).toBe(`{"t":${JSON.stringify('=1 "q"\n\u0007é')},"j":{"a": 5.0, "b": [1]},"n":0.10,"b":true,"x":null}\n`);
  });

  it.each([
    ["9007199254740991", "9007199254740991"],
    ["9007199254740993", '"9007199254740993"'],
    ["-9007199254740993", '"-9007199254740993"'],
    ["NaN", '"NaN"'],
  ])("write the number %s as %s", (value, written) => {
    expect(jsonLine(number, [value])).toBe(`{"n":${written}}\n`);
  });
});
