import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const FILE = "genspan.conf";

/** For a laptop: durable as PostgreSQL is by default, roomy enough that bursts do not force checkpoints. */
const SETTINGS: Readonly<Record<string, string>> = {
  fsync: "on",
  synchronous_commit: "on",
  shared_buffers: "256MB",
  max_wal_size: "4GB",
  checkpoint_timeout: "15min",
  wal_compression: "on",
  max_connections: "80",
  jit: "off",
  unix_socket_directories: "",
  timezone: "UTC",
  log_timezone: "UTC",
  // A failed statement's client is told of it. In the log its text and its rows could be prompts, and a flood of them would fill the disk.
  log_min_messages: "log",
  log_min_error_statement: "panic",
  log_error_verbosity: "terse",
  log_checkpoints: "off",
};

/** The settings file for these binaries; it changes with either, which tells that a running server has older ones. */
export function settingsText(version: string): string {
  const lines = Object.entries(SETTINGS).map(([name, value]) => `${name} = '${value}'`);
  return [
    `# Written by genspan at every start, for PostgreSQL ${version}. To change a setting: ALTER SYSTEM SET …, and start again.`,
    ...lines,
    "",
  ].join("\n");
}

export const hasSettings = (cluster: string, text: string): boolean =>
  existsSync(join(cluster, FILE)) && readFileSync(join(cluster, FILE), "utf8") === text;

/** After what initdb chose and before what the user set by ALTER SYSTEM, so that the latter wins. */
export function writeSettings(cluster: string, text: string): void {
  writeFileSync(join(cluster, FILE), text, { mode: 0o644 });
  const main = join(cluster, "postgresql.conf");
  const include = `include_if_exists = '${FILE}'`;
  const config = readFileSync(main, "utf8");
  if (!config.includes(include)) writeFileSync(main, `${config}\n${include}\n`);
}
