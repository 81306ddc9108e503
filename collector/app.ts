import { randomUUID } from "node:crypto";
import { itemTotals } from "../dashboards/web/item-totals.ts";
import { reachableUrl } from "../dashboards/web/otlp-url.ts";
import { START_CSS, START_SCRIPT, startPage } from "../dashboards/web/start-page.ts";
import type { Sql } from "../schema/connect.ts";
import { useGivenReader } from "../schema/given-reader.ts";
import { migrate } from "../schema/migrate.ts";
import { ensureReader } from "../schema/reader.ts";
import { createApiApp } from "./api/app.ts";
import { createFront, type Fetch, type Front } from "./api/front.ts";
import type { Services } from "./api/services.ts";
import { startAlerting } from "./app/alerting.ts";
import { type Ingest, ingestInto } from "./app/ingest.ts";
import { pipelineOf } from "./app/pipelines.ts";
import { type Privacy, startPrivacy } from "./app/privacy.ts";
import { startQualityMarks } from "./app/quality.ts";
import { hostAndPort, isLoopbackAddress, requireKeyForAddress } from "./base/address.ts";
import { createAuthenticator } from "./base/authenticate.ts";
import { watchEventLoop } from "./base/event-loop.ts";
import { type Log, throttled } from "./base/log.ts";
import { createMetrics, type Metrics } from "./base/metrics.ts";
import { within } from "./base/within.ts";
import { limitYoungGeneration } from "./base/young-generation.ts";
import { createKeyStore, type KeyStore } from "./commands/keys.ts";
import type { Component, Config } from "./config/index.ts";
import { largestMessageBytes, listeningHosts, postgresOptions } from "./config/questions.ts";
import { watchDisk } from "./embedded/disk-watch.ts";
import { startEmbedded } from "./embedded/index.ts";
import { createPostgresExporter, type PostgresExporter } from "./exporters/postgres/index.ts";
import { createPartitionJob } from "./jobs/partition-job.ts";
import { createPriceBooks } from "./jobs/price-books.ts";
import { createReaper } from "./jobs/reaper.ts";
import { createUsageRollup } from "./jobs/usage-rollup.ts";
import { createLiveHub } from "./live/hub.ts";
import type { Pipeline } from "./pipeline.ts";
import { latest } from "./query/latest.ts";
import { createPool } from "./query/pool.ts";
import { createReader, type Reader } from "./query/reader.ts";
import { createByteBudget } from "./receivers/byte-budget.ts";
import { listenGrpc } from "./receivers/grpc-server.ts";
import { type Listening, listen } from "./receivers/http-server.ts";
import { createOtlpGrpcReceiver } from "./receivers/otlp-grpc.ts";
import { createOtlpHttpReceiver, type OtlpHttpOptions } from "./receivers/otlp-http.ts";
import { createRefiner } from "./refinement/index.ts";
import { refineTraces } from "./refinement/store.ts";

export interface AppOptions {
  readonly config: Config;
  /** A server of one's own; undefined starts the embedded one on `dataDir`. */
  readonly databaseUrl: string | undefined;
  readonly dataDir: string;
  readonly embeddedPort: number;
  readonly schema: string;
  readonly log: Log;
  readonly version: string;
}

export interface RunningApp {
  /** Base URLs of OTLP/HTTP, one per receiver. */
  readonly otlpUrls: readonly string[];
  /** Addresses of OTLP/gRPC as exporters take them. */
  readonly otlpGrpcUrls: readonly string[];
  readonly webUrl: string | undefined;
  /** The database as a person may read it: without a password. */
  readonly database: string;
  /** Stops taking requests, finishes those under way, then everything else. `unwritten` counts items that were refused for it. */
  stop(graceMillis: number): Promise<{ readonly unwritten: number }>;
}

