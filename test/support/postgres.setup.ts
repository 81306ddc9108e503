import type { TestProject } from "vitest/node";
import { findServiceAccount } from "../../collector/embedded/service-account.ts";
import { startCluster, systemBinaries, type TestCluster } from "./cluster.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** Admin URLs of the clusters that a test run shares; the real server's is missing where none is installed. */
    readonly postgresUrls: { readonly embedded: string; readonly server: string | null };
  }
}

let shared: Promise<{ readonly clusters: TestCluster[]; readonly urls: { embedded: string; server: string | null } }> | undefined;
let users = 0;

/** Starts one throw-away cluster of the embedded binaries and one of the machine's PostgreSQL (or takes TEST_DATABASE_URL); removes them at the end. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  shared ??= startShared();
  users++;
  const { clusters, urls } = await shared;
  project.provide("postgresUrls", urls);
  return async () => {
    users--;
    if (users === 0) await Promise.all(clusters.map((cluster) => cluster.destroy()));
  };
}

async function startShared() {
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
