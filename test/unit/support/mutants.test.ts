import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { MUTANTS } from "../../support/mutants/catalogue.ts";
import { switchOff } from "../../support/mutants/mutant.ts";
import { verdictOn } from "../../support/mutants/run-tests.ts";
import { repositoryRoot } from "../../support/source-files.ts";

const read = (path: string): string => readFileSync(join(repositoryRoot, path), "utf8");

describe("the rules that npm run test:mutants switches off", () => {
  it("are many, each told apart by its sentence", () => {
    expect(MUTANTS.length).toBeGreaterThan(30);
    expect(new Set(MUTANTS.map(({ rule }) => rule)).size).toBe(MUTANTS.length);
  });

  it.each(MUTANTS)("$caseId: the edit against '$rule' fits its source", (mutant) => {
    const text = read(mutant.file);
    expect(switchOff(text, mutant)).not.toBe(text);
  });

  it.each(MUTANTS)("$caseId: the test of '$rule' is in its file", ({ test }) => {
    expect(read(test.file)).toContain(test.name);
  });

  it("are the table in docs/reliability.md", () => {
    const rows = [...read("docs/reliability.md").matchAll(/^\| ([^|]+) \| ([^|]+) \| `([^`]+)` \| yes \|$/gm)].map((row) => row.slice(1));
    expect(rows).toEqual(MUTANTS.map(({ rule, caseId, test }) => [rule, caseId, test.file]));
  });
});

describe("an edit", () => {
  const edit = { file: "a.ts", before: "if (bad) return;", after: "$&" };

  it("replaces its text, whatever the new one looks like", () => {
    expect(switchOff("one(); if (bad) return; two();", edit)).toBe("one(); $& two();");
  });

  it.each(["nothing of the kind", "if (bad) return; if (bad) return;"])("is refused where it does not fit in one place: %s", (text) => {
    expect(() => switchOff(text, edit)).toThrow("a.ts");
  });
});

describe("a verdict", () => {
  const of = (...results: [string, string][]) =>
    verdictOn(
      { file: "test/unit/x.test.ts", name: "ENC-01 NUL" },
      {
        testResults: [
          { name: "/tmp/copy/test/unit/x.test.ts", assertionResults: results.map(([title, status]) => ({ title, status })) },
          { name: "/tmp/copy/test/unit/other.test.ts", assertionResults: [{ title: "ENC-01 NUL", status: "failed" }] },
        ],
      },
    );

  it("is the test's own, however many others there are", () => {
    expect(of(["ENC-01 NUL becomes U+FFFD", "passed"], ["ENC-02", "failed"])).toBe("passed");
    expect(of(["ENC-01 NUL becomes U+FFFD", "passed"], ["ENC-01 NUL in a prompt", "failed"])).toBe("failed");
  });

  it("is missing where the test did not run", () => {
    expect(of(["ENC-02", "failed"])).toBe("missing");
    expect(of(["ENC-01 NUL becomes U+FFFD", "skipped"])).toBe("missing");
  });
});
