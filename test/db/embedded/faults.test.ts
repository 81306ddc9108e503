import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { readEmbeddedState } from "../../../collector/embedded/index.ts";
import { findServiceAccount, spawnAs } from "../../../collector/embedded/service-account.ts";
import { killAll } from "../../support/cluster.ts";
import { ask, askUntilAnswered, cleanUpEmbedded, folderWithDatabase, serverOn, start, startOwner } from "../../support/embedded.ts";

afterEach(cleanUpEmbedded);

const keepRow = (url: string, n: number) => ask(url, (sql) => sql`CREATE TABLE kept AS SELECT ${n}::int AS n`);
const keptRows = (url: string) => askUntilAnswered<{ n: number }>(url, (sql) => sql`SELECT n FROM kept`);
const ONE_COLLECTOR = "Another genspan collector is running";

describe("PostgreSQL is killed", () => {
  it("comes back by itself on the same address with every committed row, and the collector still owns it", async () => {
    const dataDir = await folderWithDatabase();
    const { url, lines } = await start({ dataDir });
    await keepRow(url, 1);
    const killed = serverOn(dataDir)!.pid;
    await killAll(killed);

    expect(await keptRows(url)).toEqual([{ n: 1 }]);
    expect(serverOn(dataDir)!.pid).not.toBe(killed);
    // A busy machine may need a second attempt, which says that it is down meanwhile.
    const said = () => lines.map((line) => line.msg).filter((message) => message !== "the embedded database is down");
    await expect
      .poll(said, { timeout: 20_000 })
      .toEqual(["the embedded database ended unexpectedly; starting it again", "the embedded database is there again"]);
    await expect(start({ dataDir })).rejects.toThrow(ONE_COLLECTOR);
  });

  it("comes back each time", async () => {
    const dataDir = await folderWithDatabase();
    const { url } = await start({ dataDir });
    await keepRow(url, 2);
    for (let time = 0; time < 3; time++) {
      await killAll(serverOn(dataDir)!.pid);
      expect(await keptRows(url)).toEqual([{ n: 2 }]);
    }
  });

  it("comes back where only one session was killed, without a second server", async () => {
    const dataDir = await folderWithDatabase();
    const { url } = await start({ dataDir });
    await keepRow(url, 3);
    const server = serverOn(dataDir)!.pid;
    const [backend] = await ask<{ pid: number }>(
      url,
      (sql) => sql`SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'genspan%lock'`,
    );
    process.kill(backend!.pid, "SIGKILL");
    expect(await keptRows(url)).toEqual([{ n: 3 }]);
    expect(serverOn(dataDir)!.pid).toBe(server);
    // Rows may be read again a moment before the collector has its lock again.
    const held = () => askUntilAnswered(url, (sql) => sql`SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted`);
    await expect.poll(async () => (await held()).length).toBeGreaterThan(0);
    await expect(start({ dataDir })).rejects.toThrow(ONE_COLLECTOR);
  });

  it("stays down when the collector stops before it is back", async () => {
    const dataDir = await folderWithDatabase();
    const { stop } = await start({ dataDir });
    await killAll(serverOn(dataDir)!.pid);
    await stop();
    await sleep(300);
    expect(serverOn(dataDir)).toBeUndefined();
  });
});

describe("the collector is killed", () => {
  it("its database goes on and the next start takes it over as it is", async () => {
    const dataDir = await folderWithDatabase();
    const owner = await startOwner({ dataDir });
    await keepRow(owner.url, 4);
    const server = serverOn(dataDir)!.pid;
    await owner.end("SIGKILL");
    expect(serverOn(dataDir)?.pid).toBe(server);
    expect(readEmbeddedState(dataDir)?.url).toBe(owner.url);

    const { url, stop } = await start({ dataDir, port: owner.port });
    expect(serverOn(dataDir)!.pid).toBe(server);
    expect(await keptRows(url)).toEqual([{ n: 4 }]);
    await stop();
    expect(serverOn(dataDir)).toBeUndefined();
  });

  it("its database is started anew where the next start wants another port", async () => {
    const dataDir = await folderWithDatabase();
    const owner = await startOwner({ dataDir });
    await keepRow(owner.url, 5);
    const orphan = serverOn(dataDir)!;
    await owner.end("SIGKILL");
    const port = orphan.port === 65_535 ? 1_024 : orphan.port + 1;
    const { url } = await start({ dataDir, port });
    expect(serverOn(dataDir)).toMatchObject({ port, pid: expect.not.toBeOneOf([orphan.pid]) });
    expect(await keptRows(url)).toEqual([{ n: 5 }]);
  });

  it("together with PostgreSQL, as by a power cut: the next start recovers every committed row", async () => {
    const dataDir = await folderWithDatabase();
    const owner = await startOwner({ dataDir });
    await keepRow(owner.url, 6);
    const server = serverOn(dataDir)!.pid;
    owner.process.kill("SIGKILL");
    await killAll(server);
    const { url } = await start({ dataDir });
    expect(await keptRows(url)).toEqual([{ n: 6 }]);
    expect(readFileSync(join(dataDir, "postgres.log"), "utf8")).toContain("automatic recovery in progress");
  });

  it("the pid in its pid file may have gone to another process of the same user", async () => {
    const dataDir = await folderWithDatabase();
    const owner = await startOwner({ dataDir });
    await keepRow(owner.url, 7);
    owner.process.kill("SIGKILL");
    await killAll(serverOn(dataDir)!.pid);
    const other = spawn("sleep", ["60"], { ...spawnAs(findServiceAccount() ?? undefined), stdio: "ignore" });
    const pidFile = join(dataDir, "postgres", "postmaster.pid");
    writeFileSync(pidFile, readFileSync(pidFile, "utf8").replace(/^\d+/, String(other.pid)));
    try {
      const { url } = await start({ dataDir });
      expect(await keptRows(url)).toEqual([{ n: 7 }]);
      expect(other.exitCode).toBeNull();
    } finally {
      other.kill("SIGKILL");
    }
  });
});

describe("Ctrl+C", () => {
  it("goes to the whole group and does not reach PostgreSQL before the collector stops it", async () => {
    const dataDir = await folderWithDatabase();
    const owner = await startOwner({ dataDir });
    const server = serverOn(dataDir)!.pid;
    process.kill(-owner.process.pid!, "SIGINT");
    await sleep(300);
    expect(await ask(owner.url, (sql) => sql`SELECT 1 AS one`)).toEqual([{ one: 1 }]);
    expect(serverOn(dataDir)!.pid).toBe(server);
    await owner.end("SIGTERM");
    expect(serverOn(dataDir)).toBeUndefined();
  });
});
