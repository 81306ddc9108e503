import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { createTestDatabase, describeEachServer } from "../support/database.ts";
import { removeFolder, startProgram } from "../support/program.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";

/** Longer than the intervals at which the collector looks after its tables, so that it is at it when it is stopped. */
const ALL_AT_IT_MS = 16_000;
/** A stop hangs when it takes longer than requests under way and jobs may take together. */
const HANGS_AFTER_MS = 40_000;

describeEachServer("a collector whose database has fallen silent", (server) => {
  it("PRC-01 stops cleanly all the same, also while somebody watches the live stream", { timeout: 120_000 }, async () => {
    await using database = await createTestDatabase(server);
    const { hostname, port } = new URL(database.url);
    const proxy = await startTcpProxy({ host: hostname, port: Number(port) });
    const program = await startProgram({ env: { DATABASE_URL: proxy.urlFor(database.url) } });
    const stream = await fetch(`${program.webUrl}/api/stream`);
    expect(stream.status).toBe(200);
    proxy.setMode("hang");
    await sleep(ALL_AT_IT_MS);
    const ended = program.end();
    expect(await Promise.race([ended, sleep(HANGS_AFTER_MS, "it hangs", { ref: false })])).toBe(0);
    await stream.body?.cancel().catch(() => {});
    await proxy.close();
    removeFolder(program);
  });
});
