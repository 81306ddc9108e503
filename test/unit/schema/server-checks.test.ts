import type { Sql } from "postgres";
import { describe, expect, it } from "vitest";
import { SchemaError } from "../../../schema/schema-error.ts";
import { checkServer } from "../../../schema/server-checks.ts";

const GOOD = { num: 150_004, version: "15.4", encoding: "UTF8", standby: false, lz4: true, database: "app", role: "writer" };
const server = (facts: Partial<typeof GOOD>): Sql => (async () => [{ ...GOOD, ...facts }]) as unknown as Sql;

describe("checkServer", () => {
  it("accepts PostgreSQL 15 with UTF8", async () => {
    await expect(checkServer(server({}))).resolves.toEqual({ database: "app", role: "writer", hasLz4: true });
  });

  it.each([
    ["a server before version 15", { num: 140_012, version: "14.12" }, /PostgreSQL 14\.12; genspan needs version 15/],
    ["SCH-10 a database that is not UTF8", { encoding: "SQL_ASCII" }, /encoding SQL_ASCII; genspan needs UTF8/],
    ["a read-only standby", { standby: true }, /read-only standby: point DATABASE_URL at the primary/],
  ])("refuses %s and says what to do", async (_, facts, sentence) => {
    const check = checkServer(server(facts));
    await expect(check).rejects.toThrow(SchemaError);
    await expect(check).rejects.toThrow(sentence);
  });
});