/** Keys are looked up while a request waits: an unresponsive database must not hold it. */
const KEY_LOOKUP_MS = 1_000;
/** Bodies being read at once; what waits for the database is bounded by the exporter. */
const MAX_READING_BYTES = 192 * 1024 * 1024;
const MIB = 1024 * 1024;
/** Questions that the API asks the database at once. */
const API_CONNECTIONS = 4;
const LATEST_ROWS = 12;
const LATEST_WITHIN_MS = 3_000;
const MAX_UPLOAD_MS = 6 * 3_600_000;
/** A model call that was announced this long ago is not running any more; longer ones complete their row all the same when they end. */
const PENDING_TIMEOUT_MS = 3_600_000;

/** Builds a running collector from a configuration, in the order of its parts; whatever was started is stopped when a later part fails. */
export async function startApp(options: AppOptions): Promise<RunningApp> {
  const started = new AsyncDisposableStack();
  try {
    return await build(options, started);
  } catch (error) {
    await started.disposeAsync();
    throw error;
  }
}

async function build(options: AppOptions, started: AsyncDisposableStack): Promise<RunningApp> {
  const { config, schema } = options;
  const log = throttled(options.log);
  const metrics = createMetrics();
  started.defer(watchEventLoop(metrics));
  started.defer(limitYoungGeneration());
  const front = createFront();
  const web = await listenWeb(config, front.fetch);
  if (web !== undefined) started.defer(() => web.close(0));
  const database = await openDatabase(options, { started, front });
  const owner = pool(database.url, 3, started);
  const keys = createKeyStore({ sql: owner, schema });
  const hosts = listeningHosts(config);
  const stored = await keys.load();
  for (const host of hosts) requireKeyForAddress(host, stored);

  const holder = randomUUID();
  const partitions = createPartitionJob({
    sql: owner,
    schema,
    holder,
    log,
    metrics,
    retentionMillis: postgresOptions(config).retentionMillis,
  });
  // Not waited for: until today has its partition, rows go to DEFAULT, and moving many of them takes minutes.
  partitions.start();
  started.defer(() => partitions.stop());

  const exporter = createPostgresExporter({ url: database.url, schema, metrics, log: options.log, ...postgresOptions(config) });
  let unwritten = 0;
  let stopping = false;
  started.defer(async () => {
    ({ unwritten } = await exporter.stop(grace.millis));
  });
  const grace = { millis: 0 };
  await exporter.check();

  const prices = await createPriceBooks({ sql: owner, schema, log });
  started.defer(() => prices.stop());
  const reaper = createReaper({ sql: owner, schema, holder, log, pendingTimeoutMillis: PENDING_TIMEOUT_MS });
  reaper.start();
  started.defer(() => reaper.stop());
  const usage = createUsageRollup({ sql: owner, schema, holder, log });
  usage.start();
  started.defer(() => usage.stop());
  const { tombstones, erasing, projectEnd } = await startPrivacy({
    sql: owner,
    schema,
    url: database.url,
    holder,
    log,
    config,
    dataDir: options.dataDir,
    started,
  });
  const refiner = createRefiner({ sql: pool(database.url, 1, started), schema, log });
  started.defer(() => refiner.stop());
  startQualityMarks({ sql: owner, schema, holder, log, started });

  const authenticate = createAuthenticator({
    loadKeys: () => within(keys.load(), KEY_LOOKUP_MS),
    markUsed: (ids) => keys.markUsed(ids),
    loopbackOnly: hosts.every(isLoopbackAddress),
  });
  const otlp: OtlpServers = { http: [], grpc: [] };
  started.defer(async () => {
    stopping = true;
    await Promise.all([...otlp.http, ...otlp.grpc].map((server) => server.close(grace.millis)));
  });
  const reading = createByteBudget(Math.max(MAX_READING_BYTES, 2 * largestMessageBytes(config)));
  let first: Pipeline | undefined;
  const live = createLiveHub({ sql: pool(database.url, 2, started), schema, log });
  started.defer(() => live.stop());
  for (const [id, receiver] of config.receivers) {
    const pipeline = pipelineOf(id, {
      config,
      exporter,
      refiner,
      prices,
      tombstones,
      onCommitted: live.hint,
      metrics,
      log,
      isStopping: () => stopping,
      started,
    });
    if (pipeline === undefined) continue;
    first ??= pipeline;
    await serveOtlp(otlp, { id, ...receiver.options, consume: pipeline.consume, authenticate, budget: reading, metrics, log });
  }

  const apiReader = reader(database.readUrl, schema, started);
  const alerting = startAlerting({ config, webUrl: web?.url, sql: owner, schema, reader: apiReader, holder, log, started });
  front.open(
    createWeb({
      options,
      metrics,
      authenticate,
      owner,
      latestReader: pool(database.readUrl, 3, started),
      reader: apiReader,
      otlp: otlp.http,
      ingest: ingestInto(first),
      erasing,
      projectEnd,
      alerting,
      live,
      database,
      unready: () => unreadyReason({ stopping, exporter, database }),
    }),
  );
  return {
    otlpUrls: otlp.http.map((server) => server.url),
    otlpGrpcUrls: otlp.grpc.map((server) => server.url),
    webUrl: web?.url,
    database: database.shown,
    async stop(graceMillis) {
      stopping = true;
      grace.millis = graceMillis;
      await started.disposeAsync();
      return { unwritten };
    },
  };
}

