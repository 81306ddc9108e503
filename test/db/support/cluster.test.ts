import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import postgres from "postgres";
import { describe, expect, it } from "vitest";
import { readPostmaster } from "../../../collector/embedded/postmaster-file.ts";
import { findServiceAccount } from "../../../collector/embedded/service-account.ts";
import { systemBinaries } from "../../support/cluster.ts";
import { createEmptyDatabase, createTestDatabase, describeEachServer, startPrivateCluster } from "../../support/database.ts";

describeEachServer("a test database", (server) => {
  it("has the current schema and shares nothing with another one made at once", async () => {
    await using first = await createTestDatabase(server);
    await using second = await createTestDatabase(server);
    const [one, two] = [first, second].map(({ url }) => postgres(url, { max: 1, onnotice: () => {} }));
    await one!`INSERT INTO projects (id, name, created_at) VALUES (2, 'other', now())`;
    expect(await two!`SELECT id FROM projects`).toEqual([{ id: 1 }]);
    await Promise.all([one!.end(), two!.end()]);
  });

  it("goes away though sessions are open on it", async () => {
    const database = await createEmptyDatabase(server);
    const open = postgres(database.url, { max: 1 });
    await open`SELECT 1`;
    await database[Symbol.asyncDispose]();
    await expect(open`SELECT 1`).rejects.toThrow();
    await open.end();
  });

  const installed = server.kind === "embedded" || systemBinaries(findServiceAccount() ?? undefined) !== undefined;
  it.skipIf(!installed)("can be on a private cluster that is killed and started again with every committed row", async () => {
    const cluster = await startPrivateCluster(server.kind);
    const before = postgres(cluster.url, { max: 1 });
    await before`CREATE TABLE kept AS SELECT 1 AS n`;
    await cluster.kill9();
    expect(cluster.pid()).toBe(0);
    await before.end({ timeout: 1 });
    await cluster.start();
    const after = postgres(cluster.url, { max: 1 });
    expect(await after`SELECT n FROM kept`).toEqual([{ n: 1 }]);
    await after.end();
    await cluster.destroy();
    expect(existsSync(dirname(cluster.logFile))).toBe(false);
  });
});

describe("a test run that is killed", () => {
  it("leaves neither a server nor its data", async () => {
    const script = join(import.meta.dirname, "../../support/cluster-owner.ts");
    const run = spawn(process.execPath, [script], { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = (await once(createInterface(run.stdout), "line")) as [string];
    const { folder, pid } = JSON.parse(line) as { folder: string; pid: number };
    expect(readPostmaster(join(folder, "postgres"))?.pid).toBe(pid);
    run.kill("SIGKILL");
    await expect.poll(() => existsSync(folder), { timeout: 10_000 }).toBe(false);
    await expect.poll(() => existsSync(`/proc/${pid}/cwd`), { timeout: 10_000 }).toBe(false);
  });
});
