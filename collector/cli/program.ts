import { Command, CommanderError } from "commander";
import { addDemo } from "./demo.ts";
import { addDoctor } from "./doctor.ts";
import { addExport } from "./export.ts";
import { addGeneration } from "./generation.ts";
import { addImage } from "./image.ts";
import { addImport } from "./import.ts";
import { addItem } from "./item.ts";
import { addKey } from "./key.ts";
import { addMap } from "./map.ts";
import { addMigrate } from "./migrate.ts";
import { type CliInput, withExamples } from "./options.ts";
import { addRun } from "./run.ts";
import { addServe } from "./serve.ts";
import { addSql } from "./sql.ts";
import { addValidate } from "./validate.ts";

/** The command line: one file per noun. Throws CommanderError for wrong usage, CommandError and SetupError for what went wrong. */
export function createProgram(input: CliInput): Command {
  const program = new Command("genspan")
    .description("Telemetry backend for generative-AI software: OpenTelemetry in, committed PostgreSQL rows out.")
    .version(input.version)
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({ writeOut: (text) => void input.terminal.write(text), writeErr: (text) => input.terminal.note(text.trimEnd()) });
  withExamples(program, "genspan demo", "genspan serve", "genspan doctor", "genspan sql 'select count(*) from generation_logs'");
  for (const add of [addServe, addDemo, addValidate, addMigrate, addDoctor, addSql, addKey, addMap, addGeneration, addItem, addRun, addImage, addExport, addImport])
    add(program, input);
  return program;
}

/** What commander throws: help and version (exit code 0), or a command line that is wrong. */
export const isUsageError = (error: unknown): error is CommanderError => error instanceof CommanderError;
