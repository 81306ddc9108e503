import { Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { csvLine } from "../../../collector/cli/csv.ts";
import { displayWidth, padToWidth, truncateToWidth } from "../../../collector/cli/display-width.ts";
import { type OutputFormat, writeResult } from "../../../collector/cli/output.ts";
import { type Cell, type ResultSet, resultSet } from "../../../collector/cli/result-set.ts";
import { BrokenPipe, createTerminal } from "../../../collector/cli/terminal.ts";

const sink = () => {
  let text = "";
  const stream = new Writable({
    write(chunk: Buffer, _, done) {
      text += chunk.toString();
      done();
    },
  });
  return { stream, text: () => text };
};

async function written(result: ResultSet, format: OutputFormat): Promise<string> {
  const out = sink();
  await writeResult(result, format, createTerminal(out.stream, sink().stream));
  return out.text();
}

const inBatches = (columns: string[], ...batches: Cell[][][]): ResultSet => ({
  columns,
  batches: (async function* () {
    yield* batches;
  })(),
});

describe("the width of text in a terminal", () => {
  it.each([
    ["plain", 5],
    ["naïve", 5],
    ["e\u0301", 1],
    ["日本語", 6],
    ["한국어", 6],
    ["ﾊﾝｶｸ", 4],
    ["ＡＢ", 4],
    ["🎉", 2],
    ["👩‍👩‍👧‍👦", 2],
    ["🇩🇪", 2],
    ["❤️", 2],
    ["\u200b", 0],
    ["", 0],
  ])("%j takes %d columns", (text, width) => {
    expect(displayWidth(text)).toBe(width);
  });

  it("cuts between characters and never beyond the limit", () => {
    expect(truncateToWidth("abcdef", 4)).toBe("abc…");
    expect(truncateToWidth("日本語", 4)).toBe("日…");
    expect(truncateToWidth("日本", 4)).toBe("日本");
    expect(truncateToWidth("👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦", 5)).toBe("👩‍👩‍👧‍👦👩‍👩‍👧‍👦…");
  });

  it("pads to the same width on either side", () => {
    expect(padToWidth("日", 4)).toBe("日  ");
    expect(padToWidth("12", 4, true)).toBe("  12");
  });
});

describe("CSV", () => {
  it("quotes what RFC 4180 wants quoted and ends lines with CRLF", () => {
    expect(csvLine(["a", "b,c", 'say "x"', "two\nlines", ""])).toBe('a,"b,c","say ""x""","two\nlines",\r\n');
  });

  it.each(["=1+1", "+cmd", "-cmd", "@SUM(A1)", "\tx", "\rx"])("neutralises %j, which a spreadsheet would run", (text) => {
    expect(csvLine([text])).toMatch(/^"?'/);
  });

  it.each(["-1", "+2.5", "-1e-9", "12"])("leaves the number %s a number", (text) => {
    expect(csvLine([text])).toBe(`${text}\r\n`);
  });
});

describe("results", () => {
  const rows: Cell[][] = [
    ["日本", "9007199254740993", null],
    ["plain", "7", { json: '{"a": 1.0}' }],
  ];

  it.each([
    [0.9781746031746031, "0.978175"],
    [1270.873344, "1270.87"],
    [1_234_567.891, "1234568"],
    [6.452910127147698e-14, "6.45291e-14"],
    [-0.5, "-0.5"],
    [9_007_199_254_740_991, "9007199254740991"],
    ["0.12345678901234567890", "0.12345678901234567890"],
  ])("as a table %s is %s; other forms give every digit", async (value, shown) => {
    expect((await written(resultSet(["n"], [[value]]), "table")).split("\n")[1]?.trim()).toBe(shown);
    expect(await written(resultSet(["n"], [[value]]), "jsonl")).toBe(`{"n":${JSON.stringify(value)}}\n`);
  });

  it("as a table, CJK aligned, numbers to the right, nothing for NULL", async () => {
    expect(await written(resultSet(["name", "count", "data"], rows), "table")).toBe(
      ["name              count  data", "日本   9007199254740993", 'plain                 7  {"a": 1.0}', ""].join("\n"),
    );
  });

  it("as JSON: an array of objects, exact numbers as text, JSON as the database wrote it", async () => {
    const text = await written(resultSet(["name", "count", "data"], rows), "json");
    expect(text).toContain('"data":{"a": 1.0}');
    expect(JSON.parse(text)).toEqual([
      { name: "日本", count: "9007199254740993", data: null },
      { name: "plain", count: "7", data: { a: 1 } },
    ]);
  });

  it("as JSON tells numbers that are none by their names, and keeps them apart from what is unknown", async () => {
    const numbers = resultSet(["a", "b", "c"], [[Number.NaN, Number.NEGATIVE_INFINITY, null]]);
    expect(JSON.parse(await written(numbers, "json"))).toEqual([{ a: "NaN", b: "-Infinity", c: null }]);
  });

  it("as JSON also without rows and over several batches", async () => {
    expect(JSON.parse(await written(resultSet(["n"], []), "json"))).toEqual([]);
    expect(JSON.parse(await written(inBatches(["n"], [[1]], [[2], [3]]), "json"))).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
  });

  it("as JSON lines, each a whole object whatever the text holds", async () => {
    const lines = (await written(resultSet(["t"], [["a\nb\u2028"], ["c"]]), "jsonl")).trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toEqual([{ t: "a\nb\u2028" }, { t: "c" }]);
  });

  it("keeps both of two columns with one name", async () => {
    expect(JSON.parse(await written(resultSet(["n", "n"], [[1, 2]]), "json"))).toEqual([{ n: 1, n_2: 2 }]);
  });

  it("shows arrays as JSON, nested ones too", async () => {
    expect(await written(resultSet(["a"], [[["x", [null, "y"]]]]), "csv")).toBe('a\r\n"[""x"",[null,""y""]]"\r\n');
  });

  it("lets no text steer the terminal: escapes, bells and direction marks are not passed on", async () => {
    const text = await written(resultSet(["t"], [["\u001b[31mred\u0007 \u202egnp.exe\u0000"]]), "table");
    for (const control of ["\u001b", "\u0007", "\u202e", "\u0000"]) expect(text).not.toContain(control);
    expect(text).toContain("[31mred");
  });

  it("shows a text of a megabyte as one short line of a table, and whole in JSON", async () => {
    const huge = "x".repeat(1_000_000);
    expect((await written(resultSet(["t"], [[huge]]), "table")).length).toBeLessThan(300);
    expect(JSON.parse(await written(resultSet(["t"], [[huge]]), "json"))[0].t).toHaveLength(1_000_000);
  });

  it("ends quietly when the reader goes away", async () => {
    const gone = new Writable({
      write(_, __, done) {
        done(Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
      },
    });
    const terminal = createTerminal(gone, sink().stream);
    const endless = inBatches(["n"], ...Array.from({ length: 50 }, () => [[1]]));
    const ended = (async () => {
      for await (const batch of endless.batches) {
        await terminal.write(JSON.stringify(batch));
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    await expect(ended).rejects.toBeInstanceOf(BrokenPipe);
  });
});
