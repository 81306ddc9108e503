import { copyFileSync, mkdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";
import { findServiceAccount } from "../../collector/embedded/service-account.ts";
import { startCluster, systemBinaries, type TestCluster } from "./cluster.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** Admin URLs of the clusters that a test run shares; the real server's is missing where none is installed. */
    readonly postgresUrls: { readonly embedded: string; readonly server: string | null };
  }
}

interface Shared {
  readonly clusters: readonly TestCluster[];
  readonly urls: { embedded: string; server: string | null };
}

/** Vitest loads this file once per project that names it; the projects share the clusters, and the last one to end removes them. */
const run = globalThis as { genspanTestRun?: { users: number; started: Promise<Shared> } };

const KEPT_LOGS = fileURLToPath(new URL("../../.cache/test-logs", import.meta.url));

/** Starts one throw-away cluster of the embedded binaries and one of the machine's PostgreSQL (or takes TEST_DATABASE_URL); removes them at the end. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  run.genspanTestRun ??= { users: 0, started: startShared() };
  const shared = run.genspanTestRun;
  shared.users++;
  const { clusters, urls } = await shared.started;
  project.provide("postgresUrls", urls);
  return async () => {
    if (--shared.users > 0) return;
    delete run.genspanTestRun;
    if (project.vitest.state.getCountOfFailedTests() > 0) keepLogs(clusters);
    await Promise.all(clusters.map((cluster) => cluster.destroy()));
  };
}

async function startShared(): Promise<Shared> {
  // What tests write need not survive a power cut; the fault tests use clusters of their own.
  const settings = { fsync: "off", full_page_writes: "off" };
  const embedded = await startCluster("embedded", settings);
  const given = process.env["TEST_DATABASE_URL"];
  if (given !== undefined) return { clusters: [embedded], urls: { embedded: embedded.url, server: given } };
  if (systemBinaries(findServiceAccount() ?? undefined) === undefined)
    return { clusters: [embedded], urls: { embedded: embedded.url, server: null } };
  const server = await startCluster("server", settings);
  return { clusters: [embedded, server], urls: { embedded: embedded.url, server: server.url } };
}

/** Evidence for failed tests. */
function keepLogs(clusters: readonly TestCluster[]): void {
  mkdirSync(KEPT_LOGS, { recursive: true });
  for (const { logFile } of clusters) copyFileSync(logFile, join(KEPT_LOGS, `${basename(dirname(logFile))}.log`));
  console.error(`what the PostgreSQL servers logged is kept in ${KEPT_LOGS}`);
}
