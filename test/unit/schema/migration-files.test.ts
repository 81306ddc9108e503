import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createdFunctions, createdRelations, loadMigrations, toMigration } from "../../../schema/migration-files.ts";

describe("loadMigrations", () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "genspan-migrations-"));
  });
  afterEach(() => rmSync(directory, { recursive: true }));
  const load = (...names: string[]) => {
    for (const name of names) writeFileSync(join(directory, name), "SELECT 1;\n");
    return loadMigrations(pathToFileURL(`${directory}/`));
  };

  it("gives the files in order of their numbers", () => {
    expect(load("0002_b.sql", "0001_a.sql", "README.md").map((migration) => migration.name)).toEqual(["0001_a.sql", "0002_b.sql"]);
  });

  it.each([
    ["a gap", ["0001_a.sql", "0003_c.sql"]],
    ["a number used twice", ["0001_a.sql", "0001_b.sql"]],
    ["a name without a number", ["first.sql"]],
  ])("refuses %s", (_, names) => {
    expect(() => load(...names)).toThrow(/expected number/);
  });

  it("finds the files of this version", () => {
    expect(loadMigrations().length).toBeGreaterThan(5);
  });
});

describe("toMigration", () => {
  it("has the same checksum whatever line ends the checkout made", () => {
    expect(toMigration(1, "0001_a.sql", "SELECT 1;\r\nSELECT 2;\r\n").checksum).toBe(
      toMigration(1, "0001_a.sql", "SELECT 1;\nSELECT 2;\n").checksum,
    );
  });

  it("has another checksum for another text", () => {
    expect(toMigration(1, "0001_a.sql", "SELECT 1;").checksum).not.toBe(toMigration(1, "0001_a.sql", "SELECT 2;").checksum);
  });
});

describe("createdRelations", () => {
  const migration = toMigration(
    1,
    "0001_a.sql",
    "CREATE TABLE t (id int);\nCREATE UNIQUE INDEX i ON t (id);\nCREATE VIEW v AS SELECT 1;\n-- CREATE TABLE x",
  );

  it("names tables, views and indexes", () => {
    expect(createdRelations(migration)).toEqual(["t", "i", "v"]);
  });

  it("names only the kinds asked for", () => {
    expect(createdRelations(migration, ["TABLE", "VIEW"])).toEqual(["t", "v"]);
  });
});

describe("createdFunctions", () => {
  it("names the functions that are made, whether or not they replace one", () => {
    const sql = "CREATE FUNCTION f() RETURNS int;\nCREATE OR REPLACE FUNCTION g(a int) RETURNS int;\nDROP FUNCTION h(int);";
    expect(createdFunctions(toMigration(1, "0001_a.sql", sql))).toEqual(["f", "g"]);
  });
});
