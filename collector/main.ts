import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { migrate } from "../schema/migrate.ts";
import { ensureReader } from "../schema/reader.ts";
import { SchemaError } from "../schema/schema-error.ts";
import { type RunningApp, startApp } from "./app.ts";
import { createLog } from "./base/log.ts";
import { SetupError } from "./base/setup-error.ts";
import type { Actions, DatabaseOptions, DemoOptions, ServeOptions } from "./cli/actions.ts";
import { CommandError, EXIT } from "./cli/exit-codes.ts";
import { createProgram, isUsageError } from "./cli/program.ts";
import { BrokenPipe, createTerminal } from "./cli/terminal.ts";
import { createKeyStore, type KeyStore } from "./commands/keys.ts";
import { ConfigError, loadConfig } from "./config/index.ts";
import { sendHistory, sendLive } from "./demo/index.ts";
import { examine } from "./doctor.ts";
import { readEmbeddedState } from "./embedded/index.ts";
import { createPool, isServerError } from "./query/pool.ts";
import { runSql } from "./query/run-sql.ts";

const ROOT = join(import.meta.dirname, "..");
const VERSION = (JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string }).version;
/** Requests under way get this long after the first signal. */
const GRACE_MS = 10_000;
const EMBEDDED_PORT = 4320;

const terminal = createTerminal(process.stdout, process.stderr);

function readConfig(files: readonly string[]) {
  const names = files.length > 0 ? files : [join(ROOT, "otel-config.yaml")];
  return loadConfig({ files: names.map((name) => ({ name, text: readConfigFile(name) })), env: process.env });
}

function readConfigFile(name: string): string {
  try {
    return readFileSync(name, "utf8");
  } catch {
    throw new SetupError(`The configuration file ${name} cannot be read: check its name and rights.`);
  }
}

/** Until the first SIGINT or SIGTERM; the second ends the process at once. */
function untilSignal(onSecond: () => void): Promise<void> {
  return new Promise((resolve) => {
    let seen = 0;
    const onSignal = (): void => {
      seen++;
      if (seen === 1) resolve();
      else onSecond();
    };
    process.on("SIGINT", onSignal);
    process.on("SIGTERM", onSignal);
  });
}

const announce = (app: RunningApp): Promise<void> =>
  terminal.write(
    [
      `genspan ${VERSION} is ready`,
      ...app.otlpUrls.map((url) => `  OTLP/HTTP   ${url}`),
      ...(app.webUrl === undefined ? [] : [`  Web         ${app.webUrl}`]),
      `  PostgreSQL  ${app.database}`,
      "",
    ].join("\n"),
  );

