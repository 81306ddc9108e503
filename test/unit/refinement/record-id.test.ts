import { describe, expect, it } from "vitest";
import { recordUuid } from "../../../collector/refinement/record-id.ts";

/** Rows that were stored under these ids are found by them: they must never change. */
describe("the id of a record that telemetry brought", () => {
  it.each([
    ["1/run/nightly", "3eaeb08f-e55c-8018-87af-472cbade0829"],
    ["1/item/algebra-7", "e009c1f0-33ad-8bcf-9d1e-bf9725b5dbb8"],
    ["2/image/Ärger 🙂", "f1edd1bd-b543-860a-a469-9618117e82c0"],
    ["e", "3f79bb7b-435b-8532-9651-daefd374cdc6"],
  ])("is made of %s alone, the same in every release", (text, id) => {
    expect(recordUuid(undefined, text)).toBe(id);
    expect(recordUuid("algebra-7", text)).toBe(id);
  });

  it("is the application's own where that is a uuid, in lower case", () => {
    expect(recordUuid("0192F0C1-7E1A-7C3B-9D2E-5F6A7B8C9D0E", "1/run/nightly")).toBe("0192f0c1-7e1a-7c3b-9d2e-5f6a7b8c9d0e");
  });

  it.each([
    "0192f0c17e1a7c3b9d2e5f6a7b8c9d0e",
    "{0192f0c1-7e1a-7c3b-9d2e-5f6a7b8c9d0e}",
    "0192f0c1-7e1a-7c3b-9d2e-5f6a7b8c9d0e\n",
    "",
    7,
    null,
  ])("is made of the text where the application's %j is no uuid", (given) => {
    expect(recordUuid(given, "e")).toBe("3f79bb7b-435b-8532-9651-daefd374cdc6");
  });
});
