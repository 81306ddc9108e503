import { describe, expect, it } from "vitest";
import { CommandError, EXIT } from "../../../collector/cli/exit-codes.ts";
import { checkServer, failure } from "../../../collector/doctor/database.ts";
import type { ServerFacts } from "../../../collector/query/server-facts.ts";

const NOW = 1_800_000_000_000;
const SOUND: ServerFacts = {
  versionNumber: 150_004,
  version: "15.4",
  nowMillis: NOW,
  schemaVersion: 7,
  role: "writer",
  mayCreateTables: true,
  readOnly: false,
  foreignTable: undefined,
};

const failed = (change: Partial<ServerFacts>) =>
  [...checkServer({ ...SOUND, ...change }, { schemaVersion: 7, nowMillis: NOW })].filter((check) => !check.ok);

describe("the doctor's look at a database", () => {
  it("finds nothing at a sound one", () => {
    expect(failed({})).toEqual([]);
    expect(failed({ nowMillis: NOW + 4_900 })).toEqual([]);
  });

  it.each<[string, Partial<ServerFacts>, string, RegExp]>([
    ["a server that is too old", { versionNumber: 140_011, version: "14.11" }, "database", /14\.11.*15 or newer.*DATABASE_URL/],
    ["a schema that was never made", { schemaVersion: 0 }, "schema", /genspan migrate/],
    ["a schema of a newer genspan", { schemaVersion: 8 }, "schema", /newer genspan/],
    ["tables of another role", { foreignTable: "spans" }, "rights", /spans.*"writer".*owner/],
    ["no right to make partitions", { mayCreateTables: false }, "rights", /GRANT CREATE/],
    ["a database that is set to read only", { readOnly: true }, "rights", /may only read.*primary.*default_transaction_read_only to off/],
    ["a clock that runs ahead", { nowMillis: NOW + 61_000 }, "clock", /61\.0 s ahead of.*NTP/],
    ["a clock that runs behind", { nowMillis: NOW - 7_250 }, "clock", /7\.3 s behind.*NTP/],
  ])("names %s and says what to do", (_, change, name, detail) => {
    const [check, ...others] = failed(change);
    expect(others).toEqual([]);
    expect(check).toMatchObject({ name, detail: expect.stringMatching(detail) });
  });

  it("keeps the exit code of what could not be reached", () => {
    expect(failure("database", new CommandError(EXIT.unreachable, "No database runs: start it."))).toEqual({
      name: "database",
      ok: false,
      detail: "No database runs: start it.",
      exitCode: EXIT.unreachable,
    });
    expect(failure("database", new Error("no")).exitCode).toBe(EXIT.failure);
  });
});
