import { Command, CommanderError } from "commander";
import { addAlert } from "./alert.ts";
import { addCompletion } from "./completion.ts";
import { addConfig } from "./config.ts";
import { addDemo } from "./demo.ts";
import { addDoctor } from "./doctor.ts";
import { addErase } from "./erase.ts";
import { addExport } from "./export.ts";
import { addGeneration } from "./generation.ts";
import { addImage } from "./image.ts";
import { addImport } from "./import.ts";
import { addItem } from "./item.ts";
import { addKey } from "./key.ts";
import { addMap } from "./map.ts";
import { addMigrate } from "./migrate.ts";
import { addOpen } from "./open.ts";
import { type CliInput, withExamples } from "./options.ts";
import { addProject } from "./project.ts";
import { addPrompt } from "./prompt.ts";
import { addArchive, addPrune } from "./prune.ts";
import { addReview } from "./review.ts";
import { addRun } from "./run.ts";
import { addServe } from "./serve.ts";
import { addSql } from "./sql.ts";
import { addTail } from "./tail.ts";
import type { Tone } from "./terminal.ts";
import { addTrace } from "./trace.ts";
import { addUsage } from "./usage.ts";
import { addValidate } from "./validate.ts";

/** The command line: one file per noun. Throws CommanderError for wrong usage, CommandError and SetupError for what went wrong. */
export function createProgram(input: CliInput): Command {
  const program = new Command("genspan")
    .description("Telemetry backend for generative-AI software: OpenTelemetry in, committed PostgreSQL rows out.")
    .version(input.version)
    .option("--no-color", "no colours; NO_COLOR=1 says the same")
    .option("-q, --quiet", "data and errors alone, no notes")
    .option("-v, --verbose", "also requests, and where errors come from")
    .option("--no-input", "ask nothing: what needs a yes ends with 2 unless --yes is given")
    .option("--profile <name>", "settings of that name in ./genspan.config.json or ~/.config/genspan/config.json; else GENSPAN_PROFILE")
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({ writeOut: (text) => void input.terminal.write(text), writeErr: (text) => input.terminal.note(text.trimEnd()) });
  program.hook("preAction", () => input.terminal.tone?.(toneOf(program.opts<GlobalFlags>())));
  // What runs a collector has a configuration of its own, and takes no address from the settings of commands.
  for (const add of [addServe, addDemo, addValidate, addDoctor, addMap, addCompletion, addConfig]) add(program, input);
  const { settings } = input;
  const asking = settings === undefined ? input : { ...input, env: settings.env };
  withExamples(program, "genspan demo", "genspan serve", "genspan doctor", "genspan sql 'select count(*) from generation_logs'");
  for (const add of [
    addMigrate,
    addSql,
    addKey,
    addGeneration,
    addReview,
    addTrace,
    addPrompt,
    addUsage,
    addItem,
    addRun,
    addImage,
    addExport,
    addImport,
    addErase,
    addAlert,
    addTail,
    addPrune,
    addProject,
    addArchive,
    addOpen,
  ])
    add(program, asking);
  program.hook("preAction", (_, action) => {
    if (settings?.fault !== undefined && !OWN_CONFIGURATION.has(topOf(action, program))) throw settings.fault;
  });
  return program;
}

const OWN_CONFIGURATION: ReadonlySet<string> = new Set(["serve", "demo", "validate", "doctor", "map", "completion"]);

/** The name of the command right below the program. */
function topOf(command: Command, program: Command): string {
  let top = command;
  while (top.parent !== null && top.parent !== program) top = top.parent;
  return top.name();
}

interface GlobalFlags {
  readonly color: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly input: boolean;
}

const toneOf = ({ color, quiet = false, verbose = false, input }: GlobalFlags): Tone => ({
  ...(color ? {} : { color }),
  quiet,
  verbose,
  input,
});

/** What commander throws: help and version (exit code 0), or a command line that is wrong. */
export const isUsageError = (error: unknown): error is CommanderError => error instanceof CommanderError;
