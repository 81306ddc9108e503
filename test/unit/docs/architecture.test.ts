import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { repositoryRoot } from "../../support/source-files.ts";

const read = (path: string): string => readFileSync(join(repositoryRoot, path), "utf8");
const folders = readdirSync(join(repositoryRoot, "collector"), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

describe("docs/architecture.md", () => {
  it("tells what each folder of the collector is, and of none that there is not", () => {
    const cells = [...read("docs/architecture.md").matchAll(/^\| ((?:`\w+`(?:, )?)+) \|/gm)].map(([, cell]) => cell!);
    const told = cells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name!));
    expect(folders.length).toBeGreaterThan(15);
    expect(told.toSorted()).toEqual(folders.toSorted());
  });
});

describe("the decision records", () => {
  it("name no file of the collector at its top that there is not", () => {
    const files = new Set(readdirSync(join(repositoryRoot, "collector")));
    const named = [...read("docs/decisions/0001-layout.md").matchAll(/`(\w+(?:-\w+)*\.ts)`/g)].map(([, name]) => name!);
    expect(named.length).toBeGreaterThan(2);
    expect(named.filter((name) => !files.has(name))).toEqual([]);
  });
});