interface Database {
  readonly url: string;
  readonly readUrl: string;
  readonly shown: string;
  /** Of the embedded one; the disk of another server cannot be seen from here. */
  readonly diskNearlyFull: () => boolean;
}

interface Starting {
  readonly started: AsyncDisposableStack;
  readonly front: Front;
}

async function openDatabase(options: AppOptions, { started, front }: Starting): Promise<Database> {
  const { schema, log } = options;
  const embedded = options.databaseUrl === undefined ? await openEmbedded(options, started) : undefined;
  const url = options.databaseUrl ?? embedded?.url ?? "";
  front.at("migrating");
  await migrate({ url, schema, log });
  const { readUrl } = postgresOptions(options.config);
  const reader = await (readUrl === undefined ? ensureReader({ url, schema }) : useGivenReader({ url, readUrl, schema }));
  const passwordHint = embedded === undefined ? "" : ` (password in ${embedded.folder}/password)`;
  return {
    url,
    readUrl: reader.url,
    shown: `${withoutPassword(url)}${passwordHint}`,
    diskNearlyFull: embedded?.diskNearlyFull ?? (() => false),
  };
}

async function openEmbedded({ dataDir, embeddedPort, log }: AppOptions, started: AsyncDisposableStack) {
  const { url, folder, stop } = await startEmbedded({ dataDir, host: "127.0.0.1", port: embeddedPort, log });
  started.defer(stop);
  const disk = await watchDisk({ folder });
  started.defer(() => disk.stop());
  return { url, folder, diskNearlyFull: () => disk.isNearlyFull() };
}

/** A small pool that is closed with everything else. */
function pool(url: string, max: number, started: AsyncDisposableStack): Sql {
  const sql = createPool(url, max);
  started.defer(() => sql.end({ timeout: 1 }));
  return sql;
}

/** Reads of the API; closed with everything else. */
function reader(url: string, schema: string, started: AsyncDisposableStack): Reader {
  const reading = createReader({ url, schema, maxConnections: API_CONNECTIONS });
  started.defer(() => reading.end());
  return reading;
}

/** Why a balancer should send elsewhere, in one word. */
type Unready = "database" | "disk" | "stopping";

interface Health {
  readonly stopping: boolean;
  readonly exporter: PostgresExporter;
  readonly database: Database;
}

function unreadyReason({ stopping, exporter, database }: Health): Unready | undefined {
  if (stopping) return "stopping";
  if (!exporter.ready()) return "database";
  return database.diskNearlyFull() ? "disk" : undefined;
}

