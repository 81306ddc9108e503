import { describe, expect, it } from "vitest";
import { spanIdsOf, uuidOf } from "../../../../collector/commands/import/row-ids.ts";

/** A file that was imported by an earlier release is found again by these ids: they must never change. */
describe("ids of imported things", () => {
  it.each<[string, string, unknown, unknown[]]>([
    ["381594f8-1d11-876b-8bcb-3905a078c57d", "run", "nightly", []],
    ["5094fd10-1a3f-8594-818e-9fab146a3175", "item", "algebra-7", ["2026-01-01"]],
    ["936792f4-0655-8773-8cfd-a9c2729ef144", "image", 12, [null]],
    ["6e27ab19-7f47-84ed-80d6-84114ec26b49", "item", undefined, []],
  ])("%s is that of the %s %j, the same in every release", (uuid, kind, id, more) => {
    expect(uuidOf(kind, id, ...more)).toBe(uuid);
  });

  it("are the file's own where those are uuids, in lower case", () => {
    expect(uuidOf("run", "0192F0C1-7E1A-7C3B-9D2E-5F6A7B8C9D0E")).toBe("0192f0c1-7e1a-7c3b-9d2e-5f6a7b8c9d0e");
  });

  it("of what was never a span are made of what it was", () => {
    expect(spanIdsOf("generation", "abc", 1)).toEqual({ trace_id: "3408b77a2d729265d145c6f7810171c6", span_id: "cb9771f8ba0c386f" });
  });
});
