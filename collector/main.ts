import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Host, StopSignals } from "./actions/host.ts";
import type { Actions } from "./cli/actions.ts";
import { EXIT } from "./cli/exit-codes.ts";
import { explain } from "./cli/explain.ts";
import { createProgram } from "./cli/program.ts";
import { profileFlag, readSettings } from "./cli/settings.ts";
import { createTerminal } from "./cli/terminal.ts";

const ROOT = join(import.meta.dirname, "..");

const PARENT_CHECK_MS = 500;

const terminal = createTerminal(process.stdout, process.stderr, process.stdin);
const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };

/** npm ends by SIGTERM without handing it on to what it runs: a supervisor that stops `npm start` still means us. */
function whenOrphaned(stop: () => void): void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    stop();
  }, PARENT_CHECK_MS);
  timer.unref();
}

function watchSignals(): StopSignals {
  const first = new AbortController();
  let warn = (): void => {};
  const onSignal = (): void => {
    if (first.signal.aborted) {
      warn();
      process.exit(EXIT.failure);
    }
    first.abort();
  };
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, onSignal);
  if (process.env["npm_lifecycle_event"] !== undefined) whenOrphaned(() => first.abort());
  // A closing terminal may send it twice, from the shell and from npm: that is no wish to end by force.
  process.on("SIGHUP", () => first.abort());
  return {
    first: first.signal,
    onSecond(handler) {
      warn = handler;
    },
  };
}

const host: Host = {
  terminal,
  env: process.env,
  version,
  rootFolder: ROOT,
  watchSignals,
  onUnhandledRejection: (handler) => process.on("unhandledRejection", handler),
};

// Each action is loaded when it is called for: help and wrong usage need neither the collector nor a database driver.
const actions: Actions = {
  serve: async (options) => (await import("./actions/serve.ts")).serve(options, host),
  demo: async (options) => (await import("./actions/demo.ts")).demo(options, host),
  validate: async (options) => (await import("./actions/config-files.ts")).readConfig(options, host).warnings,
  migrate: async (options) => (await import("./actions/database.ts")).migrateDatabase(options),
  async *doctor(options) {
    yield* (await import("./actions/doctor.ts")).doctor(options, host);
  },
  sql: async (query, options) => (await import("./actions/database.ts")).sql(query, options),
  connect: async (options) => (await import("./actions/connect.ts")).connect(options, host),
  openBrowser: async (url) => (await import("./actions/open-browser.ts")).openBrowser(url, host),
  explainFile: async (file, options) => (await import("./actions/map.ts")).explainFile(file, options, host),
  prune: async (options) => (await import("./actions/prune.ts")).prune(options, host),
  archive: async (options) => (await import("./actions/prune.ts")).archive(options),
  restore: async (options) => (await import("./actions/prune.ts")).restore(options, host),
  createKey: async (request) => (await import("./actions/keys.ts")).createKey(request),
  listKeys: async (options) => (await import("./actions/keys.ts")).listKeys(options),
  rotateKey: async (id, options) => (await import("./actions/keys.ts")).rotateKey(id, options),
  listProjects: async (options) => (await import("./actions/keys.ts")).listProjects(options),
  createProject: async (name, options) => (await import("./actions/keys.ts")).createProject(name, options),
  deleteProject: async (id, options) => (await import("./actions/keys.ts")).deleteProject(id, options, host),
  createSqlLogin: async (request) => (await import("./actions/keys.ts")).createSqlLogin(request),
  removeSqlLogin: async (request) => (await import("./actions/keys.ts")).removeSqlLogin(request),
  revokeKey: async (id, options) => (await import("./actions/keys.ts")).revokeKey(id, options),
};

const args = process.argv.slice(2);
try {
  const settings = readSettings(process.env, profileFlag(args));
  const program = createProgram({ actions, terminal, env: process.env, settings, version });
  await program.parseAsync(args.length === 0 ? ["--help"] : args, { from: "user" });
  process.exitCode = EXIT.ok;
} catch (error) {
  process.exitCode = explain(error, terminal);
}
// Whatever still holds the event loop (a pool that a dead server keeps open) must not hold the process.
process.exit();
