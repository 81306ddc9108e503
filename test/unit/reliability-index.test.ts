import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { caseIdsOf, readCaseIds, readListedCases } from "../support/reliability-cases.ts";
import { repositoryRoot, sourceFiles } from "../support/source-files.ts";

const markdown = readFileSync(join(repositoryRoot, "docs/reliability.md"), "utf8");
const listed = readListedCases(markdown);
const idsByFile = new Map(sourceFiles("test", ".test.ts").map((file) => [file.path, caseIdsOf(file)]));

/** Areas of which every case of priority 0 and 1 is in the table. */
const AREAS = new Set(
  "payload-text ids time size-shape http idempotency schema database-fault process-fault spool-memory ops sdk auth tenant query admin-api".split(
    " ",
  ),
);
/** The catalogue of cases is no part of the repository. */
const CATALOGUE = join(repositoryRoot, "../shared/reference/reliability-cases.csv");

describe("docs/reliability.md", () => {
  it("lists each case once, with its tests or the reason why it has none yet", () => {
    expect(listed.length).toBeGreaterThan(80);
    expect(markdown.match(/^\| [A-Z]{3}-\d/gm)).toHaveLength(listed.length);
    expect(new Set(listed.map(({ id }) => id)).size).toBe(listed.length);
    expect(listed.filter(({ files, later }) => (files.length === 0) !== (later !== undefined))).toEqual([]);
  });

  it("names test files that have a test by that id", () => {
    const claims = listed.flatMap(({ id, files }) => files.map((file) => ({ id, file })));
    expect(claims.length).toBeGreaterThan(80);
    expect(claims.filter(({ id, file }) => idsByFile.get(file)?.has(id) !== true)).toEqual([]);
  });

  it("leaves no case for later that has a test", () => {
    const tested = new Set([...idsByFile.values()].flatMap((ids) => [...ids]));
    expect(listed.filter(({ id, later }) => later !== undefined && tested.has(id)).map(({ id }) => id)).toEqual([]);
  });

  it("names the cases that are scaled down, each with a test that tells the long run from the short one", () => {
    const [, named = ""] = /in full in `npm run test:long`: ([^.]+)\./.exec(markdown) ?? [];
    const scaled = named.match(/[A-Z]{3}-\d{2}/g) ?? [];
    expect(scaled.length).toBeGreaterThan(10);
    const tellsApart = (file: string): boolean => readFileSync(join(repositoryRoot, file), "utf8").includes("GENSPAN_TEST_LONG");
    expect(scaled.filter((id) => listed.find((each) => each.id === id)?.files.some(tellsApart) !== true)).toEqual([]);
  });

  it.skipIf(!existsSync(CATALOGUE))("has every case of priority 0 and 1 of its areas (skipped: the catalogue of cases is not here)", () => {
    const catalogue = readCaseIds(readFileSync(CATALOGUE, "utf8")).filter(({ area, priority }) => AREAS.has(area) && priority <= "P1");
    expect(catalogue.length).toBeGreaterThan(80);
    const known = new Map(listed.map(({ id, area, priority }) => [id, { id, area, priority }]));
    expect(catalogue.filter(({ id }) => !known.has(id)).map(({ id }) => id)).toEqual([]);
    expect(catalogue.map(({ id }) => known.get(id))).toEqual(catalogue);
  });
});

describe("the reader of test names", () => {
  const ids = (text: string): string[] => [...caseIdsOf({ path: "test/x.test.ts", text })];

  it("finds ids at the beginning of names, in templates and in rows of it.each", () => {
    expect(ids('it("TIM-03 TIM-04 exact", () => {});')).toEqual(["TIM-03", "TIM-04"]);
    expect(ids("it(`SIZ-16 ${n} mutations`, () => {});")).toEqual(["SIZ-16"]);
    expect(ids('it.each([["HTP-05 H8 truncated", 1]])("%s is refused", () => {});')).toEqual(["HTP-05"]);
    expect(ids('it("H12 SIZ-13 %s", () => {});')).toEqual(["SIZ-13"]);
  });

  it("does not take ids in comments or in the middle of a text for names", () => {
    expect(ids('// ENC-01 is elsewhere\nit("works, see ENC-02", () => {});')).toEqual([]);
  });
});
