import { describe, expect, it } from "vitest";
import { SetupError } from "../../../collector/base/setup-error.ts";
import { CommandError, EXIT } from "../../../collector/cli/exit-codes.ts";
import { explain } from "../../../collector/cli/explain.ts";
import { BrokenPipe } from "../../../collector/cli/terminal.ts";
import { ConfigError } from "../../../collector/config/index.ts";
import { SchemaError } from "../../../schema/schema-error.ts";

function explained(error: unknown): { code: number; told: string } {
  const told: string[] = [];
  const terminal = { interactive: false, style: (_: string, text: string) => text, note: (text: string) => void told.push(text) };
  const code = explain(error, { ...terminal, write: async () => {} });
  return { code, told: told.join("\n") };
}

const fromServer = Object.assign(new Error("cannot execute INSERT in a read-only transaction"), { name: "PostgresError", code: "25006" });

describe("what a person is told when a command fails", () => {
  it.each([
    ["a set-up fault", new SetupError("The port is taken: stop the other program."), EXIT.failure],
    ["a fault of the schema", new SchemaError("the server is too old: use a newer one"), EXIT.failure],
    ["faults of the configuration, a line each", new ConfigError(["invalid configuration: a", "invalid configuration: b"]), EXIT.failure],
    ["a command's own end", new CommandError(EXIT.notFound, "There is no such key."), EXIT.notFound],
  ])("%s: its message alone and its exit code", (_, error, code) => {
    expect(explained(error)).toEqual({ code, told: error.message });
  });

  it("a refusal of the database: its code and its word", () => {
    expect(explained(fromServer)).toEqual({
      code: 1,
      told: "The database refused (25006): cannot execute INSERT in a read-only transaction",
    });
  });

  it("nothing when only the reader of the output has gone", () => {
    expect(explained(new BrokenPipe("closed"))).toEqual({ code: EXIT.ok, told: "" });
  });

  it("a defect of the program: where it happened", () => {
    const { code, told } = explained(new TypeError("x is not a function"));
    expect(code).toBe(EXIT.failure);
    expect(told).toMatch(/x is not a function\n\s+at /);
  });
});
