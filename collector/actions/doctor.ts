import { existsSync } from "node:fs";
import { join } from "node:path";
import { withConnection } from "../../schema/connect.ts";
import { loadMigrations } from "../../schema/migration-files.ts";
import type { DoctorCheck, DoctorOptions } from "../cli/actions.ts";
import type { Config } from "../config/index.ts";
import { postgresOptions } from "../config/questions.ts";
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
  const otlp = addresses.find(({ kind }) => kind === "otlp");
  yield* examine({
    // Another endpoint is another collector: what the configuration says of addresses is not about it.
    addresses: options.endpoint === undefined ? addresses : [],
    endpoint: options.endpoint ?? (otlp === undefined ? "" : urlOf(otlp)),
    key: options.key,
    schema: options.schema,
    schemaVersion: loadMigrations().length,
    facts: () => reported(() => withConnection(ownerUrl(options), (sql) => serverFacts(sql, options.schema))),
    readUrl: () => readerUrl(options, postgresOptions(config).readUrl),
    dataFolder: options.databaseUrl === undefined ? usedFolder(options.dataDir) : undefined,
  });
}

/** The addresses that pipelines and extensions really use. */
function addressesOf(config: Config): ConfiguredAddress[] {
  const used = new Set([...config.service.pipelines.values()].flatMap((pipeline) => pipeline.receivers));
  const receivers = [...config.receivers]
    .filter(([id]) => used.has(id))
    .flatMap(([id, { options }]): ConfiguredAddress[] => {
      if (options.http === undefined) return [];
      const { host, port } = options.http.endpoint;
      return [{ name: "OTLP/HTTP", host, port, key: `receivers::${id}::protocols::http::endpoint`, kind: "otlp" }];
    });
  const web = config.service.extensions.flatMap((id): ConfiguredAddress[] => {
    const extension = config.extensions.get(id);
    if (extension?.type !== "web") return [];
    const { host, port } = extension.options.endpoint;
    return [{ name: "web", host, port, key: `extensions::${id}::endpoint`, kind: "web" }];
  });
  return [...receivers, ...web];
}

/** Where the data of `dataDir` is, or would go. */
function usedFolder(dataDir: string): string {
  const folders = possibleFolders(dataDir);
  return folders.find((folder) => existsSync(join(folder, CLUSTER))) ?? dataDir;
}
