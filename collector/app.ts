import type { Sql } from "../schema/connect.ts";
import { createFront } from "./api/front.ts";
import { alertingOf } from "./app/alerting.ts";
import type { AppOptions, Context } from "./app/context.ts";
import { type Database, openDatabase } from "./app/database.ts";
import { originMemory } from "./app/origin-memory.ts";
import { removalOf } from "./app/privacy.ts";
import { startReceivers } from "./app/receivers.ts";
import { startUpkeep } from "./app/upkeep.ts";
import { createWeb, listenWeb } from "./app/web.ts";
import { isLoopbackAddress, requireKeyForAddress } from "./base/address.ts";
import { type Authenticate, createAuthenticator } from "./base/authenticate.ts";
import { watchEventLoop } from "./base/event-loop.ts";
import { limitHeapGrowth } from "./base/heap-growth.ts";
import { throttled } from "./base/log.ts";
import { createMetrics } from "./base/metrics.ts";
import { within } from "./base/within.ts";
import { createKeyStore } from "./commands/keys.ts";
import { listeningHosts, postgresOptions } from "./config/questions.ts";
import { createPostgresExporter, type PostgresExporter } from "./exporters/postgres/index.ts";
import { createReleasedOrigins } from "./jobs/released-origins.ts";
import { createLiveHub } from "./live/hub.ts";

export type { AppOptions } from "./app/context.ts";

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

/** Builds a running collector from a configuration, in the order of its parts; whatever was started is stopped when a later part fails. */
export async function startApp(options: AppOptions): Promise<RunningApp> {
  const started = new AsyncDisposableStack();
  const ending = { requested: false, graceMillis: 0, unwritten: 0 };
  try {
    return await build({ options, log: throttled(options.log), metrics: createMetrics(), started, ending });
  } catch (error) {
    await started.disposeAsync();
    throw error;
  }
}

async function build(context: Context): Promise<RunningApp> {
  const { options, log, metrics, started, ending } = context;
  started.defer(watchEventLoop(metrics));
  started.defer(limitHeapGrowth());
  const front = createFront();
  const web = await listenWeb(context, front.fetch);
  const database = await openDatabase(context, front);
  const authenticate = await createGate(options, database.pools.owner);
  const exporter = await openExporter(context, database);
  const alerting = alertingOf(context, web?.url);
  const upkeep = await startUpkeep(context, database.pools, alerting);
  const live = createLiveHub({ sql: database.pools.live, schema: options.schema, log });
  const receivers = await startReceivers(context, { ...upkeep, exporter, onCommitted: live.hint }, authenticate);
  // Before everything else: a stream would hold its connection until all the rest has ended.
  started.defer(() => live.stop());
  const services = { ...removalOf(options, database, upkeep.tombstones), alerting, authenticate, ingest: receivers.ingest, live };
  front.open(createWeb(context, { ...services, database, exporter, otlpUrl: receivers.http[0]?.url }));
  return {
    otlpUrls: receivers.http.map((server) => server.url),
    otlpGrpcUrls: receivers.grpc.map((server) => server.url),
    webUrl: web?.url,
    database: `${database.address}${database.passwordHint}`,
    async stop(graceMillis) {
      ending.requested = true;
      ending.graceMillis = graceMillis;
      await started.disposeAsync();
      return { unwritten: ending.unwritten };
    },
  };
}

/** Who may come in. Throws a SetupError where others reach an address and no key protects it. */
async function createGate({ config, schema }: AppOptions, sql: Sql): Promise<Authenticate> {
  const keys = createKeyStore({ sql, schema });
  const hosts = listeningHosts(config);
  const stored = await keys.load();
  for (const host of hosts) requireKeyForAddress(host, stored);
  return createAuthenticator({
    loadKeys: () => within(keys.load(), KEY_LOOKUP_MS),
    markUsed: (ids) => keys.markUsed(ids),
    loopbackOnly: hosts.every(isLoopbackAddress),
  });
}

/** The writer; what it holds at the end gets the time of grace. It hears of resources that are deleted until its last row is written. */
async function openExporter({ options, log, metrics, started, ending }: Context, { url, pools }: Database): Promise<PostgresExporter> {
  const { config, schema } = options;
  const settings = postgresOptions(config);
  // It bounds its lines itself; bounded twice, the number of those left out would be lost.
  const exporter = createPostgresExporter({ url, schema, metrics, log: options.log, ...settings });
  const memory = originMemory(exporter, settings.writeDeadlineMillis);
  const released = createReleasedOrigins({ sql: pools.jobs, schema, log, memory });
  started.defer(async () => {
    ending.unwritten = (await exporter.stop(ending.graceMillis)).unwritten;
    await released.stop();
  });
  await exporter.check();
  released.start();
  return exporter;
}
