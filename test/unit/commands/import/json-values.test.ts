import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { splitJson } from "../../../../collector/commands/import/json-values.ts";

async function* inPieces(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text, "utf8");
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Stands for a value that is no object. */
const NONE = "no object";

async function split(text: string, size = 7): Promise<{ value: unknown; line: number }[]> {
  const found: { value: unknown; line: number }[] = [];
  for await (const { bytes, line } of splitJson(inPieces(text, size)))
    found.push({ value: bytes === undefined ? NONE : JSON.parse(bytes.toString("utf8")), line });
  return found;
}

const values = async (text: string, size?: number): Promise<unknown[]> => (await split(text, size)).map(({ value }) => value);

describe("the objects of a file", () => {
  const objects = [{ a: 1 }, { b: { c: [{}, "}"] } }, { 'quo"te': "\\" }, {}];
  it.each([
    ["one per line", objects.map((each) => JSON.stringify(each)).join("\n")],
    ["one after the other", objects.map((each) => JSON.stringify(each)).join("")],
    ["spread over lines", objects.map((each) => JSON.stringify(each, null, 2)).join("\n\n")],
    ["in an array", JSON.stringify(objects)],
    ["in an array over lines", JSON.stringify(objects, null, 2)],
    ["after a byte order mark, with Windows line ends", `\uFEFF${objects.map((each) => JSON.stringify(each)).join("\r\n")}\r\n`],
  ])("are found %s", async (_, text) => {
    for (const size of [1, 2, 5, 1000]) expect(await values(text, size)).toEqual(objects);
  });

  it("are found whatever they hold and however the stream is cut", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue())),
        fc.integer({ min: 1, max: 64 }),
        async (given, size) => {
          const expected = given.map((each) => JSON.parse(JSON.stringify(each)) as unknown);
          expect(await values(given.map((each) => JSON.stringify(each)).join("\n"), size)).toEqual(expected);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("know the line they begin at", async () => {
    expect((await split('{"a":1}\n\n{\n"b":2}\n{"c":3}')).map(({ line }) => line)).toEqual([1, 3, 5]);
  });

  it("are given as far as they go when the file is cut, for their reader to refuse", async () => {
    const found: string[] = [];
    for await (const { bytes } of splitJson(inPieces('{"a":1}{"b":', 3))) found.push(String(bytes));
    expect(found).toEqual(['{"a":1}', '{"b":']);
  });

  it("are told apart from what is none, each by its line", async () => {
    for (const size of [1, 3, 100]) {
      expect(await values('1 "text {}" null [1, "}"] {"a": 1}', size)).toEqual([NONE, NONE, NONE, NONE, NONE, { a: 1 }]);
      expect(await values('[1,2,"x \\" y",null]', size)).toEqual([NONE, NONE, NONE, NONE]);
      expect(await split('{"a":1}\n-1.5e3\n[\ntrue]', size)).toEqual([
        { value: { a: 1 }, line: 1 },
        { value: NONE, line: 2 },
        { value: NONE, line: 4 },
      ]);
    }
  });

  it("are found behind a quote that nothing closes", async () => {
    expect(await values('5" long\n{"a":1}', 4)).toEqual([NONE, NONE, { a: 1 }]);
  });

  it.each(["", " \n", "[]", "\uFEFF"])("are none in %j", async (text) => {
    expect(await values(text)).toEqual([]);
  });
});
