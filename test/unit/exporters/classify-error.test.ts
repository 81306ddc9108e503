import { describe, expect, it } from "vitest";
import { classifyError, type ErrorKind, sqlstateOf } from "../../../collector/exporters/postgres/classify-error.ts";

const CASES: readonly (readonly [code: string, kind: ErrorKind, what: string])[] = [
  ["23505", "duplicate", "unique violation"],
  ["21000", "duplicate", "a row hit twice by one ON CONFLICT"],
  ["22P02", "data", "invalid text representation"],
  ["22P05", "data", "untranslatable character"],
  ["22021", "data", "character not in repertoire"],
  ["22003", "data", "numeric value out of range"],
  ["23502", "data", "not-null violation"],
  ["23514", "data", "check violation"],
  ["44000", "data", "with check option violation"],
  ["54000", "data", "index row too large"],
  ["P0001", "data", "a trigger raises"],
  ["40001", "retry", "serialization failure"],
  ["40P01", "retry", "deadlock"],
  ["55P03", "retry", "lock not available"],
  ["57014", "retry", "statement timeout"],
  ["26000", "retry", "prepared statement lost"],
  ["25P02", "retry", "in a failed transaction"],
  ["25006", "outage", "read-only"],
  ["08006", "outage", "connection failure"],
  ["53100", "outage", "disk full"],
  ["53200", "outage", "out of memory"],
  ["53300", "outage", "too many connections"],
  ["54001", "outage", "statement too complex"],
  ["57P01", "outage", "admin shutdown"],
  ["57P03", "outage", "cannot connect now"],
  ["58030", "outage", "I/O error"],
  ["XX000", "outage", "internal error"],
  ["F0000", "outage", "a class that nothing is known of"],
  ["42P01", "setup", "undefined table"],
  ["42501", "setup", "insufficient privilege"],
  ["28P01", "setup", "invalid password"],
  ["3D000", "setup", "no such database"],
  ["0A000", "setup", "feature not supported"],
];

describe("an error of the database", () => {
  it.each(CASES)("%s is %s: %s", (code, kind) => {
    expect(classifyError({ code })).toBe(kind);
  });

  it.each(["ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT"])("%s of the network is an outage and no SQLSTATE", (code) => {
    expect(classifyError({ code })).toBe("outage");
    expect(sqlstateOf({ code })).toBeUndefined();
  });

  it.each([[new Error("Connection terminated unexpectedly")], [undefined], ["text"], [{ code: 7 }]])(
    "without a code (%s) is an outage",
    (error) => {
      expect(classifyError(error)).toBe("outage");
    },
  );

  it("of a row without a partition speaks of the table, not of the row", () => {
    expect(classifyError({ code: "23514", routine: "ExecFindPartition" })).toBe("setup");
    expect(classifyError({ code: "23514", routine: "ExecConstraints" })).toBe("data");
  });
});
