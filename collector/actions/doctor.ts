import { existsSync } from "node:fs";
import { join } from "node:path";
import { withConnection } from "../../schema/connect.ts";
import { loadMigrations } from "../../schema/migration-files.ts";
import type { DoctorCheck, DoctorOptions } from "../cli/actions.ts";
import type { Config } from "../config/index.ts";
import { listeningAddresses, postgresOptions } from "../config/questions.ts";
import { type ConfiguredAddress, examine, urlOf } from "../doctor/index.ts";
import { CLUSTER, possibleFolders } from "../embedded/data-folder.ts";
import { serverFacts } from "../query/server-facts.ts";
import { readConfig } from "./config-files.ts";
import { ownerUrl, readerUrl, reported } from "./database.ts";
import type { Host } from "./host.ts";

/** Examines the collector that the configuration describes; throws ConfigError where that is not sound. */
export async function* doctor(options: DoctorOptions, host: Host): AsyncGenerator<DoctorCheck> {
  const { config } = readConfig(options, host);
  yield { name: "configuration", ok: true, detail: "it is valid" };
  const addresses = addressesOf(config);
  const otlp = addresses.find(({ kind }) => kind === "http");
  yield* examine({
    // Another endpoint is another collector: what the configuration says of addresses is not about it.
    addresses: options.endpoint === undefined ? addresses : [],
    endpoint: options.endpoint ?? (otlp === undefined ? undefined : urlOf(otlp)),
    tracesPath: options.endpoint === undefined ? otlp?.tracesPath : undefined,
    key: options.key,
    schema: options.schema,
    schemaVersion: loadMigrations().length,
    facts: () => reported(() => withConnection(ownerUrl(options), (sql) => serverFacts(sql, options.schema))),
    readUrl: () => readerUrl(options, postgresOptions(config).readUrl),
    dataFolder: options.databaseUrl === undefined ? usedFolder(options.dataDir) : undefined,
  });
}

const NAMES = { http: "OTLP/HTTP", grpc: "OTLP/gRPC", web: "web" } as const;

const addressesOf = (config: Config): ConfiguredAddress[] =>
  listeningAddresses(config).map(({ serves, endpoint, ...address }) => ({ ...address, ...endpoint, kind: serves, name: NAMES[serves] }));

/** Where the data of `dataDir` is, or would go. */
function usedFolder(dataDir: string): string {
  const folders = possibleFolders(dataDir);
  return folders.find((folder) => existsSync(join(folder, CLUSTER))) ?? dataDir;
}
