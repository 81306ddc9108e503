import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { type ArchivedRow, appendRows, archivePath, readRows, removeRows } from "../../../../collector/jobs/archive/archive-file.ts";

const folder = mkdtempSync(join(tmpdir(), "genspan-archive-"));
const path = archivePath(folder, 1, "2026-11-01");
/** Of text that does not compress well. */
const row = (n: number, chars = 3_000): ArchivedRow => ({
  table: "spans",
  project_id: 1,
  key: { n: String(n) },
  about: { trace_id: null, span_id: null },
  columns: { attributes: Array.from({ length: chars }, (_, i) => ((i * 7919 * (n + 1)) % 9973).toString(36)).join("é") },
});
const numbers = async (): Promise<number[]> => {
  const found: number[] = [];
  for await (const { key } of readRows(path)) found.push(Number(key["n"]));
  return found;
};

describe("a file of the archive", () => {
  beforeEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("is ordinary gzip of JSON lines", async () => {
    appendRows(path, [row(1), row(2)]);
    appendRows(path, [row(3)]);
    const lines = gunzipSync(readFileSync(path)).toString().trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([row(1), row(2), row(3)]);
    expect(await numbers()).toEqual([1, 2, 3]);
  });

  it("gives every text back as it was, whatever ends a line elsewhere, and however long it is", async () => {
    const texts = ["a\u2028b\u2029c", "a\r\nb\rc\u0085d\u000be\u000cf", "\u0000 \ud83d\ude00 \ufeff", "x".repeat(300_000), ""];
    const rows = texts.map((text, n) => ({ ...row(n), columns: { text } }));
    appendRows(path, rows);
    const found: unknown[] = [];
    for await (const each of readRows(path)) found.push(each);
    expect(found).toEqual(rows);
    expect(await removeRows(path, ({ columns }) => columns["text"] === texts[0])).toBe(1);
    expect(await numbers()).toEqual([1, 2, 3, 4]);
  });

  it("loses nothing that was written in full, wherever a crash cut the rest off, and takes more afterwards", async () => {
    appendRows(path, [row(1), row(2)]);
    const whole = statSync(path).size;
    appendRows(path, [row(3)]);
    const bytes = readFileSync(path);
    for (const cutAt of [whole, whole + 1, whole + 15, whole + 400, bytes.length - 21, bytes.length - 1]) {
      writeFileSync(path, bytes.subarray(0, cutAt));
      expect(await numbers()).toEqual([1, 2]);
      appendRows(path, [row(4)]);
      appendRows(path, [row(5)]);
      expect(await numbers()).toEqual([1, 2, 4, 5]);
    }
  });

  it("has no rows where a crash cut its very first bytes off, and takes more afterwards", async () => {
    appendRows(path, [row(1)]);
    for (const bytes of [0, 5, 20, 60]) {
      truncateSync(path, bytes);
      expect(await numbers()).toEqual([]);
      appendRows(path, [row(2)]);
      expect(await numbers()).toEqual([2]);
    }
  });

  it("is searched for its last whole row beyond a megabyte of what was cut off", async () => {
    appendRows(path, [row(1)]);
    appendFileSync(path, gzipSync(JSON.stringify(row(2, 2_000_000))).subarray(0, -9));
    expect(await numbers()).toEqual([1]);
  });

  it("of an earlier version, without marks, is read as far as it goes and goes on with them", async () => {
    appendRows(path, [row(0)]);
    const old = gzipSync(`${JSON.stringify(row(1))}\n`);
    writeFileSync(path, old);
    expect(await numbers()).toEqual([1]);
    appendRows(path, [row(2)]);
    appendFileSync(path, old.subarray(0, 50));
    expect(await numbers()).toEqual([1, 2]);
  });

  it("PRV-01 keeps nothing of removed rows, neither in what a crash cut off nor in a copy that it left", async () => {
    appendRows(path, [row(1)]);
    const whole = statSync(path).size;
    appendRows(path, [row(2)]);
    truncateSync(path, whole + 400);
    writeFileSync(`${path}.new`, gzipSync(JSON.stringify(row(2))));
    expect(await removeRows(path, ({ key }) => key["n"] === "2")).toBe(0);
    expect([statSync(path).size, existsSync(`${path}.new`)]).toEqual([whole, false]);
    appendRows(path, [row(3)]);
    expect(await removeRows(path, ({ key }) => key["n"] === "1")).toBe(1);
    expect(await numbers()).toEqual([3]);
    expect(await removeRows(path, () => true)).toBe(1);
    expect(existsSync(path)).toBe(false);
  });
});