async function demo(options: DemoOptions): Promise<void> {
  const { config } = readConfig(options.configFiles);
  const folder = mkdtempSync(join(tmpdir(), "genspan-demo-"));
  // As root the database runs as another user, who must be able to enter.
  chmodSync(folder, 0o755);
  const stop = new AbortController();
  const signalled = untilSignal(() => process.exit(EXIT.failure)).then(() => stop.abort());
  try {
    const app = await startApp({
      config,
      databaseUrl: undefined,
      dataDir: folder,
      embeddedPort: embeddedPort(),
      schema: "public",
      log: createLog("warn"),
      version: VERSION,
    });
    await announce(app);
    const input = { endpoint: app.otlpUrls[0] ?? "", signal: stop.signal, rows: options.rows, seed: options.seed };
    const { traces, spans, generations } = await sendHistory(input);
    terminal.note(`Two weeks of demonstration data are in: ${generations} model calls, ${spans} spans, ${traces} traces.`);
    if (options.live && !stop.signal.aborted) {
      terminal.note("New calls come in until Ctrl+C.");
      await Promise.race([signalled, sendLive(input)]);
    }
    stop.abort();
    await app.stop(GRACE_MS);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const embeddedPort = (): number => Number(process.env["GENSPAN_EMBEDDED_PORT"] ?? EMBEDDED_PORT);

async function serve(options: ServeOptions): Promise<void> {
  const { config, warnings } = readConfig(options.configFiles);
  const log = createLog(options.logLevel);
  for (const warning of warnings) log.warn({}, warning);
  const app = await startApp({ config, ...options, embeddedPort: embeddedPort(), log, version: VERSION });
  const signalled = untilSignal(() => {
    log.error({}, "stopped by force: requests under way were not answered, their senders will send them again");
    process.exit(EXIT.failure);
  });
  process.on("unhandledRejection", (error) =>
    log.error({ error: error instanceof Error ? error.name : "unknown" }, "unexpected rejection; the collector goes on"),
  );
  await announce(app);
  await signalled;
  log.info({}, "stopping: finishing requests under way");
  const { unwritten } = await app.stop(GRACE_MS);
  if (unwritten > 0) log.warn({ unwritten }, "items were refused at the end; their senders will send them again");
  log.info({}, "stopped");
}

/** The owner's URL of the database a command is about. */
function ownerUrl(options: DatabaseOptions): string {
  const url = options.databaseUrl ?? readEmbeddedState(options.dataDir)?.url;
  if (url !== undefined) return url;
  throw new CommandError(
    EXIT.unreachable,
    `No embedded database is running on ${options.dataDir}: start the collector, or give --database-url.`,
  );
}

async function withKeys<T>(options: DatabaseOptions, work: (keys: KeyStore) => Promise<T>): Promise<T> {
  const url = ownerUrl(options);
  await migrate({ url, schema: options.schema });
  const sql = createPool(url, 1);
  try {
    return await work(createKeyStore(sql, options.schema));
  } finally {
    await sql.end({ timeout: 1 });
  }
}

const readerUrl = async (options: DatabaseOptions): Promise<string> =>
  (await ensureReader({ url: ownerUrl(options), schema: options.schema })).url;

const actions: Actions = {
  serve,
  demo,
  async validate(files) {
    readConfig(files);
  },
  migrate: (options) => migrate({ url: ownerUrl(options), schema: options.schema }),
  async *doctor(options) {
    const { config } = readConfig(options.configFiles);
    yield { name: "configuration", ok: true, detail: "it is valid" };
    const { endpoint } = [...config.receivers.values()][0]!.options.http;
    yield* examine({
      endpoint: options.endpoint ?? `http://${endpoint.host === "0.0.0.0" ? "127.0.0.1" : endpoint.host}:${endpoint.port}`,
      key: options.key,
      schema: options.schema,
      readUrl: () => readerUrl(options),
    });
  },
  sql: async (query, options) => runSql(query, { ...options, url: await readerUrl(options) }),
  createKey: (request) => withKeys(request, (keys) => keys.create(request)),
  listKeys: (options) =>
    withKeys(options, async (keys) =>
      (await keys.list()).map((row) => ({
        id: row.id,
        name: row.name,
        projectId: row.project_id,
        scopes: row.scopes,
        createdAt: row.created_at.toISOString(),
        lastUsedAt: row.last_used_at?.toISOString() ?? null,
        revokedAt: row.revoked_at?.toISOString() ?? null,
      })),
    ),
  revokeKey: (id, options) => withKeys(options, (keys) => keys.revoke(id)),
};

/** The exit code of what a command threw, after telling the person. */
function explain(error: unknown): number {
  if (error instanceof BrokenPipe) return EXIT.ok;
  if (isUsageError(error)) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof CommandError) {
    terminal.note(error.message);
    return error.exitCode;
  }
  if (error instanceof ConfigError || error instanceof SetupError || error instanceof SchemaError) {
    terminal.note(error.message);
    return EXIT.failure;
  }
  if (isServerError(error)) {
    terminal.note(`The database refused (${error.code}): ${error.message}`);
    return EXIT.failure;
  }
  terminal.note(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return EXIT.failure;
}

try {
  await createProgram({ actions, terminal, env: process.env, version: VERSION }).parseAsync(process.argv);
  process.exitCode = EXIT.ok;
} catch (error) {
  process.exitCode = explain(error);
}
// Whatever still holds the event loop (a pool that a dead server keeps open) must not hold the process.
process.exit();
