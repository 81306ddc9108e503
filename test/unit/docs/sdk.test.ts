import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { repositoryRoot } from "../../support/source-files.ts";

const guide = readFileSync(join(repositoryRoot, "docs/sdk.md"), "utf8");
const folder = join(repositoryRoot, "examples");
const examples = readdirSync(folder)
  .filter((name) => name.endsWith(".ts"))
  .map((name) => readFileSync(join(folder, name), "utf8"));
const parts = guide.slice(guide.indexOf("## Runs"));
const blocks = Array.from(parts.matchAll(/```ts\n([\s\S]*?)```/g), ([, code = ""]) => code);

describe("docs/sdk.md", () => {
  it("quotes code of runs, items and images", () => expect(blocks.length).toBeGreaterThanOrEqual(6));

  it.each(blocks)("quotes the examples, which run: %s", (code) => {
    expect(examples.filter((example) => example.includes(code))).not.toEqual([]);
  });

  it("names every column that a run's calls count into as the SDK names it", async () => {
    const { createRunTally } = await import("../../../sdk/runs/run-tally.ts");
    const tally = createRunTally(1);
    tally.evaluated({ approved: true, score: 1 });
    const counted = Object.keys(tally.summary()).filter((name) =>
      /^(items|total|exact|semantic|insertion|generation_f|error)_?/.test(name),
    );
    expect(counted.filter((name) => name !== "items_requested" && !parts.includes(`\`${name}\``))).toEqual([]);
  });
});