async function listenWeb(config: Config, fetch: Fetch): Promise<Listening | undefined> {
  const id = config.service.extensions.find((each) => config.extensions.get(each)?.type === "web");
  const web = id === undefined ? undefined : config.extensions.get(id);
  if (web === undefined) return undefined;
  // Files that are imported come in through it, as fast as they come.
  return listen({ fetch, ...web.options.endpoint, purpose: `extensions::${id}::endpoint`, limits: { requestMillis: MAX_UPLOAD_MS } });
}

interface WebInput {
  readonly options: AppOptions;
  readonly metrics: Metrics;
  readonly authenticate: ReturnType<typeof createAuthenticator>;
  readonly owner: Sql;
  readonly latestReader: Sql;
  readonly reader: Reader;
  readonly otlp: readonly Listening[];
  readonly ingest: Ingest;
  readonly erasing: Privacy["erasing"];
  readonly projectEnd: Privacy["projectEnd"];
  readonly alerting: Services["alerting"];
  readonly live: Services["live"];
  readonly database: Database;
  readonly unready: () => Unready | undefined;
}

function createWeb({ options, owner, latestReader, reader, database, unready, ...input }: WebInput): Fetch {
  const { schema, version, log } = options;
  const app = createApiApp({
    unready,
    services: {
      reader,
      writer: { sql: owner, schema },
      ingest: input.ingest,
      erasing: input.erasing,
      projectEnd: input.projectEnd,
      alerting: input.alerting,
      live: input.live,
      refine: async (trace) => void (await refineTraces({ sql: owner, schema }, [trace])),
      log: throttled(log),
      version,
    },
    authenticate: input.authenticate,
    metrics: input.metrics,
    startCss: START_CSS,
    startScript: START_SCRIPT,
    startPage: async ({ projectId, hostName, hasKey }) =>
      startPage({
        version,
        now: new Date(),
        otlpUrl: reachableUrl(input.otlp[0]?.url ?? "", hostName),
        needsKey: hasKey,
        unready: unready(),
        database: withoutPassword(database.url),
        latest: await within(latest(latestReader, { schema, projectId, limit: LATEST_ROWS }), LATEST_WITHIN_MS).catch(() => undefined),
        items: await itemTotals(input.metrics),
      }),
  });
  return (request) => app.fetch(request);
}

interface OtlpServers {
  readonly http: Listening[];
  readonly grpc: Listening[];
}

type OtlpInput = Component<"receivers">["options"] &
  Pick<OtlpHttpOptions, "consume" | "authenticate" | "budget" | "metrics" | "log"> & { readonly id: string };

/** Opens the addresses of one receiver, all on the same pipeline. */
async function serveOtlp(servers: OtlpServers, { id, http, grpc, ...step }: OtlpInput): Promise<void> {
  const purpose = (protocol: string): string => `receivers::${id}::protocols::${protocol}::endpoint`;
  if (http !== undefined) {
    const app = createOtlpHttpReceiver({
      ...step,
      paths: { traces: http.traces_url_path, logs: http.logs_url_path, metrics: http.metrics_url_path },
      maxRequestBodyBytes: http.max_request_body_size,
      cors: http.cors,
    });
    servers.http.push(await listen({ fetch: app.fetch, ...http.endpoint, purpose: purpose("http") }));
  }
  if (grpc !== undefined) {
    const server = createOtlpGrpcReceiver({ ...step, maxMessageBytes: grpc.max_recv_msg_size_mib * MIB });
    servers.grpc.push(await listenGrpc(server, { ...grpc.endpoint, purpose: purpose("grpc") }));
  }
}

function withoutPassword(text: string): string {
  const url = new URL(text);
  const user = url.username === "" ? "" : `${url.username}@`;
  return `postgres://${user}${hostAndPort(url.hostname.replace(/^\[|\]$/g, ""), Number(url.port || 5432))}${url.pathname}`;
}

export type { KeyStore };
